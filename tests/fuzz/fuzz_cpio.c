/*
 * fuzz_cpio.c - any bytes as an archive: what is found lies inside, and every
 * walk ends.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "vmm/boot/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio c = { data, size, 0 };
    struct cpio_file file, found;
    size_t members = 0;

    while (cpio_next(&c, &file) == OK) {
        const uint8_t *name = (const uint8_t *)file.name;

        ASSERT(name > data && name + strlen(file.name) < file.bytes);
        ASSERT(file.bytes + file.size <= data + size);
        ASSERT(++members <= size);
        c.at = MIN(c.at, size);
        if (members == 1 && file.is_regular)
            ASSERT(cpio_find(&c, file.name, &found) == OK);
    }
    return 0;
}
