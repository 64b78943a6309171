/*
 * test_vps2.c - vmm/dev/vps2.c and vkeyboard.c, as drivers use them.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpic.h"
#include "vmm/dev/vps2.h"

#define DATA            0x60
#define COMMAND         0x64
#define OBF             0x01
#define AUX             0x20

#define KEY_A           0x1e        /* set 2: 1c */
#define KEY_UP          (0x48 | VKEY_EXTENDED)
#define KEY_F7          0x41

static struct pio_bus bus;
static struct vpic pic;
static struct irq_lines lines;
static struct vboard board;
static struct vkeyboard keyboard;
static struct vmouse mouse;
static struct vps2 ps2;
static struct vclock clock_;

static void
out(uint16_t port, unsigned value)
{
    pio_bus_out(&bus, port, 1, value);
}

static unsigned
in(uint16_t port)
{
    return pio_bus_in(&bus, port, 1);
}

static void
pass(uint64_t ns)
{
    clock_.now += ns;
    vkeyboard_type.run(&keyboard);
    vps2_type.run(&ps2);
}

static void
expect_bytes(unsigned status, const char *hex)
{
    unsigned byte;
    int used;

    for (; sscanf(hex, "%x%n", &byte, &used) == 1; hex += used) {
        assert_int_equal(in(COMMAND) & (OBF | AUX), status);
        if (in(DATA) != byte)
            fail_msg("%02x instead of %s", ps2.output, hex);
    }
    assert_int_equal(in(COMMAND) & OBF, 0);
}

static void
expect_keys(const char *hex)
{
    expect_bytes(OBF, hex);
}

static void
expect_mouse(const char *hex)
{
    expect_bytes(OBF | AUX, hex);
}

static void
set_ccb(unsigned value)
{
    out(COMMAND, 0x60);
    out(DATA, value);
}

static void
tell_mouse(unsigned byte)
{
    out(COMMAND, 0xd4);
    out(DATA, byte);
}

static void
key(unsigned code, bool is_down)
{
    vkeyboard_key(&keyboard, (uint8_t)code, is_down);
    vps2_poll(&ps2);
}

static void
move(int x, int y, int wheel, unsigned buttons)
{
    const struct mouse_motion motion = {
        (int16_t)x, (int16_t)y, (int16_t)wheel, (uint8_t)buttons };

    vmouse_move(&mouse, &motion);
    vps2_poll(&ps2);
}

static int
setup(void **state)
{
    const struct vps2_wiring wiring = {
        { &lines, IRQ_KEYBOARD, IRQ_SOURCE_ISA },
        { &lines, IRQ_MOUSE, IRQ_SOURCE_ISA }, &board, &keyboard, &mouse };
    const struct vdev devices[] = {
        { &vpic_type, &pic }, { &irq_lines_type, &lines },
        { &vboard_type, &board }, { &vkeyboard_type, &keyboard },
        { &vmouse_type, &mouse }, { &vps2_type, &ps2 },
    };

    (void)state;
    clock_.now = NSEC_PER_SEC;
    pio_bus_init(&bus);
    vpic_init(&pic, &bus);
    irq_lines_init(&lines, &pic);
    vkeyboard_init(&keyboard, &clock_);
    vps2_init(&ps2, &bus, &wiring);
    for (unsigned i = 0; i < ARRAY_LEN(devices); i++)
        vdev_power_on(&devices[i]);
    return 0;
}

/* The steps of Linux's i8042 driver. */
static void
test_controller(void **state)
{
    (void)state;
    assert_int_equal(in(COMMAND), 0x14);
    out(COMMAND, 0x20);
    expect_keys("65");
    set_ccb(0x34);
    out(COMMAND, 0x20);
    expect_keys("34");
    out(COMMAND, 0xaa);
    expect_keys("55");
    assert_int_equal(in(COMMAND) & 4, 4);
    out(COMMAND, 0xab);
    expect_keys("00");
    out(COMMAND, 0xd3);
    out(DATA, 0x5a);
    expect_mouse("5a");
    out(COMMAND, 0xd2);
    out(DATA, 0xa5);
    expect_keys("a5");
    out(COMMAND, 0xa9);
    expect_keys("00");
    out(COMMAND, 0xa8);
    out(COMMAND, 0x20);
    expect_keys("14");
    out(COMMAND, 0xa7);
    out(COMMAND, 0xad);
    out(COMMAND, 0x20);
    expect_keys("34");
    out(COMMAND, 0xae);
    out(COMMAND, 0x20);
    expect_keys("24");
    out(COMMAND, 0x75);
    out(DATA, 0x42);
    out(COMMAND, 0x35);
    expect_keys("42");
    out(COMMAND, 0xa4);
    expect_keys("f1");
    out(COMMAND, 0xc0);
    expect_keys("80");
    out(COMMAND, 0xe0);
    expect_keys("00");
    out(COMMAND, 0xb5);                 /* no such command */
    expect_keys("");
    assert_int_equal(in(COMMAND) & 8, 8);
    out(DATA, 0xee);
    assert_int_equal(in(COMMAND) & 8, 0);
}

static void
test_a20_and_reset(void **state)
{
    (void)state;
    out(COMMAND, 0xd0);
    assert_int_equal(in(DATA) & 3, 3);
    out(COMMAND, 0xd1);
    out(DATA, 0xdd);
    assert_true(board.is_a20_off);
    assert_int_equal(board.requests, REQUEST_A20);
    out(COMMAND, 0xd0);
    assert_int_equal(in(DATA), 0xdd & ~0x30);
    out(COMMAND, 0xdf);
    assert_false(board.is_a20_off);
    out(COMMAND, 0xdd);
    assert_true(board.is_a20_off);
    board.requests = 0;
    out(COMMAND, 0xff);                 /* pulses nothing */
    out(COMMAND, 0xfd);
    assert_int_equal(board.requests, 0);
    out(COMMAND, 0xfe);
    assert_int_equal(board.requests, REQUEST_INIT);
    board.requests = 0;
    out(COMMAND, 0xd1);
    out(DATA, 0xde);
    assert_int_equal(board.requests & REQUEST_INIT, REQUEST_INIT);
}

static void
test_keys_and_interrupts(void **state)
{
    (void)state;
    key(KEY_A, true);
    assert_true(vpic_is_requested(&pic, IRQ_KEYBOARD));
    key(KEY_A, false);
    vpic_acknowledge(&pic);
    assert_false(vpic_is_requested(&pic, IRQ_KEYBOARD));
    assert_int_equal(in(DATA), 0x1e);
    /* The next byte is an edge of its own. */
    assert_true(vpic_is_requested(&pic, IRQ_KEYBOARD));
    assert_int_equal(in(DATA), 0x9e);
    assert_int_equal(lines.held[IRQ_KEYBOARD], 0);
    assert_int_equal(in(DATA), 0x9e);   /* the buffer still has it */
    set_ccb(0x44);
    key(KEY_A, true);
    assert_int_equal(lines.held[IRQ_KEYBOARD], 0);
    set_ccb(0x45);
    assert_int_equal(lines.held[IRQ_KEYBOARD], 1);
    expect_keys("1e");
    /* Disabled, it waits in the keyboard. */
    out(COMMAND, 0xad);
    key(KEY_A, false);
    expect_keys("");
    out(COMMAND, 0xae);
    expect_keys("9e");
}

static void
test_scan_code_sets(void **state)
{
    static const struct {
        unsigned key;
        const char *set_1, *set_2;
    } cases[] = {
        { 0x01, "01 81", "76 f0 76" },              /* Esc */
        { KEY_A, "1e 9e", "1c f0 1c" },
        { KEY_F7, "41 c1", "83 f0 83" },
        { 0x58, "58 d8", "07 f0 07" },              /* F12 */
        { 0x54, "54 d4", "84 f0 84" },              /* SysRq */
        { 0x56, "56 d6", "61 f0 61" },              /* the 102nd key */
        { KEY_UP, "e0 48 e0 c8", "e0 75 e0 f0 75" },
        { 0x1d | VKEY_EXTENDED, "e0 1d e0 9d", "e0 14 e0 f0 14" },
        { VKEY_PAUSE, "e1 1d 45 e1 9d c5", "e1 14 77 e1 f0 14 f0 77" },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        set_ccb(0x45);
        key(cases[i].key, true);
        key(cases[i].key, false);
        expect_keys(cases[i].set_1);
        set_ccb(0x05);
        key(cases[i].key, true);
        key(cases[i].key, false);
        expect_keys(cases[i].set_2);
        out(DATA, 0xf0);
        expect_keys("fa");
        out(DATA, 1);
        expect_keys("fa");
        key(cases[i].key, true);
        key(cases[i].key, false);
        expect_keys(cases[i].set_1);
        out(DATA, 0xff);
        expect_keys("fa aa");
    }
    /* Every key of set 1 has a way there and back. */
    set_ccb(0x45);
    for (unsigned code = 1; code < 0x80; code++) {
        char text[3];

        if (code == 0x41 || code == 0x54 || code == 0x7f)
            continue;
        snprintf(text, sizeof(text), "%x", code);
        key(code, true);
        expect_keys(text);
    }
}

static void
test_keyboard_commands(void **state)
{
    (void)state;
    set_ccb(0x05);
    out(DATA, 0xff);
    expect_keys("fa aa");
    out(DATA, 0xf2);
    expect_keys("fa ab 83");
    out(DATA, 0xed);
    expect_keys("fa");
    out(DATA, 0x07);
    expect_keys("fa");
    assert_int_equal(keyboard.leds, 7);
    out(DATA, 0xf3);
    expect_keys("fa");
    out(DATA, 0x00);
    expect_keys("fa");
    out(DATA, 0xee);
    expect_keys("ee");
    out(DATA, 0xfe);
    expect_keys("ee");
    out(DATA, 0xf0);
    expect_keys("fa");
    out(DATA, 0);
    expect_keys("fa 02");
    out(DATA, 0xf0);
    expect_keys("fa");
    out(DATA, 3);
    expect_keys("fe");
    out(DATA, 0xf5);
    expect_keys("fa");
    key(KEY_A, true);
    key(KEY_A, false);
    expect_keys("");
    out(DATA, 0xf4);
    expect_keys("fa");
    /* A command in place of an argument. */
    out(DATA, 0xed);
    expect_keys("fa");
    out(DATA, 0xf2);
    expect_keys("fa ab 83");
    out(DATA, 0x12);
    expect_keys("fe");
    /* With translation the second byte of the name changes. */
    set_ccb(0x45);
    out(DATA, 0xf2);
    expect_keys("fa ab 41");
    /* Answers go before keys, which wait for the argument too. */
    out(COMMAND, 0xad);
    key(KEY_A, true);
    out(DATA, 0xed);
    expect_keys("fa");
    out(DATA, 0);
    expect_keys("fa 1e");
}

static void
test_typematic(void **state)
{
    uint64_t pressed = clock_.now;

    (void)state;
    key(KEY_A, true);
    expect_keys("1e");
    assert_true(vkeyboard_type.deadline(&keyboard) ==
                pressed + 500 * NSEC_PER_MSEC);
    pass(499 * NSEC_PER_MSEC);
    expect_keys("");
    pass(1 * NSEC_PER_MSEC);
    expect_keys("1e");
    pass(91 * NSEC_PER_MSEC);
    expect_keys("");
    pass(1 * NSEC_PER_MSEC);
    expect_keys("1e");
    /* Unread, it does not pile up; nor do years of it. */
    for (unsigned i = 0; i < 100; i++)
        pass(NSEC_PER_SEC);
    pass(1000000 * NSEC_PER_SEC);
    expect_keys("1e 1e");
    key(0x30, true);
    key(KEY_A, false);
    expect_keys("30 9e");
    pass(500 * NSEC_PER_MSEC);
    expect_keys("30");
    key(0x30, false);
    expect_keys("b0");
    assert_true(vkeyboard_type.deadline(&keyboard) == VDEV_NEVER);
    /* The slowest: a second, then two a second. */
    out(DATA, 0xf3);
    out(DATA, 0x7f);
    expect_keys("fa fa");
    key(KEY_A, true);
    expect_keys("1e");
    pass(999 * NSEC_PER_MSEC);
    expect_keys("");
    pass(NSEC_PER_MSEC);
    expect_keys("1e");
    pass(499 * NSEC_PER_MSEC);
    expect_keys("");
    pass(NSEC_PER_MSEC);
    expect_keys("1e");
}

static void
test_overrun(void **state)
{
    unsigned count = 0;

    (void)state;
    set_ccb(0x05);
    for (unsigned i = 0; i < 100; i++)
        key(0x10 + i % 16, i % 2 == 0);
    while (in(COMMAND) & OBF) {
        in(DATA);
        assert_true(++count < 20);
    }
    assert_int_equal(ps2.output, 0);
    key(KEY_A, true);
    expect_keys("1c");
}

/* The keyboard goes first; the mouse can be kept out. */
static void
test_both(void **state)
{
    (void)state;
    set_ccb(0x47);
    tell_mouse(0xf4);
    expect_mouse("fa");
    key(KEY_A, true);
    move(1, 0, 0, 0);
    key(KEY_A, false);
    assert_int_equal(in(DATA), 0x1e);
    assert_int_equal(in(DATA), 0x9e);
    assert_int_equal(lines.held[IRQ_KEYBOARD], 0);
    assert_int_equal(lines.held[IRQ_MOUSE], 1);
    expect_mouse("08 01 00");
    out(COMMAND, 0xa7);
    move(1, 0, 0, 0);
    expect_keys("");
    out(COMMAND, 0xa8);
    expect_mouse("08 01 00");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_controller, setup),
        cmocka_unit_test_setup(test_a20_and_reset, setup),
        cmocka_unit_test_setup(test_keys_and_interrupts, setup),
        cmocka_unit_test_setup(test_scan_code_sets, setup),
        cmocka_unit_test_setup(test_keyboard_commands, setup),
        cmocka_unit_test_setup(test_typematic, setup),
        cmocka_unit_test_setup(test_overrun, setup),
        cmocka_unit_test_setup(test_both, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
