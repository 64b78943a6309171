/*
 * vm_archive.h - VMs and their images, in archives that the boot loader
 * loaded.
 *
 * Each boot module is a cpio archive of the "newc" format (vmm/boot/cpio.h).
 * A file FOLDER/NAME.vmx in it is the VM called NAME; the files that it names
 * are those of the same FOLDER, which is usually called NAME too:
 *
 *      debian/debian.vmx       memsize = "128"  boot.kernel = "linux" ...
 *      debian/linux
 *      debian/initramfs.cpio
 *
 * A folder may hold several VMs, and may lie in another archive than the .vmx:
 * all archives together are one tree, in which of two files with one name the
 * first one counts.  Files are used where they lie; nothing is copied.
 *
 * Pure; what is in an archive may be anything.
 */
#ifndef VMM_VMK_VM_ARCHIVE_H
#define VMM_VMK_VM_ARCHIVE_H

#include "vmm/boot/cpio.h"

#define VM_NAME_SIZE        20u     /* with the NUL */
#define VM_FOLDER_SIZE      64u
#define VM_ARCHIVES_MAX     16u

struct vm_archives {
    unsigned count;
    struct cpio archive[VM_ARCHIVES_MAX];
};

/* A file, where it lies. */
struct vm_file {
    const uint8_t *bytes;
    uint32_t size;
};

/* What the .vmx of a VM is called, and what is in it. */
struct vm_archive_entry {
    const char *path;               /* of the .vmx, as the archive says */
    char name[VM_NAME_SIZE];
    char folder[VM_FOLDER_SIZE];    /* "" at the top, else with a '/' */
    struct vm_file text;
};

/*
 * A name is 1 to VM_NAME_SIZE - 1 letters, digits, '-', '_' or '.', and begins
 * with a letter or digit.
 */
bool vm_name_is_good(const char *name);

/* Does this look like an archive at all?  Then vm_archive_add() takes it. */
bool vm_archive_is_one(const uint8_t *bytes, size_t size);

/* Add the SIZE bytes at BYTES, which must stay; false: there are too many. */
bool vm_archive_add(struct vm_archives *a, const uint8_t *bytes, size_t size);

/*
 * The next .vmx file of archive N, from archive[N].at on, which moves behind
 * it.  OK, or:
 *
 *      ERR_NOT_FOUND   there is none
 *      ERR_CORRUPT     the archive is damaged, or cut off, behind what was seen
 *      ERR_INVALID     e->path cannot be the .vmx of a VM; look for the next
 */
MUST_CHECK status_t vm_archive_next(struct vm_archives *a, unsigned n,
                                    struct vm_archive_entry *e);

/* The file FILE of FOLDER; false: there is none. */
bool vm_archive_find(const struct vm_archives *a, const char *folder,
                     const char *file, struct vm_file *found);

#endif
