/*
 * test_vm_params.c - what a configuration means for scheduler and monitor.
 */
#include "unit/test.h"

#include "vmm/vmk/vm_params.h"

#define TEXT_SIZE   256u

static struct vmx vmx;
static struct world_params world;
static struct vm_instance_params instance;

static void
parse(const char *from)
{
    static char text[TEXT_SIZE];

    strcpy(text, from);
    assert_int_equal(vmx_parse(&vmx, text, strlen(from)), OK);
    vm_instance_params(&vmx, &instance);
}

static void
test_defaults(void **state)
{
    (void)state;
    parse("");
    assert_true(vm_world_params(&vmx, &world));
    assert_int_equal(world.shares, WORLD_SHARES_NORMAL);
    assert_int_equal(world.min_permille, 0);
    assert_int_equal(world.max_permille, 0);
    assert_int_equal(world.affinity, 0);
    assert_int_equal(instance.memory_pages, 32 * 256);
    assert_int_equal(instance.engine, ENGINE_BT);
    assert_int_equal(instance.stress, 0);
    assert_int_equal(instance.misread, 0);
    assert_int_equal(instance.audit, 0);
}

static void
test_values(void **state)
{
    (void)state;
    parse("memsize = \"512\"\nvm.engine = \"INTERP\"\nvm.stress = \"7\"\n"
          "vm.audit = \"64\"\n"
          "sched.cpu.shares = \"high\"\nsched.cpu.min = \"10\"\n"
          "sched.cpu.max = \"50\"\n");
    assert_true(vm_world_params(&vmx, &world));
    assert_int_equal(world.shares, 2 * WORLD_SHARES_NORMAL);
    assert_int_equal(world.min_permille, 100);
    assert_int_equal(world.max_permille, 500);
    assert_int_equal(instance.memory_pages, 512 * 256);
    assert_int_equal(instance.shadow_pages, 512 * 256 / 32);
    assert_int_equal(instance.engine, ENGINE_INTERP);
    assert_int_equal(instance.stress, 7);
    assert_int_equal(instance.audit, 64);
    parse("sched.cpu.shares = \"low\"\nvm.engine = \"lockstep\"\n"
          "vm.misread = \"3000000000\"");
    assert_true(vm_world_params(&vmx, &world));
    assert_int_equal(world.shares, WORLD_SHARES_NORMAL / 2);
    assert_int_equal(instance.engine, ENGINE_LOCKSTEP);
    assert_int_equal(instance.misread, 3000000000u);
    parse("sched.cpu.shares = \"12345\"");
    assert_true(vm_world_params(&vmx, &world));
    assert_int_equal(world.shares, 12345);
}

static void
test_little_memory_has_shadows(void **state)
{
    (void)state;
    parse("memsize = \"4\"");
    assert_true(instance.shadow_pages >= SHADOW_PAGES_MIN);
}

/* The affinity TEXT means WANTED; 0: all; not at all where it is wrong. */
static void
affinity(const char *text, bool is_good, uint32_t wanted)
{
    char line[TEXT_SIZE];

    snprintf(line, sizeof(line), "sched.cpu.affinity = \"%s\"", text);
    parse(line);
    assert_int_equal(vm_world_params(&vmx, &world), is_good);
    if (is_good)
        assert_int_equal(world.affinity, wanted);
}

static void
test_affinity(void **state)
{
    static const char *const wrong[] = {
        "", ",", "1,", ",1", "x", "1 2", "32", "4294967296", "1,,2", "-1" };

    (void)state;
    affinity("all", true, 0);
    affinity("ALL", true, 0);
    affinity("0", true, 1);
    affinity("0,2,31", true, 0x80000005);
    for (unsigned n = 0; n < ARRAY_LEN(wrong); n++)
        affinity(wrong[n], false, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_little_memory_has_shadows),
        cmocka_unit_test(test_affinity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
