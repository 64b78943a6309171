/*
 * cpio.c - walks a newc archive (cpio.h).
 *
 * Each step checks a member's header, name and data against what is left of
 * the archive before it moves on, and moves on by more than nothing.
 *
 * Called by whoever looks for a VM's files; no locks.
 */
#include "vmm/boot/cpio.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define HEADER_SIZE     110u
#define MAGIC_SIZE      6u
#define FIELD_SIZE      8u
#define MODE_AT         14u
#define FILESIZE_AT     54u
#define NAMESIZE_AT     94u
#define ALIGN           4u
#define HEX             16u
#define DECIMAL         10u
#define MODE_TYPE       BITS(15, 12)
#define MODE_REGULAR    0100000u

static const char trailer[] = "TRAILER!!!";

/* Eight hex digits; false: something else. */
static bool
read_field(const uint8_t *from, uint32_t *value)
{
    *value = 0;
    for (unsigned n = 0; n < FIELD_SIZE; n++) {
        char c = char_to_lower((char)from[n]);
        unsigned digit = char_is_digit(c) ? (unsigned)(c - '0')
                                          : (unsigned)(c - 'a') + DECIMAL;

        if (digit >= HEX || (!char_is_digit(c) && c < 'a'))
            return false;
        *value = *value * HEX + digit;
    }
    return true;
}

static bool
has_magic(const uint8_t *header)
{
    return memcmp(header, "070701", MAGIC_SIZE) == 0 ||
           memcmp(header, "070702", MAGIC_SIZE) == 0;
}

/* The name of NAME_SIZE bytes at NAME ends with them, and not before. */
static bool
is_name(const uint8_t *name, uint32_t name_size)
{
    for (uint32_t n = 0; n + 1 < name_size; n++)
        if (name[n] == '\0')
            return false;
    return name_size > 1 && name[name_size - 1] == '\0';
}

static const char *
strip(const char *name)
{
    if (str_starts_with(name, "./"))
        name++;
    while (*name == '/')
        name++;
    return name;
}

status_t
cpio_next(struct cpio *c, struct cpio_file *file)
{
    const uint8_t *header = c->bytes + c->at;
    size_t left = c->size - c->at, data_at, end;
    uint32_t mode, size, name_size;

    if (left < HEADER_SIZE || !has_magic(header) ||
        !read_field(header + MODE_AT, &mode) ||
        !read_field(header + FILESIZE_AT, &size) ||
        !read_field(header + NAMESIZE_AT, &name_size) ||
        name_size > left - HEADER_SIZE ||
        !is_name(header + HEADER_SIZE, name_size))
        return TRACE_ERR(ERR_CORRUPT);
    if (strcmp((const char *)header + HEADER_SIZE, trailer) == 0)
        return ERR_NOT_FOUND;
    data_at = ROUND_UP((size_t)HEADER_SIZE + name_size, ALIGN);
    if (data_at > left || size > left - data_at)
        return TRACE_ERR(ERR_CORRUPT);
    *file = (struct cpio_file){
        .name = strip((const char *)header + HEADER_SIZE),
        .bytes = header + data_at, .size = size,
        .is_regular = (mode & MODE_TYPE) == MODE_REGULAR };
    end = data_at + ROUND_UP((size_t)size, ALIGN);
    /* Padding that is missing at the very end is seen by the next call. */
    c->at += MIN(end, left);
    return OK;
}

status_t
cpio_find(const struct cpio *c, const char *name, struct cpio_file *file)
{
    struct cpio from = { c->bytes, c->size, 0 };
    struct cpio_file next;
    status_t status;

    while ((status = cpio_next(&from, &next)) == OK) {
        if (next.is_regular && strcmp(next.name, name) == 0) {
            *file = next;
            return OK;
        }
    }
    return status;
}
