/*
 * test_cpio.c - archives made here, good ones and broken ones.
 */
#include "unit/test.h"

#include "kernel/base/types.h"
#include "vmm/boot/cpio.h"

#define ARCHIVE_MAX 4096u
#define REGULAR     0100644u
#define FOLDER      0040755u

static uint8_t archive[ARCHIVE_MAX];
static struct cpio cpio;

static void
align(void)
{
    cpio.size = ROUND_UP(cpio.size, 4u);
}

static void
add(const char *name, unsigned mode, const char *data)
{
    size_t length = strlen(data);

    cpio.size += (size_t)sprintf(
        (char *)archive + cpio.size,
        "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zX%08x", 1,
        mode, 0, 0, 1, 0, length, 0, 0, 0, 0, strlen(name) + 1, 0);
    memcpy(archive + cpio.size, name, strlen(name) + 1);
    cpio.size += strlen(name) + 1;
    align();
    memcpy(archive + cpio.size, data, length);
    cpio.size += length;
    align();
}

static int
setup(void **state)
{
    (void)state;
    memset(archive, 0, sizeof(archive));
    cpio = (struct cpio){ archive, 0, 0 };
    add(".", FOLDER, "");
    add("./vm", FOLDER, "");
    add("./vm/vm.vmx", REGULAR, "memsize = \"64\"\n");
    add("/vm/empty", REGULAR, "");
    add("vm/linux", REGULAR, "a kernel");
    add("TRAILER!!!", 0, "");
    return 0;
}

static void
test_all_members(void **state)
{
    static const char *const names[] = {
        ".", "vm", "vm/vm.vmx", "vm/empty", "vm/linux" };
    struct cpio_file file;

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(names); n++) {
        assert_int_equal(cpio_next(&cpio, &file), OK);
        assert_string_equal(file.name, names[n]);
        assert_int_equal(file.is_regular, n >= 2);
    }
    assert_int_equal(file.size, strlen("a kernel"));
    assert_memory_equal(file.bytes, "a kernel", file.size);
    assert_int_equal(cpio_next(&cpio, &file), ERR_NOT_FOUND);
    assert_int_equal(cpio_next(&cpio, &file), ERR_NOT_FOUND);
}

static void
test_find(void **state)
{
    struct cpio_file file;

    (void)state;
    assert_int_equal(cpio_find(&cpio, "vm/vm.vmx", &file), OK);
    assert_int_equal(file.size, 15);
    assert_int_equal(cpio_find(&cpio, "vm/empty", &file), OK);
    assert_int_equal(file.size, 0);
    /* Folders are no files, nor are parts of a name. */
    assert_int_equal(cpio_find(&cpio, "vm", &file), ERR_NOT_FOUND);
    assert_int_equal(cpio_find(&cpio, "vm/linu", &file), ERR_NOT_FOUND);
    assert_int_equal(cpio_find(&cpio, "TRAILER!!!", &file), ERR_NOT_FOUND);
}

static void
test_cut_short(void **state)
{
    (void)state;
    for (size_t size = 0; size < cpio.size; size++) {
        uint8_t *copy = malloc(size + 1);
        struct cpio cut = { copy, size, 0 };
        struct cpio_file file;
        status_t status;

        memcpy(copy, archive, size);
        while ((status = cpio_next(&cut, &file)) == OK)
            continue;
        /* The trailer's padding may be missing. */
        assert_int_equal(status, size + 4 > cpio.size ? ERR_NOT_FOUND
                                                      : ERR_CORRUPT);
        free(copy);
    }
}

/* Change the bytes at OFFSET of the first member's header. */
static void
refused(size_t offset, const char *bytes)
{
    struct cpio_file file;
    uint8_t saved[16];

    memcpy(saved, archive + offset, sizeof(saved));
    memcpy(archive + offset, bytes, strlen(bytes));
    cpio.at = 0;
    assert_int_equal(cpio_next(&cpio, &file), ERR_CORRUPT);
    memcpy(archive + offset, saved, sizeof(saved));
    assert_int_equal(cpio_next(&cpio, &file), OK);
}

static void
test_wrong_headers(void **state)
{
    (void)state;
    refused(0, "070707");
    refused(14, "0000g1ff");
    refused(14, "00:01");
    refused(54, "ffffffff");
    refused(54, "fffffffd");
    refused(94, "ffffffff");
    refused(94, "00000000");
    refused(94, "00000001");
    refused(94, "00000003");
    refused(110, "..");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_members, setup),
        cmocka_unit_test_setup(test_find, setup),
        cmocka_unit_test_setup(test_cut_short, setup),
        cmocka_unit_test_setup(test_wrong_headers, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
