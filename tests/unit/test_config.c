/*
 * test_config.c - the VMkernel's own options: defaults, and that each key sets
 * its field.  How values are parsed and refused is test_options.c's business.
 */
#include "unit/test.h"

#include "kernel/base/log.h"
#include "kernel/base/memory_map.h"
#include "kernel/config.h"
#include "kernel/sandbox.h"

static void
check_defaults(void)
{
    assert_int_equal(config->console, CONSOLE_SERIAL | CONSOLE_VGA);
    assert_int_equal(config->serial_port, 1);
    assert_int_equal(config->serial_baud, 115200);
    assert_int_equal(config->log_level, LOG_INFO);
    assert_int_equal(config->cpus, CONFIG_CPUS_MAX);
    assert_true(config->mem == MEMORY_LIMIT);
    assert_true(config->acpi);
    assert_true(config->apic);
    assert_int_equal(config->vmm_sandbox, SANDBOX_AUTO);
}

static void
test_defaults_before_init(void **state)
{
    (void)state;
    check_defaults();
}

static void
test_empty_command_line(void **state)
{
    (void)state;
    config_init("");
    check_defaults();
}

static void
test_every_key(void **state)
{
    (void)state;
    config_init("console=vga serial.port=com2 serial.baud=9600 log=debug "
                "cpus=4 mem=256M acpi=off apic=off vmm.sandbox=paging");
    assert_int_equal(config->console, CONSOLE_VGA);
    assert_int_equal(config->serial_port, 2);
    assert_int_equal(config->serial_baud, 9600);
    assert_int_equal(config->log_level, LOG_DEBUG);
    assert_int_equal(config->cpus, 4);
    assert_true(config->mem == MB(256));
    assert_false(config->acpi);
    assert_false(config->apic);
    assert_int_equal(config->vmm_sandbox, SANDBOX_PAGING);
}

static void
test_plain_names_no_device(void **state)
{
    (void)state;
    config_init("console=plain");
    assert_int_equal(config->console,
                     CONSOLE_SERIAL | CONSOLE_VGA | CONSOLE_PLAIN);
    config_init("console=serial,plain");
    assert_int_equal(config->console, CONSOLE_SERIAL | CONSOLE_PLAIN);
}

static void
test_wrong_options_leave_defaults(void **state)
{
    (void)state;
    config_init("console=printer serial.baud=110 log=loud cpus=0 mem=31M "
                "acpi=maybe apic vmm.sandbox=none serial.port=com3 nonsense");
    check_defaults();
    config_init("cpus=256 mem=65G");
    check_defaults();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_before_init),
        cmocka_unit_test(test_empty_command_line),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_plain_names_no_device),
        cmocka_unit_test(test_wrong_options_leave_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
