/*
 * ps2.c - the keyboard controller 8042, and the keyboard and the mouse on it.
 *
 * IBM PS/2 Hardware Interface Technical Reference: "Keyboard and auxiliary
 * device controller", "Keyboards (101- and 102-key)", "Mouse".  Nobody touches
 * keys or mouse meanwhile.  Port 92h and A20 are in board.c.
 */
#include "guest/devices.h"

#define DATA            0x60
#define STATUS          0x64            /* commands when written */
#define STATUS_OBF      BIT(0)
#define STATUS_IBF      BIT(1)
#define STATUS_SYS      BIT(2)
#define STATUS_COMMAND  BIT(3)
#define STATUS_AUX      BIT(5)

#define READ_CCB        0x20
#define WRITE_CCB       0x60
#define RAM_BYTE        5               /* of the controller's; nobody's */
#define MOUSE_OFF       0xa7
#define MOUSE_ON        0xa8
#define TEST_MOUSE      0xa9
#define SELF_TEST       0xaa
#define TEST_KEYBOARD   0xab
#define KEYBOARD_OFF    0xad
#define KEYBOARD_ON     0xae
#define READ_P2         0xd0
#define FAKE_KEYBOARD   0xd2
#define FAKE_MOUSE      0xd3
#define TO_MOUSE        0xd4

#define CCB_KEYBOARD_IRQ BIT(0)
#define CCB_MOUSE_IRQ   BIT(1)
#define CCB_SYS         BIT(2)
#define CCB_KEYBOARD_OFF BIT(4)
#define CCB_MOUSE_OFF   BIT(5)
#define CCB_TRANSLATE   BIT(6)
#define P2_NO_RESET     BIT(0)

#define ACK             0xfa
#define RESEND          0xfe
#define PASSED          0xaa
#define IDENTIFY        0xf2
#define RESET           0xff
#define NOTHING         0x100           /* no byte came */
#define SHORT_PATIENCE  20000

static void
wait_input(void)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if ((in8(STATUS) & STATUS_IBF) == 0)
            return;
}

static void
command(uint8_t value)
{
    wait_input();
    out8(STATUS, value);
}

static void
write(uint8_t value)
{
    wait_input();
    out8(DATA, value);
}

static bool
wait_output(uint32_t patience)
{
    for (uint32_t n = 0; n < patience; n++)
        if (in8(STATUS) & STATUS_OBF)
            return true;
    return false;
}

static uint32_t
read(void)
{
    return wait_output(PATIENCE) ? in8(DATA) : NOTHING;
}

static void
flush(void)
{
    while (wait_output(SHORT_PATIENCE))
        (void)in8(DATA);
}

static uint32_t
ask(uint8_t value)
{
    command(value);
    return read();
}

static void
set_ccb(uint8_t value)
{
    command(WRITE_CCB);
    write(value);
}

/* COUNT bytes of a device's answer to VALUE. */
static uint32_t
answer(bool is_mouse, uint8_t value, unsigned count)
{
    uint32_t bytes = 0;

    if (is_mouse)
        command(TO_MOUSE);
    write(value);
    for (unsigned n = 0; n < count; n++)
        bytes = bytes << 8 | read();
    return bytes;
}

static void
check_controller(void)
{
    check("self test", ask(SELF_TEST), 0x55);
    check("status: the test was passed", in8(STATUS) & STATUS_SYS,
          STATUS_SYS);
    check("test of the keyboard's wires", ask(TEST_KEYBOARD), 0);
    check("test of the mouse's wires", ask(TEST_MOUSE), 0);
    set_ccb(CCB_SYS | CCB_KEYBOARD_OFF | CCB_MOUSE_OFF | CCB_TRANSLATE);
    check("the command byte reads back", ask(READ_CCB),
          CCB_SYS | CCB_KEYBOARD_OFF | CCB_MOUSE_OFF | CCB_TRANSLATE);
    check("status: behind data", in8(STATUS) & STATUS_COMMAND,
          STATUS_COMMAND);
    command(KEYBOARD_ON);
    check("keyboard on", ask(READ_CCB) & CCB_KEYBOARD_OFF, 0);
    command(KEYBOARD_OFF);
    check("keyboard off", ask(READ_CCB) & CCB_KEYBOARD_OFF, CCB_KEYBOARD_OFF);
    command(MOUSE_ON);
    check("mouse on", ask(READ_CCB) & CCB_MOUSE_OFF, 0);
    command(MOUSE_OFF);
    check("mouse off", ask(READ_CCB) & CCB_MOUSE_OFF, CCB_MOUSE_OFF);
    command(WRITE_CCB + RAM_BYTE);
    write(0xc3);
    check("memory", ask(READ_CCB + RAM_BYTE), 0xc3);
    check("the output port: no reset", ask(READ_P2) & P2_NO_RESET,
          P2_NO_RESET);
}

static void
check_interrupts(void)
{
    pic_init(PIC1, VEC_IRQ0, BIT(IRQ_CASCADE), ICW4_8086);
    pic_init(PIC2, VEC_IRQ0 + 8, IRQ_CASCADE, ICW4_8086);
    set_ccb(CCB_SYS);
    command(FAKE_KEYBOARD);
    write(0x11);
    check("a byte of the keyboard's", wait_output(PATIENCE), true);
    check("status: not the mouse's", in8(STATUS) & STATUS_AUX, 0);
    check("IRQ 1 is off", pic_read(PIC1, OCW3_READ_IRR) & BIT(IRQ_KEYBOARD),
          0);
    check("the byte", in8(DATA), 0x11);
    check("status: empty", in8(STATUS) & STATUS_OBF, 0);
    set_ccb(CCB_SYS | CCB_KEYBOARD_IRQ | CCB_MOUSE_IRQ);
    command(FAKE_KEYBOARD);
    write(0x12);
    check("IRQ 1", pic_wait(PIC1, IRQ_KEYBOARD), true);
    check("its byte", read(), 0x12);
    command(FAKE_MOUSE);
    write(0x13);
    check("IRQ 12", pic_wait(PIC2, IRQ_MOUSE - 8), true);
    check("status: the mouse's", in8(STATUS) & (STATUS_AUX | STATUS_OBF),
          STATUS_AUX | STATUS_OBF);
    check("the mouse's byte", read(), 0x13);
    set_ccb(CCB_SYS);
}

static void
check_keyboard(void)
{
    check("keyboard: reset", answer(false, RESET, 2), ACK << 8 | PASSED);
    check("keyboard: identify", answer(false, IDENTIFY, 3), 0xfaab83);
    check("keyboard: echo", answer(false, 0xee, 1), 0xee);
    check("keyboard: lights", answer(false, 0xed, 1), ACK);
    check("keyboard: which", answer(false, 7, 1), ACK);
    check("keyboard: repetition", answer(false, 0xf3, 1), ACK);
    check("keyboard: how fast", answer(false, 0x2b, 1), ACK);
    check("keyboard: codes", answer(false, 0xf0, 1), ACK);
    check("keyboard: which set", answer(false, 0, 2), ACK << 8 | 2);
    check("keyboard: set 1", answer(false, 0xf0, 1), ACK);
    check("keyboard: set 1 it is", answer(false, 1, 1), ACK);
    (void)answer(false, 0xf0, 1);
    check("keyboard: it is set 1", answer(false, 0, 2), ACK << 8 | 1);
    check("keyboard: off", answer(false, 0xf5, 1), ACK);
    check("keyboard: defaults", answer(false, 0xf6, 1), ACK);
    (void)answer(false, 0xf0, 1);
    check("keyboard: defaults are set 2", answer(false, 0, 2), ACK << 8 | 2);
    check("keyboard: on", answer(false, 0xf4, 1), ACK);
    check("keyboard: no command", answer(false, 0xf1, 1), RESEND);
    set_ccb(CCB_SYS | CCB_TRANSLATE);
    check("translated: identify", answer(false, IDENTIFY, 3), 0xfaab41);
    (void)answer(false, 0xf0, 1);
    check("translated: which set", answer(false, 0, 2), ACK << 8 | 0x41);
    set_ccb(CCB_SYS);
}

static void
set_rate(uint8_t rate)
{
    (void)answer(true, 0xf3, 1);
    (void)answer(true, rate, 1);
}

static void
check_mouse(void)
{
    check("mouse: reset", answer(true, RESET, 3), 0xfaaa00);
    check("mouse: identify", answer(true, IDENTIFY, 2), ACK << 8);
    check("mouse: status", answer(true, 0xe9, 4), 0xfa000264);
    check("mouse: resolution", answer(true, 0xe8, 1), ACK);
    check("mouse: 8 per mm", answer(true, 3, 1), ACK);
    check("mouse: 2 to 1", answer(true, 0xe7, 1), ACK);
    check("mouse: on", answer(true, 0xf4, 1), ACK);
    set_rate(40);
    check("mouse: its status tells", answer(true, 0xe9, 4), 0xfa300328);
    check("mouse: remote", answer(true, 0xf0, 1), ACK);
    check("mouse: did not move", answer(true, 0xeb, 4), 0xfa080000);
    check("mouse: remote in the status", answer(true, 0xe9, 4) & 0x00400000,
          0x00400000);
    check("mouse: wrap", answer(true, 0xee, 1), ACK);
    check("mouse: bytes come back", answer(true, IDENTIFY, 1), IDENTIFY);
    check("mouse: wrap no more", answer(true, 0xec, 1), ACK);
    check("mouse: defaults", answer(true, 0xf6, 1), ACK);
    check("mouse: the default status", answer(true, 0xe9, 4), 0xfa000264);
    set_rate(200);
    set_rate(100);
    set_rate(80);
    check("mouse: with a wheel", answer(true, IDENTIFY, 2), ACK << 8 | 3);
    (void)answer(true, 0xf0, 1);
    check("mouse: four bytes", answer(true, 0xeb, 4), 0xfa080000);
    check("mouse: the fourth", read(), 0);
    check("mouse: reset to none", answer(true, RESET, 3), 0xfaaa00);
    check("mouse: no command", answer(true, 0xe1, 1), RESEND);
}

/* What firmware and loader had is what they have again. */
TOPIC(ps2)
{
    uint8_t ccb;

    flush();
    ccb = (uint8_t)ask(READ_CCB);
    check_controller();
    check_interrupts();
    flush();
    check_keyboard();
    command(MOUSE_ON);
    check_mouse();
    set_ccb(ccb);
    flush();
}
