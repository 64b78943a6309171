/*
 * acpi_aml.c - find \_S5 in a table of AML (acpi_aml.h).
 *
 * In AML the definition looks like this (20.2.5.1, 20.2.5.4):
 *
 *      08            NameOp
 *      [5C]          '\', if the writer gave the full path
 *      5F 53 35 5F   "_S5_"
 *      12            PackageOp
 *      pp [pp...]    PkgLength: bytes from here to the end of the package
 *      nn            number of elements
 *      elements      integers: SLP_TYPa, SLP_TYPb, two reserved
 *
 * The search goes over bytes, not over AML, so it may hit data that looks like
 * this; whatever does not parse is passed over.  The table is read through a
 * small window, and every position is checked against the table's length.
 */
#include "drivers/acpi_aml.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

/* 20.2: AML byte codes. */
enum {
    AML_ZERO_OP = 0x00,
    AML_ONE_OP = 0x01,
    AML_NAME_OP = 0x08,
    AML_BYTE_PREFIX = 0x0a,
    AML_WORD_PREFIX = 0x0b,
    AML_DWORD_PREFIX = 0x0c,
    AML_QWORD_PREFIX = 0x0e,
    AML_PACKAGE_OP = 0x12,
    AML_ROOT_CHAR = 0x5c,
    AML_ONES_OP = 0xff
};

#define S5_NAME             "_S5_"
#define S5_NAME_SIZE        4u

/* 20.2.4, PkgLength: how many bytes follow the first, and the bits it has. */
#define PKG_FOLLOWING       BITS(7, 6)
#define PKG_LENGTH_ALONE    BITS(5, 0)
#define PKG_LENGTH_LOW      BITS(3, 0)
#define PKG_LOW_BITS        4u

#define SLP_TYP_MAX         7u          /* the field has three bits */
#define BITS_PER_BYTE       8u

#define WINDOW_SIZE         512u

struct window {
    const struct acpi_table *table;
    uint32_t start;             /* offset in the table of bytes[0] */
    uint32_t size;
    uint8_t bytes[WINDOW_SIZE];
};

/* A position in the table, which fails for good at the end. */
struct cursor {
    struct window *window;
    uint32_t at;
    uint32_t end;
    bool failed;
};

/* The byte at OFFSET, which is inside the table, loading it if need be. */
static bool
window_byte(struct window *w, uint32_t offset, uint8_t *byte)
{
    if (offset < w->start || offset - w->start >= w->size) {
        w->start = offset;
        w->size = MIN(w->table->length - offset, WINDOW_SIZE);
        if (!acpi_table_read(w->table, w->start, w->bytes, w->size)) {
            w->size = 0;
            return false;
        }
    }
    *byte = w->bytes[offset - w->start];
    return true;
}

/* The next byte; 0 and failure where there is none. */
static uint8_t
next_byte(struct cursor *c)
{
    uint8_t byte = 0;

    if (c->failed || c->at >= c->end ||
        !window_byte(c->window, c->at, &byte)) {
        c->failed = true;
        return 0;
    }
    c->at++;
    return byte;
}

/* Make the cursor end where the package does whose PkgLength is next. */
static void
enter_package(struct cursor *c)
{
    uint32_t start = c->at;
    uint8_t first = next_byte(c);
    unsigned following = FIELD_GET(first, PKG_FOLLOWING);
    uint32_t length = following == 0 ? first & PKG_LENGTH_ALONE
                                     : first & PKG_LENGTH_LOW;

    for (unsigned i = 0; i < following; i++)
        length |= (uint32_t)next_byte(c) << (PKG_LOW_BITS + i * BITS_PER_BYTE);
    if (length > c->end - start)
        c->failed = true;
    else
        c->end = start + length;
}

static uint64_t
little_endian(struct cursor *c, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)next_byte(c) << (i * BITS_PER_BYTE);
    return value;
}

/* An integer constant (20.2.3), as a value for the SLP_TYP field. */
static uint8_t
next_sleep_type(struct cursor *c)
{
    uint64_t value = 0;

    switch (next_byte(c)) {
    case AML_ZERO_OP: return 0;
    case AML_ONE_OP: return 1;
    case AML_ONES_OP: return SLP_TYP_MAX;
    case AML_BYTE_PREFIX: value = little_endian(c, sizeof(uint8_t)); break;
    case AML_WORD_PREFIX: value = little_endian(c, sizeof(uint16_t)); break;
    case AML_DWORD_PREFIX: value = little_endian(c, sizeof(uint32_t)); break;
    case AML_QWORD_PREFIX: value = little_endian(c, sizeof(uint64_t)); break;
    default: c->failed = true; break;
    }
    if (value > SLP_TYP_MAX)
        c->failed = true;
    return (uint8_t)value;
}

/* Parse the package behind the name, whose last byte is before OFFSET. */
static bool
parse_package(struct window *w, uint32_t offset,
              struct acpi_sleep_types *types)
{
    struct cursor c = { .window = w, .at = offset, .end = w->table->length };
    struct acpi_sleep_types found;
    uint8_t elements;

    if (next_byte(&c) != AML_PACKAGE_OP)
        return false;
    enter_package(&c);
    elements = next_byte(&c);
    found.a = next_sleep_type(&c);
    found.b = elements > 1 ? next_sleep_type(&c) : 0;
    if (c.failed || elements == 0)
        return false;
    *types = found;
    return true;
}

/* RECENT holds the bytes up to the name, the newest last. */
static bool
ends_in_definition(const uint8_t recent[S5_NAME_SIZE + 2])
{
    const uint8_t *name = recent + 2;

    return memcmp(name, S5_NAME, S5_NAME_SIZE) == 0 &&
           (name[-1] == AML_NAME_OP ||
            (name[-1] == AML_ROOT_CHAR && name[-2] == AML_NAME_OP));
}

bool
acpi_find_s5(const struct acpi_table *table, struct acpi_sleep_types *types)
{
    struct window window = { .table = table };
    uint8_t recent[S5_NAME_SIZE + 2] = { 0 };
    uint32_t at = sizeof(struct acpi_header);

    while (at < table->length) {
        memmove(recent, recent + 1, sizeof recent - 1);
        if (!window_byte(&window, at, &recent[sizeof recent - 1]))
            return false;
        at++;
        if (ends_in_definition(recent) && parse_package(&window, at, types))
            return true;
    }
    return false;
}
