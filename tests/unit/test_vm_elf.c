/*
 * test_vm_elf.c - the monitor's ELF file: a good one, and what is refused.
 */
#include "unit/test.h"

#include "kernel/base/addr.h"
#include "vmm/boot/multiboot_format.h"
#include "vmm/vmk/vm_elf.h"

#define PAGES       4u
#define HEADERS     (VM_ELF_SEGMENTS + 1)
#define ENTRY       0xffe00010u
#define TEXT_AT     0xffe00000u
#define DATA_AT     0xffe01000u
#define BSS_SIZE    0x2345u
#define FLAGS_RX    5u
#define FLAGS_RW    6u

/* A file of an ELF header, program headers and two pages of contents. */
struct file {
    struct elf32_ehdr header;
    struct elf32_phdr segment[HEADERS];
    uint8_t rest[PAGES * PAGE_SIZE - sizeof(struct elf32_ehdr) -
                 HEADERS * sizeof(struct elf32_phdr)];
};

static struct file
good_file(void)
{
    struct file f = {
        .header = { .e_machine = ELF_EM_386, .e_entry = ENTRY,
                    .e_phoff = offsetof(struct file, segment),
                    .e_phentsize = sizeof(struct elf32_phdr),
                    .e_phnum = 3 },
        .segment = {
            { ELF_PT_LOAD, PAGE_SIZE, TEXT_AT, 0, PAGE_SIZE, PAGE_SIZE,
              FLAGS_RX, PAGE_SIZE },
            { ELF_PT_LOAD + 1, 0, 0, 0, 0, 0, 0, 0 },
            { ELF_PT_LOAD, 2 * PAGE_SIZE, DATA_AT, 0, 16, BSS_SIZE, FLAGS_RW,
              PAGE_SIZE },
        }
    };

    memcpy(f.header.e_ident, ELF32_IDENT, ELF_IDENT_CHECKED);
    return f;
}

static status_t
read_file(const struct file *f, size_t size, struct vm_elf *elf)
{
    /* Bytes of their own, so that reading beyond the end is noticed. */
    uint8_t *bytes = malloc(size);
    status_t status;

    memcpy(bytes, f, size);
    status = vm_elf_read(bytes, size, elf);
    for (unsigned n = 0; status == OK && n < elf->count; n++)
        assert_memory_equal(elf->segment[n].bytes,
                            (const uint8_t *)f +
                            (elf->segment[n].bytes - bytes),
                            elf->segment[n].file_size);
    free(bytes);
    return status;
}

static void
test_good(void **state)
{
    struct file f = good_file();
    struct vm_elf elf;

    (void)state;
    assert_int_equal(read_file(&f, sizeof(f), &elf), OK);
    assert_int_equal(elf.entry, ENTRY);
    assert_int_equal(elf.count, 2);
    assert_int_equal(elf.segment[0].address, TEXT_AT);
    assert_int_equal(elf.segment[0].file_size, PAGE_SIZE);
    assert_true(elf.segment[0].is_executable);
    assert_false(elf.segment[0].is_writable);
    assert_int_equal(elf.segment[1].address, DATA_AT);
    assert_int_equal(elf.segment[1].memory_size, BSS_SIZE);
    assert_int_equal(elf.segment[1].bytes - elf.segment[0].bytes, PAGE_SIZE);
    assert_true(elf.segment[1].is_writable);
    assert_false(elf.segment[1].is_executable);
}

/* An empty file is what a build without a monitor leaves. */
static void
test_short(void **state)
{
    struct file f = good_file();
    struct vm_elf elf;

    (void)state;
    for (size_t size = 0; size < sizeof(f.header) + sizeof(f.segment); size++)
        if (size < offsetof(struct file, segment[f.header.e_phnum]))
            assert_int_equal(read_file(&f, size, &elf), ERR_CORRUPT);
    assert_int_equal(read_file(&f, 2 * PAGE_SIZE + 15, &elf), ERR_CORRUPT);
    assert_int_equal(read_file(&f, 2 * PAGE_SIZE + 16, &elf), OK);
}

static void
test_refused(void **state)
{
    static const struct {
        size_t offset;
        uint32_t value;
    } wrong[] = {
        { offsetof(struct elf32_ehdr, e_ident), 0 },
        { offsetof(struct elf32_ehdr, e_phoff), UINT32_MAX },
        { offsetof(struct elf32_ehdr, e_phoff), PAGES * PAGE_SIZE - 95 },
        { offsetof(struct file, segment[0].p_offset), UINT32_MAX & ~0xfffu },
        { offsetof(struct file, segment[0].p_offset), 16 },
        { offsetof(struct file, segment[0].p_vaddr), TEXT_AT + 1 },
        { offsetof(struct file, segment[0].p_memsz), PAGE_SIZE - 1 },
        { offsetof(struct file, segment[2].p_memsz), UINT32_MAX },
        { offsetof(struct file, segment[2].p_filesz), UINT32_MAX },
    };

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(wrong); n++) {
        struct file f = good_file();
        struct vm_elf elf;

        memcpy((uint8_t *)&f + wrong[n].offset, &wrong[n].value,
               sizeof(wrong[n].value));
        assert_int_equal(read_file(&f, sizeof(f), &elf), ERR_CORRUPT);
    }
}

static void
test_too_many(void **state)
{
    struct file f = good_file();
    struct vm_elf elf;

    (void)state;
    for (unsigned n = 0; n < HEADERS; n++)
        f.segment[n] = f.segment[0];
    f.header.e_phnum = VM_ELF_SEGMENTS;
    assert_int_equal(read_file(&f, sizeof(f), &elf), OK);
    assert_int_equal(elf.count, VM_ELF_SEGMENTS);
    f.header.e_phnum = VM_ELF_SEGMENTS + 1;
    assert_int_equal(read_file(&f, sizeof(f), &elf), ERR_CORRUPT);
    f.header.e_phnum = UINT16_MAX;
    assert_int_equal(read_file(&f, sizeof(f), &elf), ERR_CORRUPT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
