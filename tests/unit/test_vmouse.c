/*
 * test_vmouse.c - vmm/dev/vmouse.c: commands, packets, and the wheel.
 */
#include "unit/test.h"

#include "vmm/dev/vmouse.h"

static struct vmouse mouse;

static void
tell(unsigned byte)
{
    vmouse_write(&mouse, (uint8_t)byte);
}

static void
expect(const char *hex)
{
    unsigned expected;
    uint8_t byte;
    int used;

    for (; sscanf(hex, "%x%n", &expected, &used) == 1; hex += used) {
        assert_true(vmouse_read(&mouse, &byte));
        if (byte != expected)
            fail_msg("%02x instead of %s", byte, hex);
    }
    assert_false(vmouse_read(&mouse, &byte));
}

static void
move(int x, int y, int wheel, unsigned buttons)
{
    const struct mouse_motion motion = {
        (int16_t)x, (int16_t)y, (int16_t)wheel, (uint8_t)buttons };

    vmouse_move(&mouse, &motion);
}

static int
setup(void **state)
{
    (void)state;
    vdev_power_on(&(struct vdev){ &vmouse_type, &mouse });
    return 0;
}

static void
test_mouse_commands(void **state)
{
    (void)state;
    tell(0xff);
    expect("fa aa 00");
    tell(0xf2);
    expect("fa 00");
    tell(0xe9);
    expect("fa 00 02 64");
    tell(0xe8);
    expect("fa");
    tell(3);
    expect("fa");
    tell(0xe7);
    expect("fa");
    tell(0xf4);
    expect("fa");
    tell(0xf3);
    expect("fa");
    tell(40);
    expect("fa");
    tell(0xe9);
    expect("fa 30 03 28");
    tell(0xf6);
    expect("fa");
    tell(0xe9);
    expect("fa 00 02 64");
    tell(0xe1);
    expect("fe");
    tell(0xe8);
    expect("fa");
    tell(4);
    expect("fc");
    tell(0xee);
    expect("fa");
    tell(0x12);
    expect("12");
    tell(0xf4);
    expect("f4");
    tell(0xec);
    expect("fa");
    tell(0xfe);
    expect("fa");
}

static void
test_mouse_packets(void **state)
{
    (void)state;
    move(5, 5, 0, 0);
    expect("");
    tell(0xf4);
    expect("fa");
    move(5, 3, 0, MOUSE_LEFT);
    expect("29 05 fd");
    move(-1, -2, 9, MOUSE_RIGHT | MOUSE_MIDDLE);
    expect("1e ff 02");
    move(0, 0, 0, MOUSE_RIGHT | MOUSE_MIDDLE);
    expect("");
    /* Sums up while the guest does not read; large ones in parts. */
    move(1, 0, 0, 0);
    move(300, 0, 0, 0);
    move(300, 0, 0, 0);
    expect("08 ff 00 08 ff 00 08 5b 00");
    move(32767, 0, 0, 0);
    move(32767, -32768, 0, 0);
    tell(0xf5);
    expect("fa");
    /* Remote: only when asked. */
    tell(0xf0);
    expect("fa");
    tell(0xf4);
    expect("fa");
    move(2, 0, 0, 0);
    expect("");
    tell(0xeb);
    expect("fa 08 02 00");
    /* Scaling 2:1 */
    tell(0xea);
    expect("fa");
    tell(0xe7);
    expect("fa");
    move(2, -3, 0, 0);
    expect("08 01 03");
    move(-20, 0, 0, 0);
    expect("18 d8 00");
}

static void
test_wheel(void **state)
{
    static const uint8_t rates[] = { 200, 100, 80 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rates); i++) {
        tell(0xf3);
        expect("fa");
        tell(rates[i]);
        expect("fa");
    }
    tell(0xf2);
    expect("fa 03");
    tell(0xf4);
    expect("fa");
    move(0, 0, 1, 0);
    expect("08 00 00 01");
    move(1, 0, -9, 0);
    expect("08 01 00 f9 08 00 00 fe");
    tell(0xff);
    expect("fa aa 00");
    tell(0xf2);
    expect("fa 00");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_mouse_commands, setup),
        cmocka_unit_test_setup(test_mouse_packets, setup),
        cmocka_unit_test_setup(test_wheel, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
