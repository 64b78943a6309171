/*
 * fuzz_direct_boot.c - kernels' images are hostile: the loaders read nothing
 * outside of them and write nothing outside of guest RAM.
 *
 * The first byte says how much memory there is, and whether there is a module:
 * the image again.
 */
#include "unit/boot_target.h"

#include "kernel/base/assert.h"

#define MODULE      BIT(7)
#define PAGES       BITS(6, 0)      /* beyond 1 MB, in quarters of one */
#define QUARTER     KB(256u)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest_module module = { .command_line = "module" };
    struct boot_target target;
    status_t status;

    if (size == 0 || size > MB(1))
        return 0;
    boot_target_init(&target, MB(1) + (data[0] & PAGES) * QUARTER);
    target.boot.kernel.size = (uint32_t)size - 1;
    target.boot.kernel.bytes = data + 1;
    target.boot.command_line = "console=ttyS0";
    module.image = target.boot.kernel;
    target.boot.modules = &module;
    target.boot.module_count = (data[0] & MODULE) != 0;
    status = direct_boot(&target.boot, &target.vcpu);
    ASSERT(status == OK || target.boot.error != NULL);
    boot_target_free(&target);
    return 0;
}
