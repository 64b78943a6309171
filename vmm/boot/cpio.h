/*
 * cpio.h - files of an archive in cpio's "newc" format, where they lie.
 *
 * This is how VMs and their images come to a host without a disk: an archive
 * loaded as a boot module.  Each member is (all numbers 8 hex digits):
 *
 *      OFFSET  SIZE  MEANING
 *           0     6  "070701", or "070702" with a checksum, which is ignored
 *           6     8  c_ino
 *          14     8  c_mode: type and permissions
 *          22    32  c_uid, c_gid, c_nlink, c_mtime
 *          54     8  c_filesize
 *          62    32  c_devmajor, c_devminor, c_rdevmajor, c_rdevminor
 *          94     8  c_namesize, with the NUL
 *         102     8  c_check
 *         110        name, NUL; padded, with the header, to a multiple of 4
 *                    data; padded to a multiple of 4
 *
 * A member named "TRAILER!!!" ends it.  Nothing is copied, and anything may be
 * in the archive.  Pure.  cpio(5), "New ASCII Format".
 */
#ifndef VMM_BOOT_CPIO_H
#define VMM_BOOT_CPIO_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct cpio {
    const uint8_t *bytes;
    size_t size;
    size_t at;                  /* of the next member; begin with 0 */
};

struct cpio_file {
    const char *name;           /* without leading "./" or "/" */
    const uint8_t *bytes;
    uint32_t size;
    bool is_regular;            /* not a folder, link or device */
};

/*
 * The next member.  ERR_NOT_FOUND: there is none, the archive ended as it
 * should; ERR_CORRUPT: it did not.
 */
MUST_CHECK status_t cpio_next(struct cpio *c, struct cpio_file *file);

/* The regular file NAME, looked for from the beginning; errors as above. */
MUST_CHECK status_t cpio_find(const struct cpio *c, const char *name,
                              struct cpio_file *file);

#endif
