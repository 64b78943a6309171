/*
 * vm_archive.c - finds VMs and images in archives (vm_archive.h).
 *
 * An archive is walked from its beginning whenever somebody looks for a file.
 * A walk looks at headers only, and there are few of them.  A damaged archive
 * still gives what lies before the damage.
 *
 * Called when VMs are listed at boot, and by whoever starts one; what is added
 * never changes, so no lock is needed.
 */
#include "vmm/vmk/vm_archive.h"

#include "kernel/base/string.h"

#define SUFFIX      ".vmx"
#define SUFFIX_SIZE (sizeof(SUFFIX) - 1)

static bool
is_name_char(char c)
{
    char lower = char_to_lower(c);

    return (lower >= 'a' && lower <= 'z') || char_is_digit(c);
}

bool
vm_name_is_good(const char *name)
{
    size_t size = strlen(name);

    if (size == 0 || size >= VM_NAME_SIZE || !is_name_char(name[0]))
        return false;
    for (; *name != '\0'; name++)
        if (!is_name_char(*name) && strchr("-_.", *name) == NULL)
            return false;
    return true;
}

bool
vm_archive_is_one(const uint8_t *bytes, size_t size)
{
    struct cpio c = { bytes, size, 0 };
    struct cpio_file file;

    return cpio_next(&c, &file) != ERR_CORRUPT;
}

bool
vm_archive_add(struct vm_archives *a, const uint8_t *bytes, size_t size)
{
    if (a->count == VM_ARCHIVES_MAX)
        return false;
    a->archive[a->count++] = (struct cpio){ bytes, size, 0 };
    return true;
}

static bool
ends_with_suffix(const char *path)
{
    size_t size = strlen(path);

    return size > SUFFIX_SIZE &&
           strcmp(path + size - SUFFIX_SIZE, SUFFIX) == 0;
}

/* Where the name begins: behind the last slash. */
static const char *
base_name(const char *path)
{
    const char *base = path;

    for (; *path != '\0'; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

static bool
is_printable(const char *text)
{
    while (*text != '\0')
        if (!char_is_print(*text++))
            return false;
    return true;
}

/* Cut PATH into folder and name; false: one of them will not do. */
static bool
split(struct vm_archive_entry *e, const char *path)
{
    const char *base = base_name(path);
    size_t folder_size = (size_t)(base - path);
    size_t name_size = strlen(base) - SUFFIX_SIZE;

    if (folder_size >= VM_FOLDER_SIZE || name_size >= VM_NAME_SIZE)
        return false;
    memcpy(e->folder, path, folder_size);
    e->folder[folder_size] = '\0';
    memcpy(e->name, base, name_size);
    e->name[name_size] = '\0';
    return is_printable(e->folder) && vm_name_is_good(e->name);
}

status_t
vm_archive_next(struct vm_archives *a, unsigned n, struct vm_archive_entry *e)
{
    struct cpio_file file;
    status_t status;

    do {
        status = cpio_next(&a->archive[n], &file);
        if (status != OK)
            return status;
    } while (!file.is_regular || !ends_with_suffix(file.name));
    e->path = file.name;
    e->text = (struct vm_file){ file.bytes, file.size };
    return split(e, file.name) ? OK : ERR_INVALID;
}

bool
vm_archive_find(const struct vm_archives *a, const char *folder,
                const char *file, struct vm_file *found)
{
    char path[VM_FOLDER_SIZE + KB(1)];
    struct cpio_file member;
    size_t size = strlen(folder);

    memcpy(path, folder, size);
    if (!str_copy(path + size, file, sizeof(path) - size))
        return false;
    for (unsigned n = 0; n < a->count; n++) {
        if (cpio_find(&a->archive[n], path, &member) != OK)
            continue;
        *found = (struct vm_file){ member.bytes, member.size };
        return true;
    }
    return false;
}
