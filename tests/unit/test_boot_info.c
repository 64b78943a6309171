/*
 * test_boot_info.c - what loaders really leave, and what hostile ones might.
 *
 * The boot information is built in fake memory: the information at INFO, its
 * lists behind it, texts at TEXTS.
 */
#include "unit/test.h"

#include "boot/boot.h"
#include "boot/multiboot.h"
#include "unit/fake_image.h"
#include "unit/fake_memory.h"

#define INFO            0x9000u
#define MODS            0x9100u
#define MMAP            0x9400u
#define TEXTS           0xa000u
#define LOW_SIZE        0x4000u
#define KERNEL_START    0x100000u
#define KERNEL_END      0x164123u

static struct fake_memory memory;
static struct multiboot_info mbi;
static struct boot_info info;
static size_t text_used;
static size_t mmap_used;

static int
reset(void **state)
{
    (void)state;
    fake_memory_free(&memory);
    fake_memory_put(&memory, INFO, NULL, LOW_SIZE);
    memset(&mbi, 0, sizeof mbi);
    memset(&info, 0xa5, sizeof info);
    mbi.mmap_addr = MMAP;
    mbi.mods_addr = MODS;
    text_used = mmap_used = 0;
    return 0;
}

static uint32_t
text(const char *s)
{
    uint32_t at = TEXTS + (uint32_t)text_used;

    strcpy((char *)fake_memory_at(&memory, at), s);
    text_used += strlen(s) + 1;
    return at;
}

static void
loader(const char *name, const char *command_line)
{
    mbi.flags |= MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_BOOT_LOADER_NAME;
    mbi.boot_loader_name = text(name);
    mbi.cmdline = text(command_line);
}

static void
mmap(uint64_t addr, uint64_t len, uint32_t type)
{
    struct multiboot_mmap_entry entry = {
        .size = sizeof entry - sizeof entry.size,
        .addr = addr, .len = len, .type = type
    };

    memcpy(fake_memory_at(&memory, MMAP + mmap_used), &entry, sizeof entry);
    mmap_used += sizeof entry;
    mbi.flags |= MULTIBOOT_INFO_MEM_MAP;
    mbi.mmap_length = (uint32_t)mmap_used;
}

static void
module(uint32_t start, uint32_t end, const char *string)
{
    struct multiboot_mod_list mod = {
        .mod_start = start, .mod_end = end, .cmdline = text(string)
    };

    memcpy(fake_memory_at(&memory, MODS + mbi.mods_count * sizeof mod), &mod,
           sizeof mod);
    mbi.mods_count++;
    mbi.flags |= MULTIBOOT_INFO_MODS;
}

/* The map of QEMU with 128 MB. */
static void
qemu_mmap(void)
{
    mmap(0x00000000, 0x0009fc00, 1);
    mmap(0x0009fc00, 0x00000400, 2);
    mmap(0x000f0000, 0x00010000, 2);
    mmap(0x00100000, 0x07ee0000, 1);
    mmap(0x07fe0000, 0x00020000, 2);
    mmap(0xfffc0000, 0x00040000, 2);
}

static status_t
fill(void)
{
    struct mem_reader reader = fake_memory_reader(&memory);
    struct boot_source source = {
        .magic = MULTIBOOT_BOOTLOADER_MAGIC, .info = make_maddr(INFO),
        .entry_tsc = 12345, .kernel_start = make_maddr(KERNEL_START),
        .kernel_end = make_maddr(KERNEL_END)
    };

    fake_log_reset();
    memcpy(fake_memory_at(&memory, INFO), &mbi, sizeof mbi);
    return boot_info_fill(&info, &source, &reader);
}

static void
check_range(unsigned i, uint64_t base, uint64_t end, enum memory_kind kind)
{
    assert_true(i < info.map.count);
    assert_true(info.map.ranges[i].base == base);
    assert_true(info.map.ranges[i].base + info.map.ranges[i].length == end);
    assert_int_equal(info.map.ranges[i].kind, kind);
}

static void
test_qemu(void **state)
{
    (void)state;
    qemu_mmap();
    loader("qemu", "build/vmkernel.elf log=debug cpus=2");
    assert_int_equal(fill(), OK);
    assert_int_equal(fake_log.warnings, 0);
    assert_string_equal(info.loader, "qemu");
    assert_string_equal(info.command_line, "log=debug cpus=2");
    assert_true(info.entry_tsc == 12345);
    assert_int_equal(info.module_count, 0);
    assert_int_equal(info.map.count, 7);
    check_range(0, 0, 0x1000, MEMORY_RESERVED);
    check_range(1, 0x1000, 0x9f000, MEMORY_USABLE);
    check_range(2, 0x9fc00, 0x100000, MEMORY_RESERVED);
    check_range(3, KERNEL_START, KERNEL_END, MEMORY_KERNEL);
    check_range(4, 0x165000, 0x7fe0000, MEMORY_USABLE);
    check_range(5, 0x7fe0000, 0x8000000, MEMORY_RESERVED);
    check_range(6, 0xfffc0000, 0x100000000ull, MEMORY_RESERVED);
}

static void
check_command_line(const char *name, const char *given, const char *expected)
{
    reset(NULL);
    qemu_mmap();
    loader(name, given);
    assert_int_equal(fill(), OK);
    assert_string_equal(info.command_line, expected);
}

static void
test_path_is_stripped(void **state)
{
    const char *grub = "GRUB 2.06-13+deb12u1";
    const char *grub1 = "GNU GRUB 0.97";

    (void)state;
    check_command_line(grub, "", "");
    check_command_line(grub, "log=debug", "log=debug");
    check_command_line(grub, "  acpi=off  log=debug", "acpi=off  log=debug");
    check_command_line(grub, "vm.image=/vms/a acpi=off",
                       "vm.image=/vms/a acpi=off");
    check_command_line(grub, "/boot/vmkernel.elf acpi=off", "acpi=off");
    check_command_line(grub1, "/boot/vmkernel.elf", "");
    check_command_line(grub1, "(hd0,0)/vmkernel log=info", "log=info");
    check_command_line("qemu", "vmkernel.elf  log=info", "log=info");
    check_command_line("qemu", "/a=b/vmkernel.elf log=info", "log=info");
    check_command_line("qemu", "vmkernel.elf", "");
    check_command_line("qemu", "vmkernel.elf ", "");
}

static void
test_texts_are_cleaned_and_cut(void **state)
{
    char line[BOOT_COMMAND_LINE_MAX + 100];
    char name[BOOT_LOADER_MAX + 100];

    (void)state;
    check_command_line("GRUB", "log=\033[2J\tcpus=1\x80\r\n",
                       "log=?[2J cpus=1?  ");
    memset(line, 'x', sizeof line);
    memset(name, 'y', sizeof name);
    line[sizeof line - 1] = name[sizeof name - 1] = '\0';
    reset(state);
    qemu_mmap();
    loader(name, line);
    assert_int_equal(fill(), OK);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
    assert_int_equal(strlen(info.loader), BOOT_LOADER_MAX - 1);
}

static void
test_text_runs_out_of_memory(void **state)
{
    (void)state;
    qemu_mmap();
    mbi.flags |= MULTIBOOT_INFO_CMDLINE;
    mbi.cmdline = INFO + LOW_SIZE - 3;
    memcpy(fake_memory_at(&memory, mbi.cmdline), "abc", 3);
    assert_int_equal(fill(), OK);
    assert_string_equal(info.command_line, "abc");
    assert_string_equal(info.loader, "unknown");
}

static void
test_not_multiboot(void **state)
{
    struct mem_reader reader = fake_memory_reader(&memory);
    struct boot_source source = { .magic = 0x36d76289 };

    (void)state;
    assert_int_equal(boot_info_fill(&info, &source, &reader), ERR_INVALID);
    source.magic = MULTIBOOT_BOOTLOADER_MAGIC;
    source.info = make_maddr(INFO + LOW_SIZE - 10);
    assert_int_equal(boot_info_fill(&info, &source, &reader), ERR_TRUNCATED);
}

static void
test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(fill(), ERR_NO_MEMORY);
    mmap(0, MB(64), 2);
    assert_int_equal(fill(), ERR_NO_MEMORY);
}

static void
test_memory_sizes_instead_of_map(void **state)
{
    (void)state;
    mbi.flags = MULTIBOOT_INFO_MEMORY;
    mbi.mem_lower = 639;
    mbi.mem_upper = 63 * 1024;
    assert_int_equal(fill(), OK);
    assert_int_equal(info.map.count, 5);
    check_range(1, 0x1000, 0x9f000, MEMORY_USABLE);
    check_range(4, 0x165000, MB(64), MEMORY_USABLE);

    mbi.mem_lower = mbi.mem_upper = UINT32_MAX;
    assert_int_equal(fill(), OK);
    check_range(1, 0x1000, 0xa0000, MEMORY_USABLE);
    check_range(4, 0x165000, GB(64), MEMORY_USABLE);
}

static void
test_broken_map_falls_back(void **state)
{
    (void)state;
    qemu_mmap();
    mbi.flags |= MULTIBOOT_INFO_MEMORY;
    mbi.mem_upper = 15 * 1024;
    *fake_memory_at(&memory, MMAP) = 19;        /* first entry too short */
    assert_int_equal(fill(), OK);
    check_range(info.map.count - 1, 0x165000, MB(16), MEMORY_USABLE);

    *fake_memory_at(&memory, MMAP) = 20;
    mbi.mmap_addr = 0x80000000;                 /* not there */
    assert_int_equal(fill(), OK);
    check_range(info.map.count - 1, 0x165000, MB(16), MEMORY_USABLE);

    mbi.mmap_addr = UINT32_MAX - 4;             /* wraps */
    mbi.mmap_length = UINT32_MAX;
    assert_int_equal(fill(), OK);
    check_range(info.map.count - 1, 0x165000, MB(16), MEMORY_USABLE);
}

static void
test_hostile_map(void **state)
{
    (void)state;
    mmap(0x100000, 0x1000000, 1);
    mmap(0x200000, 0x1000, 77);                 /* unknown kind: reserved */
    mmap(0, 0xffffffffffffffffull, 0);
    assert_int_equal(fill(), ERR_NO_MEMORY);

    reset(state);
    mmap(UINT64_MAX - 5, 100, 1);
    mmap(0x300000, 0, 2);
    mmap(0, 0x100000000ull, 1);                 /* over video memory too */
    mmap(0x400000, 0x1000, 77);
    assert_int_equal(fill(), OK);
    assert_int_equal(fake_log.warnings, 1);     /* about the first one */
    check_range(1, 0x1000, 0xa0000, MEMORY_USABLE);
    check_range(2, 0xa0000, 0x100000, MEMORY_RESERVED);
    check_range(4, 0x165000, 0x400000, MEMORY_USABLE);
    check_range(5, 0x400000, 0x401000, MEMORY_RESERVED);
    check_range(6, 0x401000, 0x100000000ull, MEMORY_USABLE);
}

/* However long the list, what is reserved at its end stays reserved. */
static void
test_long_map_keeps_reserved(void **state)
{
    enum { ENTRIES = 120 };

    (void)state;
    for (unsigned i = 0; i < ENTRIES; i++)
        mmap(MB(1) + i * MB(1ull), MB(1), 1);
    mmap(MB(3), MB(1), 2);
    assert_int_equal(fill(), OK);
    assert_true(memory_map_contains(&info.map, MB(3), MB(1),
                                    MEMORY_RESERVED));
    assert_true(memory_map_contains(&info.map, MB(4), MB(50),
                                    MEMORY_USABLE));
}

static void
test_kernel_in_no_memory(void **state)
{
    (void)state;
    mmap(0x200000, 0x100000, 1);
    assert_int_equal(fill(), OK);
    assert_int_equal(fake_log.warnings, 1);
    assert_string_equal(fake_log.last, "memory map does not show the VMkernel "
                        "as usable");
}

static void
test_modules(void **state)
{
    (void)state;
    qemu_mmap();
    module(0x200000, 0x234567, "a.img name=a");
    module(0x300000, 0x301000, "");
    assert_int_equal(fill(), OK);
    assert_int_equal(info.module_count, 2);
    assert_true(maddr_raw(info.modules[0].start) == 0x200000);
    assert_true(maddr_raw(info.modules[0].end) == 0x234567);
    assert_string_equal(info.modules[0].string, "a.img name=a");
    assert_string_equal(info.modules[1].string, "");
    check_range(4, 0x165000, 0x200000, MEMORY_USABLE);
    check_range(5, 0x200000, 0x235000, MEMORY_MODULE);
    check_range(6, 0x235000, 0x300000, MEMORY_USABLE);
    check_range(7, 0x300000, 0x301000, MEMORY_MODULE);
}

static void
test_bad_modules_are_refused(void **state)
{
    (void)state;
    qemu_mmap();
    module(0x163000, 0x200000, "over the VMkernel");
    module(0x200000, 0x200000, "empty");
    module(0x300000, 0x2ff000, "backwards");
    module(0x400000, 0x500000, "good");
    module(0x4ff000, 0x600000, "over the good one");
    module(0x7fd0000, 0x7ff0000, "end reserved");
    module(0x10000000, 0x10001000, "no memory");
    module(0xfffff000, 0xffffffff, "at the very end");
    module(0x0, 0x1000, "first page");
    assert_int_equal(fill(), OK);
    assert_int_equal(fake_log.warnings, 8);
    assert_int_equal(info.module_count, 1);
    assert_string_equal(info.modules[0].string, "good");
}

static void
test_too_many_modules(void **state)
{
    (void)state;
    qemu_mmap();
    for (unsigned i = 0; i < BOOT_MODULE_MAX + 4; i++)
        module(0x200000 + i * 0x10000, 0x201000 + i * 0x10000, "m");
    assert_int_equal(fill(), OK);
    assert_int_equal(info.module_count, BOOT_MODULE_MAX);
    mbi.mods_count = UINT32_MAX;
    assert_int_equal(fill(), OK);
    assert_int_equal(info.module_count, BOOT_MODULE_MAX);
    mbi.mods_addr = 0xfffffff0;
    assert_int_equal(fill(), OK);
    assert_int_equal(info.module_count, 0);
}

static int
end(void **state)
{
    (void)state;
    fake_memory_free(&memory);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_qemu, reset),
        cmocka_unit_test_setup(test_path_is_stripped, reset),
        cmocka_unit_test_setup(test_texts_are_cleaned_and_cut, reset),
        cmocka_unit_test_setup(test_text_runs_out_of_memory, reset),
        cmocka_unit_test_setup(test_not_multiboot, reset),
        cmocka_unit_test_setup(test_no_memory, reset),
        cmocka_unit_test_setup(test_memory_sizes_instead_of_map, reset),
        cmocka_unit_test_setup(test_broken_map_falls_back, reset),
        cmocka_unit_test_setup(test_hostile_map, reset),
        cmocka_unit_test_setup(test_long_map_keeps_reserved, reset),
        cmocka_unit_test_setup(test_kernel_in_no_memory, reset),
        cmocka_unit_test_setup(test_modules, reset),
        cmocka_unit_test_setup(test_bad_modules_are_refused, reset),
        cmocka_unit_test_setup(test_too_many_modules, reset),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
