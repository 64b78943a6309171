/*
 * fuzz_boot_info.c - the input is the loader's memory from INFO on, which
 * begins with its struct multiboot_info.  Whatever it says, the result must
 * keep the promises of boot/boot.h and kernel/base/memory_map.h.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "boot/multiboot.h"
#include "unit/fake_memory.h"

#define INFO            0x9000u
#define KERNEL_START    0x100000u
#define KERNEL_END      0x164123u

#define REQUIRE(x)      do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct boot_info info;

static void
check_map(const struct memory_map *map)
{
    uint64_t position = 0;

    REQUIRE(map->count <= MEMORY_MAP_MAX);
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];

        REQUIRE(range->length > 0 && range->base >= position);
        position = range->base + range->length;
        REQUIRE(position > range->base);
        if (range->kind == MEMORY_USABLE)
            REQUIRE(range->base >= PAGE_SIZE && position <= MEMORY_LIMIT &&
                    range->base % PAGE_SIZE == 0 &&
                    position % PAGE_SIZE == 0 &&
                    (position <= KERNEL_START || range->base >= KERNEL_END));
    }
}

static void
check_modules(void)
{
    REQUIRE(info.module_count <= BOOT_MODULE_MAX);
    for (unsigned i = 0; i < info.module_count; i++) {
        const struct boot_module *module = &info.modules[i];

        REQUIRE(maddr_lt(module->start, module->end));
        REQUIRE(memory_map_contains(&info.map, maddr_raw(module->start),
                                    maddr_diff(module->end, module->start),
                                    MEMORY_MODULE));
        REQUIRE(memchr(module->string, '\0', sizeof module->string));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_memory memory = { 0 };
    struct mem_reader reader = fake_memory_reader(&memory);
    struct boot_source source = {
        .magic = MULTIBOOT_BOOTLOADER_MAGIC, .info = make_maddr(INFO),
        .kernel_start = make_maddr(KERNEL_START),
        .kernel_end = make_maddr(KERNEL_END)
    };

    fake_memory_put(&memory, INFO, data, size);
    memset(&info, 0xa5, sizeof info);
    if (boot_info_fill(&info, &source, &reader) == OK) {
        check_map(&info.map);
        check_modules();
        REQUIRE(memory_map_total(&info.map, MEMORY_USABLE) > 0);
        REQUIRE(memchr(info.command_line, '\0', sizeof info.command_line));
        REQUIRE(memchr(info.loader, '\0', sizeof info.loader));
    }
    fake_memory_free(&memory);
    return 0;
}
