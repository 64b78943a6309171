/*
 * fuzz_vm_archive.c - any bytes as an archive of VMs: names are good ones, what
 * is found lies inside, and every walk ends.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "vmm/vmk/vm_archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_inside(const struct vm_file *file, const uint8_t *data, size_t size)
{
    ASSERT(file->bytes >= data && file->bytes + file->size <= data + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct vm_archives archives;
    struct vm_archive_entry e;
    struct vm_file file;
    size_t members = 0;
    status_t status;

    archives.count = 0;
    ASSERT(vm_archive_add(&archives, data, size));
    do {
        status = vm_archive_next(&archives, 0, &e);
        ASSERT(++members <= size + 1);
        if (status != OK)
            continue;
        ASSERT(vm_name_is_good(e.name));
        ASSERT(strlen(e.folder) < VM_FOLDER_SIZE);
        check_inside(&e.text, data, size);
        if (members == 1 && vm_archive_find(&archives, e.folder, "x", &file))
            check_inside(&file, data, size);
    } while (status == OK || status == ERR_INVALID);
    return 0;
}
