/*
 * test_vmx.c - .vmx files: what is accepted, what is refused and with which
 * words.
 */
#include "unit/test.h"

#include "vmm/config/vmx.h"

static struct vmx vmx;

static status_t
parse(const char *text)
{
    static char copy[VMX_SIZE_MAX + 2];
    size_t size = strlen(text);

    memcpy(copy, text, size);
    return vmx_parse(&vmx, copy, size);
}

static void
refused(const char *text, const char *message)
{
    assert_int_not_equal(parse(text), OK);
    assert_string_equal(vmx.message, message);
}

static void
test_reads(void **state)
{
    (void)state;
    assert_int_equal(parse("# a VM\n\n"
                           "  memsize=\"64\"\r\n"
                           "Boot.Kernel = \"linux\"  # comment\n"
                           "\tboot.cmdline\t=\t\"a=b \\c #d\"\n"
                           "boot.module3.cmdline = \"\"\n"
                           "tools.syncTime = \"true\""), OK);
    assert_int_equal(vmx.count, 5);
    assert_int_equal(vmx_uint(&vmx, "memsize"), 64);
    assert_string_equal(vmx_text(&vmx, "boot.kernel"), "linux");
    assert_string_equal(vmx_text(&vmx, "boot.cmdline"), "a=b \\c #d");
    assert_string_equal(vmx_text(&vmx, "boot.module3.cmdline"), "");
    assert_true(vmx_bool(&vmx, "tools.synctime"));
    assert_string_equal(vmx.entry[1].key, "Boot.Kernel");
    assert_int_equal(vmx.entry[1].line, 4);
}

static void
test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse(""), OK);
    assert_int_equal(vmx.count, 0);
    assert_int_equal(vmx_uint(&vmx, "memsize"), 32);
    assert_string_equal(vmx_text(&vmx, "vm.engine"), "bt");
    assert_false(vmx_bool(&vmx, "ethernet0.present"));
    assert_true(vmx_bool(&vmx, "sched.mem.pshare.enable"));
    assert_null(vmx_text(&vmx, "boot.kernel"));
    assert_null(vmx_text(&vmx, "no.such.key"));
    assert_int_equal(vmx_uint(&vmx, "no.such.key"), 0);
}

static void
test_escapes(void **state)
{
    (void)state;
    assert_int_equal(parse("annotation = \"a|22b|7Cc|0a|E9\""), OK);
    assert_string_equal(vmx_text(&vmx, "annotation"), "a\"b|c\n\xe9");
    refused("annotation = \"|2\"", "line 1: the value does not end, or a "
            "wrong | in it");
    refused("annotation = \"|", "line 1: the value does not end, or a "
            "wrong | in it");
    refused("annotation = \"|00\"", "line 1: the value does not end, or a "
            "wrong | in it");
}

static void
test_unknown_keys_are_kept(void **state)
{
    (void)state;
    assert_int_equal(parse("memsize = \"8\"\nusb.present = \"maybe\"\n"), OK);
    assert_int_equal(vmx.count, 2);
    assert_non_null(vmx.entry[0].known);
    assert_null(vmx.entry[1].known);
    assert_string_equal(vmx_text(&vmx, "usb.present"), "maybe");
}

static void
test_indices(void **state)
{
    static const char *const known[] = {
        "ide1:0.present", "ethernet15.present", "SCSI0:6.present" };
    static const char *const unknown[] = {
        "ide1.present", "ethernet16.present", "ethernet.present",
        "ethernet01.present", "ethernet4294967297.present", "ide1:.present",
        "memsize2", "memsiz" };
    char line[80];

    (void)state;
    for (unsigned n = 0; n < ARRAY_LEN(known); n++) {
        snprintf(line, sizeof(line), "%s = \"FALSE\"", known[n]);
        assert_int_equal(parse(line), OK);
        assert_non_null(vmx.entry[0].known);
    }
    for (unsigned n = 0; n < ARRAY_LEN(unknown); n++) {
        snprintf(line, sizeof(line), "%s = \"x\"", unknown[n]);
        assert_int_equal(parse(line), OK);
        assert_null(vmx.entry[0].known);
    }
}

static void
test_wrong_values(void **state)
{
    (void)state;
    refused("\nmemsize = \"33\"", "line 2: memsize is \"33\"; expected a "
            "multiple of 4 from 4 to 3584");
    refused("memsize = \"5000\"", "line 1: memsize is \"5000\"; expected a "
            "multiple of 4 from 4 to 3584");
    refused("memsize = \"4294967300\"", "line 1: memsize is \"4294967300\"; "
            "expected a multiple of 4 from 4 to 3584");
    refused("numvcpus = \"2\"", "line 1: numvcpus is \"2\"; expected 1 to 1");
    refused("vm.engine = \"in\"", "line 1: vm.engine is \"in\"; expected "
            "interp|bt|lockstep");
    refused("vm.engine = \"interp|7Cbt\"", "line 1: vm.engine is "
            "\"interp|bt\"; expected interp|bt|lockstep");
    refused("vm.engine = \"\"", "line 1: vm.engine is \"\"; expected "
            "interp|bt|lockstep");
    refused("sched.cpu.shares = \"0\"", "line 1: sched.cpu.shares is \"0\"; "
            "expected low|normal|high or 1 to 100000");
    refused("boot.kernel = \"../x\"", "line 1: boot.kernel is \"../x\"; "
            "expected a file name without a folder");
    refused("boot.initrd = \"..\"", "line 1: boot.initrd is \"..\"; "
            "expected a file name without a folder");
    refused("boot.initrd = \"\"", "line 1: boot.initrd is \"\"; "
            "expected a file name without a folder");
    refused("tools.syncTime = \"yes\"", "line 1: tools.syncTime is \"yes\"; "
            "expected TRUE|FALSE");
    assert_int_equal(parse("sched.cpu.shares = \"HIGH\""), OK);
    assert_int_equal(parse("sched.cpu.shares = \"100000\""), OK);
    assert_int_equal(parse("vm.engine = \"Lockstep\""), OK);
}

static void
test_wrong_lines(void **state)
{
    (void)state;
    refused("memsize", "line 1: expected key = \"value\"");
    refused("= \"1\"", "line 1: expected key = \"value\"");
    refused("two words = \"1\"", "line 1: expected key = \"value\"");
    refused("a = 1", "line 1: expected a value in quotes");
    refused("a =", "line 1: expected a value in quotes");
    refused("\n\na = \"1", "line 3: the value does not end, or a wrong | in "
            "it");
    refused("a = \"1\" b", "line 1: something behind the value");
    refused("memsize = \"8\"\nMEMSIZE = \"8\"",
            "line 2: the key is there already: MEMSIZE");
}

static void
test_limits(void **state)
{
    static char text[VMX_SIZE_MAX + 2];
    char *s = text;

    (void)state;
    for (unsigned n = 0; n <= VMX_ENTRIES_MAX; n++)
        s += sprintf(s, "key.%u = \"\"\n", n);
    assert_int_equal(vmx_parse(&vmx, text, (size_t)(s - text)), ERR_FULL);
    assert_string_equal(vmx.message, "line 257: too many keys");
    memset(text, '\n', sizeof(text));
    assert_int_equal(vmx_parse(&vmx, text, VMX_SIZE_MAX), OK);
    assert_int_equal(vmx_parse(&vmx, text, VMX_SIZE_MAX + 1), ERR_FULL);
    memset(text, 0, sizeof(text));
    assert_int_equal(vmx_parse(&vmx, text, 5), ERR_SYNTAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_unknown_keys_are_kept),
        cmocka_unit_test(test_indices),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
