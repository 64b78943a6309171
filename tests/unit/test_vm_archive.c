/*
 * test_vm_archive.c - VMs and files found in archives that are made here.
 */
#include "unit/test.h"

#include "kernel/base/types.h"
#include "vmm/vmk/vm_archive.h"

#define ARCHIVE_MAX 4096u
#define REGULAR     0100644u
#define FOLDER      0040755u
#define LINK        0120777u

static struct {
    uint8_t bytes[ARCHIVE_MAX];
    size_t size;
} made[2];

static struct vm_archives archives;
static struct vm_archive_entry entry;

static void
add(unsigned n, const char *name, unsigned mode, const char *data)
{
    char *at = (char *)made[n].bytes + made[n].size;
    size_t size = (size_t)sprintf(at, "070701%08x%08x%08x%08x%08x%08x%08zx"
                                  "%08x%08x%08x%08x%08zx%08x%s", 1, mode, 0,
                                  0, 1, 0, strlen(data), 0, 0, 0, 0,
                                  strlen(name) + 1, 0, name);

    size = ROUND_UP(size + 1, 4u);
    strcpy(at + size, data);
    made[n].size += ROUND_UP(size + strlen(data), 4u);
}

static void
add_archive(unsigned n)
{
    assert_true(vm_archive_add(&archives, made[n].bytes, made[n].size));
}

static int
setup(void **state)
{
    (void)state;
    memset(made, 0, sizeof(made));
    memset(&archives, 0, sizeof(archives));
    add(0, ".", FOLDER, "");
    add(0, "./one", FOLDER, "");
    add(0, "./one/one.vmx", REGULAR, "memsize = \"4\"");
    add(0, "./one/linux", REGULAR, "a kernel");
    add(0, "./one/other.vmx", REGULAR, "");
    add(0, "./one/folder.vmx", FOLDER, "");
    add(0, "./one/link.vmx", LINK, "one.vmx");
    add(0, "./one/.vmx", REGULAR, "");
    add(0, "./top.vmx", REGULAR, "x");
    add(0, "a/b/deep.vmx", REGULAR, "y");
    add(0, "TRAILER!!!", 0, "");
    add(1, "one/linux", REGULAR, "another");
    add(1, "one/initrd", REGULAR, "more");
    add(1, "bad name/sp ace.vmx", REGULAR, "");
    add(1, "bad/a-name-of-20-letters.vmx", REGULAR, "");
    add(1, "bad\033/name.vmx", REGULAR, "");
    add(1, "012345678901234567890123456789012345678901234567890123456789abc"
           "/x.vmx", REGULAR, "");
    add(1, "good/a-name-of-19-chars.vmx", REGULAR, "");
    add(1, "TRAILER!!!", 0, "");
    return 0;
}

static void
next_is(unsigned n, const char *name, const char *folder)
{
    assert_int_equal(vm_archive_next(&archives, n, &entry), OK);
    assert_string_equal(entry.name, name);
    assert_string_equal(entry.folder, folder);
}

static void
test_finds_vms(void **state)
{
    (void)state;
    add_archive(0);
    next_is(0, "one", "one/");
    assert_int_equal(entry.text.size, strlen("memsize = \"4\""));
    assert_memory_equal(entry.text.bytes, "memsize = \"4\"",
                        entry.text.size);
    next_is(0, "other", "one/");
    /* ".vmx" alone is called like nothing. */
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_INVALID);
    next_is(0, "top", "");
    next_is(0, "deep", "a/b/");
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_NOT_FOUND);
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_NOT_FOUND);
}

static void
test_refuses_names(void **state)
{
    (void)state;
    add_archive(1);
    for (unsigned n = 0; n < 4; n++)
        assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_INVALID);
    assert_string_equal(entry.path + 64, "x.vmx");
    next_is(0, "a-name-of-19-chars", "good/");
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_NOT_FOUND);
}

static void
test_damaged(void **state)
{
    (void)state;
    assert_true(vm_archive_add(&archives, made[0].bytes,
                               made[0].size - 200));
    next_is(0, "one", "one/");
    next_is(0, "other", "one/");
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_INVALID);
    next_is(0, "top", "");
    assert_int_equal(vm_archive_next(&archives, 0, &entry), ERR_CORRUPT);
}

static void
found_is(const char *folder, const char *name, const char *data)
{
    struct vm_file file;

    assert_true(vm_archive_find(&archives, folder, name, &file));
    assert_int_equal(file.size, strlen(data));
    assert_memory_equal(file.bytes, data, file.size);
}

static void
test_finds_files(void **state)
{
    static char long_name[2 * KB(1)];
    struct vm_file file;

    (void)state;
    add_archive(0);
    add_archive(1);
    found_is("one/", "linux", "a kernel");
    found_is("one/", "initrd", "more");
    found_is("", "top.vmx", "x");
    assert_false(vm_archive_find(&archives, "one/", "lin", &file));
    assert_false(vm_archive_find(&archives, "two/", "linux", &file));
    assert_false(vm_archive_find(&archives, "one/", "folder.vmx", &file));
    memset(long_name, 'x', sizeof(long_name) - 1);
    assert_false(vm_archive_find(&archives, "one/", long_name, &file));
}

static void
test_what_is_an_archive(void **state)
{
    static const uint8_t gzip[256] = { 0x1f, 0x8b };

    (void)state;
    assert_true(vm_archive_is_one(made[0].bytes, made[0].size));
    assert_false(vm_archive_is_one(gzip, sizeof(gzip)));
    assert_false(vm_archive_is_one(made[0].bytes, 20));
    for (unsigned n = 0; n < VM_ARCHIVES_MAX; n++)
        add_archive(0);
    assert_false(vm_archive_add(&archives, made[0].bytes, made[0].size));
}

static void
test_names(void **state)
{
    static const char *const good[] = {
        "a", "Debian-12.0_test", "0", "a-name-of-19-chars." };
    static const char *const bad[] = {
        "", ".", ".hidden", "-f", "_x", "a b", "a/b", "a\n", "a,b", "\xe9",
        "a-name-of-20-chars.." };

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(good); n++)
        assert_true(vm_name_is_good(good[n]));
    for (unsigned n = 0; n < ARRAY_LEN(bad); n++)
        assert_false(vm_name_is_good(bad[n]));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_finds_vms, setup),
        cmocka_unit_test_setup(test_refuses_names, setup),
        cmocka_unit_test_setup(test_damaged, setup),
        cmocka_unit_test_setup(test_finds_files, setup),
        cmocka_unit_test_setup(test_what_is_an_archive, setup),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
