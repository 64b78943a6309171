/*
 * test_linux_boot.c - a bzImage made here, loaded; and refusals.
 */
#include "unit/test.h"

#include "unit/boot_target.h"
#include "vmm/boot/linux_boot.h"

#define MEMORY      MB(32)
#define SETUP_SECTS 3u
#define CODE_OFFSET ((SETUP_SECTS + 1) * LINUX_SECTOR)
#define CODE_SIZE   10000u
#define PREFERRED   MB(16)
#define INIT_SIZE   MB(4)
#define CMDLINE_MAX 255u

static uint8_t image[CODE_OFFSET + CODE_SIZE];
static struct boot_target target;

static void
put16(unsigned at, uint16_t value)
{
    memcpy(image + at, &value, sizeof(value));
}

static void
put32(unsigned at, uint32_t value)
{
    memcpy(image + at, &value, sizeof(value));
}

static int
setup(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    for (unsigned n = 0; n < CODE_SIZE; n++)
        image[CODE_OFFSET + n] = (uint8_t)(n * 7 + 1);
    image[BP_SETUP_SECTS] = SETUP_SECTS;
    put32(BP_SYSSIZE, DIV_ROUND_UP(CODE_SIZE, LINUX_PARAGRAPH));
    put16(BP_BOOT_FLAG, LINUX_BOOT_FLAG);
    image[BP_HEADER_LENGTH] = BP_INIT_SIZE + 4 - BP_HEADER;
    put32(BP_HEADER, LINUX_HEADER_MAGIC);
    put16(BP_VERSION, 0x020f);
    image[BP_LOADFLAGS] = LINUX_LOADED_HIGH;
    put32(BP_CODE32_START, PC_HIGH_BASE);
    put32(BP_INITRD_ADDR_MAX, 0x7fffffff);
    put32(BP_CMDLINE_SIZE, CMDLINE_MAX);
    image[BP_RELOCATABLE] = 1;
    put32(BP_PREF_ADDRESS, PREFERRED);
    put32(BP_INIT_SIZE, INIT_SIZE);
    boot_target_init(&target, MEMORY);
    target.boot.kernel = (struct boot_image){ image, sizeof(image) };
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    boot_target_free(&target);
    return 0;
}

static status_t
load(void)
{
    return direct_boot(&target.boot, &target.vcpu);
}

static void
refused(status_t status)
{
    assert_int_equal(load(), status);
    assert_non_null(target.boot.error);
}

static void
test_loads(void **state)
{
    const struct guest_cpu *cpu = &target.vcpu.cpu;
    uint32_t params, line;

    (void)state;
    target.boot.command_line = "console=ttyS0 quiet";
    assert_int_equal(load(), OK);
    assert_int_equal(cpu->eip, PREFERRED);
    assert_memory_equal(target.bytes + PREFERRED, image + CODE_OFFSET,
                        CODE_SIZE);
    params = cpu->gpr[GPR_ESI];
    assert_int_equal(boot_target_32(&target, params + BP_HEADER),
                     LINUX_HEADER_MAGIC);
    assert_int_equal(target.bytes[params + BP_TYPE_OF_LOADER], 0xff);
    line = boot_target_32(&target, params + BP_CMD_LINE_PTR);
    assert_string_equal((char *)target.bytes + line, "console=ttyS0 quiet");
    assert_int_equal(boot_target_32(&target, params + BP_RAMDISK_SIZE), 0);
    /* What is before and behind the header in the image is not its. */
    assert_int_equal(target.bytes[params + BP_SETUP_HEADER - 1], 0);
    assert_int_equal(target.bytes[params + BP_INIT_SIZE + 4], 0);
}

static void
test_processor(void **state)
{
    const struct guest_cpu *cpu = &target.vcpu.cpu;
    uint64_t gdt[4];

    (void)state;
    assert_int_equal(load(), OK);
    assert_int_equal(cpu->cr0 & (CR0_PE | CR0_PG), CR0_PE);
    assert_int_equal(cpu->eflags & EFLAGS_IF, 0);
    assert_int_equal(cpu->segment[SEG_CS].selector, 0x10);
    for (unsigned n = 0; n < SEG_NONE; n++) {
        assert_true(segment_is_flat(&cpu->segment[n]));
        assert_true(segment_permits(&cpu->segment[n], 0xffffffff, 1,
                                    n == SEG_CS ? ALLOW_EXECUTE
                                                : ALLOW_WRITE));
    }
    /* The table in memory says the same. */
    assert_int_equal(cpu->gdtr.limit, sizeof(gdt) - 1);
    memcpy(gdt, target.bytes + cpu->gdtr.base, sizeof(gdt));
    assert_true(gdt[2] == 0x00cf9b000000ffffull);
    assert_true(gdt[3] == 0x00cf93000000ffffull);
}

static void
test_memory_map(void **state)
{
    struct linux_e820_entry entry;
    uint32_t params;

    (void)state;
    assert_int_equal(load(), OK);
    params = target.vcpu.cpu.gpr[GPR_ESI];
    assert_int_equal(target.bytes[params + BP_E820_ENTRIES], 4);
    memcpy(&entry, target.bytes + params + BP_E820_TABLE + 3 * sizeof(entry),
           sizeof(entry));
    assert_true(entry.addr == PC_HIGH_BASE);
    assert_true(entry.size == MEMORY - PC_HIGH_BASE);
    assert_int_equal(entry.type, BOOT_MEMORY_RAM);
}

static void
test_initrd(void **state)
{
    static uint8_t initrd[5000];
    struct guest_module module = { { initrd, sizeof(initrd) }, "" };
    uint32_t params, at;

    (void)state;
    memset(initrd, 0x5a, sizeof(initrd));
    target.boot.modules = &module;
    target.boot.module_count = 1;
    assert_int_equal(load(), OK);
    params = target.vcpu.cpu.gpr[GPR_ESI];
    at = boot_target_32(&target, params + BP_RAMDISK_IMAGE);
    assert_int_equal(at, MEMORY - 2 * PAGE_SIZE);
    assert_memory_equal(target.bytes + at, initrd, sizeof(initrd));
    /* No higher than the kernel can reach. */
    put32(BP_INITRD_ADDR_MAX, MB(24) + 100);
    assert_int_equal(load(), OK);
    assert_int_equal(boot_target_32(&target, params + BP_RAMDISK_IMAGE),
                     MB(24) - 2 * PAGE_SIZE);
    /* Nor into the kernel. */
    put32(BP_INITRD_ADDR_MAX, PREFERRED + INIT_SIZE + PAGE_SIZE);
    refused(ERR_NO_MEMORY);
    target.boot.module_count = 2;
    refused(ERR_INVALID);
}

/* An initrd that leaves no room, by any size. */
static void
test_huge_initrd(void **state)
{
    static const uint8_t some[1];
    struct guest_module module = { { some, UINT32_MAX }, "" };

    (void)state;
    target.boot.modules = &module;
    target.boot.module_count = 1;
    refused(ERR_NO_MEMORY);
    module.image.size = MEMORY - PREFERRED - INIT_SIZE + 1;
    refused(ERR_NO_MEMORY);
}

static void
test_not_relocatable(void **state)
{
    (void)state;
    image[BP_RELOCATABLE] = 0;
    put32(BP_CODE32_START, MB(2));
    assert_int_equal(load(), OK);
    assert_int_equal(target.vcpu.cpu.eip, MB(2));
    put32(BP_CODE32_START, 0xfffff000);
    refused(ERR_NO_MEMORY);
}

static void
test_too_little_memory(void **state)
{
    (void)state;
    put32(BP_INIT_SIZE, MEMORY - PREFERRED);
    assert_int_equal(load(), OK);
    put32(BP_INIT_SIZE, MEMORY - PREFERRED + 1);
    refused(ERR_NO_MEMORY);
    put32(BP_INIT_SIZE, UINT32_MAX);
    refused(ERR_NO_MEMORY);
    put32(BP_PREF_ADDRESS + 4, UINT32_MAX);
    refused(ERR_NO_MEMORY);
}

static void
test_command_line(void **state)
{
    char line[CMDLINE_MAX + 2];

    (void)state;
    memset(line, 'x', sizeof(line));
    line[CMDLINE_MAX] = '\0';
    target.boot.command_line = line;
    assert_int_equal(load(), OK);
    line[CMDLINE_MAX] = 'x';
    line[CMDLINE_MAX + 1] = '\0';
    refused(ERR_INVALID);
}

static void
test_refusals(void **state)
{
    (void)state;
    put16(BP_VERSION, 0x0209);
    refused(ERR_UNSUPPORTED);
    put16(BP_VERSION, 0x020f);
    image[BP_LOADFLAGS] = 0;
    refused(ERR_UNSUPPORTED);
    image[BP_LOADFLAGS] = LINUX_LOADED_HIGH;
    put32(BP_SYSSIZE, CODE_SIZE);
    refused(ERR_CORRUPT);
    image[BP_SETUP_SECTS] = UINT8_MAX;
    refused(ERR_CORRUPT);
    put32(BP_HEADER, 0);
    refused(ERR_UNSUPPORTED);
}

/* Cut short before its last paragraph: refused, and nothing read beyond. */
static void
test_cut_short(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < CODE_OFFSET + CODE_SIZE - LINUX_PARAGRAPH;
         size += 13) {
        uint8_t *copy = malloc(size + 1);

        memcpy(copy, image, size);
        target.boot.kernel = (struct boot_image){ copy, size };
        assert_int_not_equal(load(), OK);
        free(copy);
    }
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_loads),
        TEST(test_processor),
        TEST(test_memory_map),
        TEST(test_initrd),
        TEST(test_huge_initrd),
        TEST(test_not_relocatable),
        TEST(test_too_little_memory),
        TEST(test_command_line),
        TEST(test_refusals),
        TEST(test_cut_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
