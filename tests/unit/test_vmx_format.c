/*
 * test_vmx_format.c - a configuration written out, with a change, and which
 * word a value is.
 */
#include "unit/test.h"

#include "vmm/config/vmx.h"

#define TEXT_SIZE   512u

static struct vmx vmx;
static char source[TEXT_SIZE], text[TEXT_SIZE];

static void
parse(const char *from)
{
    strcpy(source, from);
    assert_int_equal(vmx_parse(&vmx, source, strlen(from)), OK);
}

/* With KEY set to VALUE the text is WANTED. */
static void
changed(const char *key, const char *value, const char *wanted)
{
    struct vmx_change change = { key, value };

    assert_int_equal(vmx_format(&vmx, &change, text, sizeof(text)),
                     strlen(wanted));
    assert_string_equal(text, wanted);
}

static void
test_unchanged(void **state)
{
    const char *wanted = "memsize = \"64\"\nother.key = \"x y\"\n";

    (void)state;
    parse("# comment\n\nmemsize=\"64\"\r\n  other.key =\t\"x y\" # too\n");
    assert_int_equal(vmx_format(&vmx, NULL, text, sizeof(text)),
                     strlen(wanted));
    assert_string_equal(text, wanted);
    parse("");
    assert_int_equal(vmx_format(&vmx, NULL, text, sizeof(text)), 0);
    assert_string_equal(text, "");
}

static void
test_changes(void **state)
{
    (void)state;
    parse("memsize = \"64\"\nboot.kernel = \"linux\"\n");
    changed("memsize", "32", "memsize = \"32\"\nboot.kernel = \"linux\"\n");
    changed("MemSize", "32", "memsize = \"32\"\nboot.kernel = \"linux\"\n");
    changed("boot.kernel", NULL, "memsize = \"64\"\n");
    changed("new", "1",
            "memsize = \"64\"\nboot.kernel = \"linux\"\nnew = \"1\"\n");
    changed("new", NULL, "memsize = \"64\"\nboot.kernel = \"linux\"\n");
    changed("mem", "1",
            "memsize = \"64\"\nboot.kernel = \"linux\"\nmem = \"1\"\n");
}

/* Every byte but 0 comes back as it was. */
static void
test_escapes(void **state)
{
    char value[256];
    struct vmx_change change = { "k", value };
    static char long_text[4 * 256];
    static struct vmx read;
    size_t size;

    (void)state;
    for (unsigned n = 0; n < 255; n++)
        value[n] = (char)(n + 1);
    value[255] = '\0';
    parse("");
    size = vmx_format(&vmx, &change, long_text, sizeof(long_text));
    assert_true(size < sizeof(long_text) - 1);
    assert_null(strchr(strchr(long_text, '"') + 1, '\x01'));
    assert_int_equal(vmx_parse(&read, long_text, size), OK);
    assert_int_equal(read.count, 1);
    assert_string_equal(vmx_text(&read, "k"), value);
}

static void
test_no_room(void **state)
{
    char small[8];

    (void)state;
    parse("memsize = \"64\"");
    memset(small, 'x', sizeof(small));
    assert_int_equal(vmx_format(&vmx, NULL, small, 5), 15);
    assert_string_equal(small, "mems");
    assert_int_equal(small[5], 'x');
    assert_int_equal(vmx_format(&vmx, NULL, NULL, 0), 15);
    assert_int_equal(vmx_format(&vmx, NULL, small, 1), 15);
    assert_string_equal(small, "");
}

static void
test_words(void **state)
{
    (void)state;
    parse("");
    assert_int_equal(vmx_word(&vmx, "vm.engine"), 1);
    assert_int_equal(vmx_word(&vmx, "sched.cpu.shares"), 1);
    assert_int_equal(vmx_word(&vmx, "memsize"), VMX_NO_WORD);
    assert_int_equal(vmx_word(&vmx, "unknown"), VMX_NO_WORD);
    parse("VM.Engine = \"Lockstep\"\nsched.cpu.shares = \"17\"");
    assert_int_equal(vmx_word(&vmx, "vm.engine"), 2);
    assert_int_equal(vmx_word(&vmx, "sched.cpu.shares"), VMX_NO_WORD);
    parse("vm.engine = \"interp\"");
    assert_int_equal(vmx_word(&vmx, "vm.engine"), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unchanged),
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
