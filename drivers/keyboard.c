/*
 * keyboard.c - the 8042 controller and the keyboard on its first port
 * (keyboard.h).
 *
 * The controller is left as the PC's firmware has it: it translates what the
 * keyboard sends (scan code set 2) to set 1, raises IRQ 1 for the keyboard,
 * and the second port, the mouse, is switched off.  Every wait is bounded, and
 * nothing is sent to a controller whose status register reads as an empty bus.
 *
 * During keyboard_start() the answers are read by polling with the interrupt
 * still off; after it only the handler touches the ports.
 */
#include "drivers/keyboard.h"

#include "drivers/console_int.h"
#include "drivers/keymap.h"
#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/x86/cpu.h"

#define I8042_DATA      0x60u
#define I8042_STATUS    0x64u           /* read */
#define I8042_COMMAND   0x64u           /* write */
#define I8042_IRQ       1u

#define STATUS_OBF      BIT(0)          /* a byte for us in DATA */
#define STATUS_IBF      BIT(1)          /* our byte is not taken yet */
#define STATUS_AUX      BIT(5)          /* that byte is the mouse's */
#define STATUS_ABSENT   0xffu

#define CMD_READ_CONFIG 0x20u
#define CMD_WRITE_CONFIG 0x60u
#define CMD_DISABLE_AUX 0xa7u
#define CMD_DISABLE_KBD 0xadu
#define CMD_ENABLE_KBD  0xaeu
#define CMD_PULSE_RESET 0xfeu

#define CONFIG_KBD_IRQ  BIT(0)
#define CONFIG_AUX_IRQ  BIT(1)
#define CONFIG_KBD_OFF  BIT(4)
#define CONFIG_AUX_OFF  BIT(5)
#define CONFIG_TRANSLATE BIT(6)

#define KBD_SCAN_ON     0xf4u
#define KBD_ACK         0xfau

#define LOOK_US         10u
#define LOOKS           2000u           /* 20 ms for any one answer */
#define FLUSH_MAX       32u             /* bytes that may be lying around */

static struct keymap keymap;

/* Wait until the bits MASK of the status register are VALUE. */
static bool
wait_status(uint8_t mask, uint8_t value)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        if ((in8(I8042_STATUS) & mask) == value)
            return true;
        clock_delay_us(LOOK_US);
    }
    return false;
}

static bool
send(uint16_t port, uint8_t byte)
{
    if (!wait_status(STATUS_IBF, 0))
        return false;
    out8(port, byte);
    return true;
}

static bool
receive(uint8_t *byte)
{
    if (!wait_status(STATUS_OBF, STATUS_OBF))
        return false;
    *byte = in8(I8042_DATA);
    return true;
}

static void
flush(void)
{
    for (unsigned i = 0; i < FLUSH_MAX; i++) {
        if (!(in8(I8042_STATUS) & STATUS_OBF))
            return;
        (void)in8(I8042_DATA);
    }
}

static bool
set_up_controller(void)
{
    uint8_t config;

    if (in8(I8042_STATUS) == STATUS_ABSENT)
        return false;
    if (!send(I8042_COMMAND, CMD_DISABLE_KBD) ||
        !send(I8042_COMMAND, CMD_DISABLE_AUX))
        return false;
    flush();
    if (!send(I8042_COMMAND, CMD_READ_CONFIG) || !receive(&config))
        return false;
    config &= (uint8_t)~(CONFIG_AUX_IRQ | CONFIG_KBD_OFF);
    config |= CONFIG_KBD_IRQ | CONFIG_AUX_OFF | CONFIG_TRANSLATE;
    return send(I8042_COMMAND, CMD_WRITE_CONFIG) &&
           send(I8042_DATA, config) &&
           send(I8042_COMMAND, CMD_ENABLE_KBD);
}

/* Keys may come in before the answer; they are lost, which is no harm. */
static bool
set_up_keyboard(void)
{
    uint8_t answer;

    if (!send(I8042_DATA, KBD_SCAN_ON))
        return false;
    for (unsigned i = 0; i < FLUSH_MAX && receive(&answer); i++) {
        if (answer == KBD_ACK)
            return true;
    }
    return false;
}

static bool
keyboard_irq(void *arg)
{
    bool ours = false;

    (void)arg;
    for (unsigned i = 0; i < FLUSH_MAX; i++) {
        char out[KEYMAP_OUT_MAX];
        uint8_t status = in8(I8042_STATUS);
        uint8_t code;
        size_t n;

        if (!(status & STATUS_OBF))
            break;
        ours = true;
        code = in8(I8042_DATA);
        if (status & STATUS_AUX)
            continue;
        n = keymap_feed(&keymap, code, out);
        if (n > 0)
            console_input_irq(out, n);
    }
    return ours;
}

static struct irq_action keyboard_action = {
    .handler = keyboard_irq, .name = "keyboard",
};

bool
keyboard_start(void)
{
    status_t status;

    if (!set_up_controller()) {
        log_info(MOD_CONSOLE, "no keyboard controller");
        return false;
    }
    /* One may be plugged in later: no answer is no reason to give up. */
    if (!set_up_keyboard())
        log_info(MOD_CONSOLE, "keyboard does not answer");
    status = irq_register_isa(I8042_IRQ, &keyboard_action);
    if (status != OK) {
        log_warn(MOD_CONSOLE, "keyboard: %s", status_text(status));
        return false;
    }
    /* A key pressed before would keep the line high: no edge would come. */
    flush();
    return true;
}

void
keyboard_reset_machine(void)
{
    if (in8(I8042_STATUS) != STATUS_ABSENT &&
        wait_status(STATUS_IBF, 0))
        out8(I8042_COMMAND, CMD_PULSE_RESET);
}
