/*
 * test_multiboot_load.c - Multiboot kernels made here, ELF and plain.
 */
#include "unit/test.h"

#include "unit/boot_target.h"
#include "vmm/boot/multiboot_format.h"

#define MEMORY      MB(16)
#define HEADER_AT   0x100u
#define TEXT_AT     0x400u          /* in the image */
#define TEXT_SIZE   0x300u
#define TEXT_ADDR   MB(1)
#define TEXT_VADDR  0xc0000000u
#define BSS_SIZE    0x2345u

static uint8_t image[TEXT_AT + TEXT_SIZE];
static struct elf32_ehdr ehdr;
static struct elf32_phdr phdr[2];
static struct mb_header header;
static struct boot_target target;

/* The structures above, put into the image. */
static status_t
load(void)
{
    header.checksum = -(header.magic + header.flags);
    memcpy(image, &ehdr, sizeof(ehdr));
    memcpy(image + sizeof(ehdr), phdr, sizeof(phdr));
    memcpy(image + HEADER_AT, &header, sizeof(header));
    return direct_boot(&target.boot, &target.vcpu);
}

static void
refused(status_t status)
{
    assert_int_equal(load(), status);
    assert_non_null(target.boot.error);
}

static int
setup(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    memset(&header, 0, sizeof(header));
    for (unsigned n = 0; n < TEXT_SIZE; n++)
        image[TEXT_AT + n] = (uint8_t)(n ^ n >> 8);
    header.magic = MB_HEADER_MAGIC;
    header.flags = MB_KNOWN;
    ehdr = (struct elf32_ehdr){
        .e_machine = ELF_EM_386, .e_entry = TEXT_ADDR + 0x20,
        .e_phoff = sizeof(ehdr), .e_phentsize = sizeof(phdr[0]),
        .e_phnum = 1 };
    memcpy(ehdr.e_ident, ELF32_IDENT, sizeof(ehdr.e_ident));
    phdr[0] = (struct elf32_phdr){
        .p_type = ELF_PT_LOAD, .p_offset = TEXT_AT, .p_vaddr = TEXT_ADDR,
        .p_paddr = TEXT_ADDR, .p_filesz = TEXT_SIZE,
        .p_memsz = TEXT_SIZE + BSS_SIZE };
    phdr[1] = phdr[0];
    boot_target_init(&target, MEMORY);
    memset(target.bytes + TEXT_ADDR, 0xee, TEXT_SIZE + BSS_SIZE + 16);
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

static struct mb_info
loaded_info(void)
{
    struct mb_info info;

    assert_int_equal(load(), OK);
    assert_int_equal(target.vcpu.cpu.gpr[GPR_EAX], MB_LOADER_MAGIC);
    memcpy(&info, target.bytes + target.vcpu.cpu.gpr[GPR_EBX], sizeof(info));
    return info;
}

static void
test_elf(void **state)
{
    (void)state;
    assert_int_equal(load(), OK);
    assert_int_equal(target.vcpu.cpu.eip, TEXT_ADDR + 0x20);
    assert_memory_equal(target.bytes + TEXT_ADDR, image + TEXT_AT, TEXT_SIZE);
    for (uint32_t n = TEXT_SIZE; n < TEXT_SIZE + BSS_SIZE; n++)
        assert_int_equal(target.bytes[TEXT_ADDR + n], 0);
    assert_int_equal(target.bytes[TEXT_ADDR + TEXT_SIZE + BSS_SIZE], 0xee);
}

/* A kernel linked high names its entry by the address it is linked at. */
static void
test_linear_entry(void **state)
{
    (void)state;
    phdr[0].p_vaddr = TEXT_VADDR;
    ehdr.e_entry = TEXT_VADDR + 0x40;
    assert_int_equal(load(), OK);
    assert_int_equal(target.vcpu.cpu.eip, TEXT_ADDR + 0x40);
}

static void
test_plain(void **state)
{
    (void)state;
    memset(&ehdr, 0, sizeof(ehdr));
    header.flags |= MB_AOUT_KLUDGE;
    header.header_addr = TEXT_ADDR;         /* loaded from the header on */
    header.load_addr = TEXT_ADDR;
    header.load_end_addr = 0;               /* the whole image */
    header.bss_end_addr = TEXT_ADDR + sizeof(image) + 0x100;
    header.entry_addr = TEXT_ADDR + 0x300;
    assert_int_equal(load(), OK);
    assert_int_equal(target.vcpu.cpu.eip, TEXT_ADDR + 0x300);
    assert_memory_equal(target.bytes + TEXT_ADDR, image + HEADER_AT,
                        sizeof(image) - HEADER_AT);
    assert_int_equal(target.bytes[header.bss_end_addr - 1], 0);
    assert_int_equal(target.bytes[header.bss_end_addr], 0xee);
    header.load_addr = TEXT_ADDR + 4;
    refused(ERR_CORRUPT);
    header.load_addr = TEXT_ADDR - HEADER_AT - 4;
    refused(ERR_CORRUPT);
    header.load_addr = TEXT_ADDR;
    header.load_end_addr = TEXT_ADDR + sizeof(image);
    refused(ERR_CORRUPT);
    header.load_end_addr = TEXT_ADDR - 1;
    refused(ERR_CORRUPT);
}

static void
test_information(void **state)
{
    static const uint8_t first[100] = { 1 }, second[5000] = { 2 };
    const struct guest_module modules[] = {
        { { first, sizeof(first) }, "first one" },
        { { second, sizeof(second) }, "second" },
    };
    struct mb_module list[2];
    struct mb_mmap_entry entry;
    struct mb_info info;

    (void)state;
    target.boot.command_line = "kernel root=x";
    target.boot.modules = modules;
    target.boot.module_count = ARRAY_LEN(modules);
    info = loaded_info();
    assert_string_equal((char *)target.bytes + info.cmdline, "kernel root=x");
    assert_int_equal(info.mem_lower, 639);
    assert_int_equal(info.mem_upper, (MEMORY - MB(1)) / 1024);
    assert_int_equal(info.mods_count, 2);
    memcpy(list, target.bytes + info.mods_addr, sizeof(list));
    for (unsigned n = 0; n < ARRAY_LEN(list); n++) {
        const struct guest_module *m = &modules[n];

        assert_int_equal(list[n].mod_start % PAGE_SIZE, 0);
        assert_int_equal(list[n].mod_end - list[n].mod_start, m->image.size);
        assert_memory_equal(target.bytes + list[n].mod_start,
                            m->image.bytes, m->image.size);
        assert_string_equal((char *)target.bytes + list[n].cmdline,
                            m->command_line);
    }
    assert_true(list[0].mod_start >= TEXT_ADDR + TEXT_SIZE + BSS_SIZE);
    assert_true(list[1].mod_start >= list[0].mod_end);
    assert_int_equal(info.mmap_length, 4 * sizeof(entry));
    memcpy(&entry, target.bytes + info.mmap_addr + 3 * sizeof(entry),
           sizeof(entry));
    assert_int_equal(entry.size, 20);
    assert_true(entry.addr == MB(1) && entry.len == MEMORY - MB(1));
}

static void
test_wrong_segments(void **state)
{
    (void)state;
    phdr[0].p_filesz = TEXT_SIZE + 1;
    refused(ERR_CORRUPT);
    phdr[0].p_filesz = TEXT_SIZE;
    phdr[0].p_offset = UINT32_MAX;
    refused(ERR_CORRUPT);
    phdr[0].p_offset = TEXT_AT;
    phdr[0].p_memsz = UINT32_MAX;
    refused(ERR_NO_MEMORY);
    phdr[0].p_memsz = TEXT_SIZE;
    phdr[0].p_paddr = 0xfffff000;
    refused(ERR_NO_MEMORY);
    phdr[0].p_paddr = PC_VIDEO_BASE;
    refused(ERR_NO_MEMORY);
    phdr[0].p_paddr = TEXT_ADDR;
    assert_int_equal(load(), OK);
}

static void
test_wrong_headers(void **state)
{
    (void)state;
    ehdr.e_phnum = UINT16_MAX;
    refused(ERR_UNSUPPORTED);
    ehdr.e_phnum = ELF_PHNUM_MAX;
    ehdr.e_phoff = UINT32_MAX;
    refused(ERR_CORRUPT);
    ehdr.e_phentsize = 8;
    refused(ERR_UNSUPPORTED);
    ehdr.e_machine = 62;
    refused(ERR_UNSUPPORTED);
    header.flags |= BIT(2);
    refused(ERR_UNSUPPORTED);
    header.magic = 0;
    refused(ERR_UNSUPPORTED);
}

static void
test_too_many_things(void **state)
{
    static const uint8_t byte[1];
    struct guest_module modules[GUEST_MODULES_MAX + 1];

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(modules); n++)
        modules[n] = (struct guest_module){ { byte, 1 }, "" };
    target.boot.modules = modules;
    target.boot.module_count = GUEST_MODULES_MAX;
    assert_int_equal(load(), OK);
    target.boot.module_count++;
    refused(ERR_INVALID);
    target.boot.module_count = 1;
    modules[0].image.size = MEMORY;
    refused(ERR_NO_MEMORY);
    /* A module that leaves no room for what is said of it. */
    modules[0].image.bytes = calloc(1, MEMORY);
    modules[0].image.size = MEMORY - MB(2);
    target.boot.module_count = 1;
    assert_int_equal(load(), OK);
    modules[0].image.size = MEMORY - TEXT_ADDR -
        ROUND_UP(TEXT_SIZE + BSS_SIZE, PAGE_SIZE);
    refused(ERR_NO_MEMORY);
    free((void *)(uintptr_t)modules[0].image.bytes);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_elf),
        TEST(test_linear_entry),
        TEST(test_plain),
        TEST(test_information),
        TEST(test_wrong_segments),
        TEST(test_wrong_headers),
        TEST(test_too_many_things),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
