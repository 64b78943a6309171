/*
 * vps2.c - the 8042 (vps2.h).
 *
 * The output buffer is one byte.  While it is full the devices wait with what
 * they have to say; fill() takes the next byte as soon as it is read, the
 * keyboard's first.  Each interrupt is up while the buffer holds a byte of its
 * device, so that every byte is an edge.
 *
 * With translation on, keyboard bytes become set 1: F0h (break) vanishes and
 * sets the top bit of the code behind it.
 *
 * Called at port accesses, when a key repeats, and with input from the owner,
 * with the VM's devices locked.
 */
#include "vmm/dev/vps2.h"

#include "kernel/base/bits.h"

#define DATA_PORT       0x60u
#define COMMAND_PORT    0x64u

#define STATUS_OBF      BIT(0)          /* output buffer full */
#define STATUS_SYS      BIT(2)          /* self test passed */
#define STATUS_COMMAND  BIT(3)          /* the last write was to 64h */
#define STATUS_UNLOCKED BIT(4)
#define STATUS_AUX      BIT(5)          /* the byte is the mouse's */

/* The command byte. */
#define CCB_KEYBOARD_IRQ BIT(0)
#define CCB_MOUSE_IRQ   BIT(1)
#define CCB_SYS         BIT(2)
#define CCB_KEYBOARD_OFF BIT(4)
#define CCB_MOUSE_OFF   BIT(5)
#define CCB_TRANSLATE   BIT(6)
#define CCB_BITS        BITS(6, 0)
/* As firmware leaves it. */
#define CCB_DEFAULT     (CCB_KEYBOARD_IRQ | CCB_SYS | CCB_MOUSE_OFF | \
                         CCB_TRANSLATE)

/* The output port, P2. */
#define P2_NO_RESET     BIT(0)
#define P2_A20          BIT(1)
#define P2_KEYBOARD_IRQ BIT(4)
#define P2_MOUSE_IRQ    BIT(5)
#define P2_STORED       (BITS(3, 2) | BITS(7, 6))
#define P2_DEFAULT      P2_STORED       /* clocks and data of the devices: up */
#define P1_DEFAULT      0x80u           /* not locked, colour display */

enum ps2_command {
    PS2_READ_RAM = 0x20,                /* to 3Fh */
    PS2_WRITE_RAM = 0x60,               /* to 7Fh */
    PS2_TEST_PASSWORD = 0xa4,
    PS2_MOUSE_OFF = 0xa7,
    PS2_MOUSE_ON = 0xa8,
    PS2_TEST_MOUSE = 0xa9,
    PS2_SELF_TEST = 0xaa,
    PS2_TEST_KEYBOARD = 0xab,
    PS2_KEYBOARD_OFF = 0xad,
    PS2_KEYBOARD_ON = 0xae,
    PS2_READ_P1 = 0xc0,
    PS2_READ_P2 = 0xd0,
    PS2_WRITE_P2 = 0xd1,
    PS2_FAKE_KEYBOARD = 0xd2,           /* the byte comes back... */
    PS2_FAKE_MOUSE = 0xd3,              /* ...as if from the device */
    PS2_WRITE_MOUSE = 0xd4,
    PS2_A20_OFF = 0xdd,
    PS2_A20_ON = 0xdf,
    PS2_READ_TEST = 0xe0,
    PS2_PULSE = 0xf0,                   /* to FFh: bits of P2 that are 0 */
};

#define RAM_INDEX       BITS(4, 0)
#define NO_PASSWORD     0xf1u
#define SELF_TEST_OK    0x55u
#define WIRES_OK        0x00u
#define PREFIX_BREAK    0xf0u
#define BREAK_BIT       BIT(7)

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vps2, ram, 1),
    VDEV_FIELD(struct vps2, status, 1),
    VDEV_FIELD(struct vps2, output, 1),
    VDEV_FIELD(struct vps2, output_port, 1),
    VDEV_FIELD(struct vps2, command, 1),
    VDEV_FIELD(struct vps2, is_break, 1),
};

static bool
has_output(const struct vps2 *c, bool is_mouse)
{
    unsigned bits = c->status & (STATUS_OBF | STATUS_AUX);

    return bits == (is_mouse ? STATUS_OBF | STATUS_AUX : STATUS_OBF);
}

static void
update_irqs(struct vps2 *c)
{
    irq_wire_set(&c->wiring.keyboard_irq,
                 has_output(c, false) && (c->ram[0] & CCB_KEYBOARD_IRQ));
    irq_wire_set(&c->wiring.mouse_irq,
                 has_output(c, true) && (c->ram[0] & CCB_MOUSE_IRQ));
}

/* A byte for the guest; what was not read is lost. */
static void
put(struct vps2 *c, uint8_t byte, bool is_mouse)
{
    c->output = byte;
    c->status = (uint8_t)((c->status & ~STATUS_AUX) | STATUS_OBF |
                          (is_mouse ? STATUS_AUX : 0));
}

/* The next byte of the keyboard, translated if it has to be; or false. */
static bool
read_keyboard(struct vps2 *c, uint8_t *byte)
{
    if (c->ram[0] & CCB_KEYBOARD_OFF)
        return false;
    if (!vkeyboard_read(c->wiring.keyboard, byte))
        return false;
    if ((c->ram[0] & CCB_TRANSLATE) == 0)
        return true;
    if (*byte == PREFIX_BREAK) {
        c->is_break = true;
        if (!vkeyboard_read(c->wiring.keyboard, byte))
            return false;
    }
    *byte = vkeyboard_translate(*byte);
    if (c->is_break)
        *byte |= BREAK_BIT;
    c->is_break = false;
    return true;
}

static void
fill(struct vps2 *c)
{
    uint8_t byte;

    if (c->status & STATUS_OBF)
        return;
    if (read_keyboard(c, &byte))
        put(c, byte, false);
    else if ((c->ram[0] & CCB_MOUSE_OFF) == 0 &&
             vmouse_read(c->wiring.mouse, &byte))
        put(c, byte, true);
}

static void
write_p2(struct vps2 *c, uint8_t value)
{
    if ((value & P2_NO_RESET) == 0)
        vboard_request(c->wiring.board, REQUEST_INIT);
    vboard_set_a20(c->wiring.board, (value & P2_A20) != 0);
    c->output_port = value & P2_STORED;
}

static uint8_t
read_p2(const struct vps2 *c)
{
    return (uint8_t)(c->output_port | P2_NO_RESET |
                     (c->wiring.board->is_a20_off ? 0 : P2_A20) |
                     (has_output(c, false) ? P2_KEYBOARD_IRQ : 0) |
                     (has_output(c, true) ? P2_MOUSE_IRQ : 0));
}

static void
set_ccb(struct vps2 *c, uint8_t value)
{
    c->ram[0] = value & CCB_BITS;
    c->status = (uint8_t)((c->status & ~STATUS_SYS) |
                          (value & CCB_SYS ? STATUS_SYS : 0));
}

static void
change_ccb(struct vps2 *c, uint8_t bit, bool is_on)
{
    set_ccb(c, (uint8_t)(is_on ? c->ram[0] | bit : c->ram[0] & ~bit));
}

/* Writing to a device lets its clock run again. */
static void
write_mouse(struct vps2 *c, uint8_t byte)
{
    change_ccb(c, CCB_MOUSE_OFF, false);
    vmouse_write(c->wiring.mouse, byte);
}

static void
write_keyboard(struct vps2 *c, uint8_t byte)
{
    change_ccb(c, CCB_KEYBOARD_OFF, false);
    c->is_break = false;
    vkeyboard_write(c->wiring.keyboard, byte);
}

static void
self_test(struct vps2 *c)
{
    set_ccb(c, c->ram[0] | CCB_SYS | CCB_KEYBOARD_OFF | CCB_MOUSE_OFF);
    put(c, SELF_TEST_OK, false);
}

/* Commands by ranges, before the single ones. */
static bool
execute_range(struct vps2 *c, uint8_t command)
{
    unsigned index = command & RAM_INDEX;

    if ((command & ~RAM_INDEX) == PS2_READ_RAM) {
        put(c, c->ram[index], false);
        return true;
    }
    if ((command & ~RAM_INDEX) == PS2_WRITE_RAM) {
        c->command = command;
        return true;
    }
    if (command < PS2_PULSE)
        return false;
    if ((command & P2_NO_RESET) == 0)
        vboard_request(c->wiring.board, REQUEST_INIT);
    return true;
}

static void
execute(struct vps2 *c, enum ps2_command command)
{
    switch (command) {
    case PS2_TEST_PASSWORD:
        put(c, NO_PASSWORD, false);
        break;
    case PS2_MOUSE_OFF:
    case PS2_MOUSE_ON:
        change_ccb(c, CCB_MOUSE_OFF, command == PS2_MOUSE_OFF);
        break;
    case PS2_KEYBOARD_OFF:
    case PS2_KEYBOARD_ON:
        change_ccb(c, CCB_KEYBOARD_OFF, command == PS2_KEYBOARD_OFF);
        break;
    case PS2_SELF_TEST:
        self_test(c);
        break;
    case PS2_TEST_MOUSE:
    case PS2_TEST_KEYBOARD:
    case PS2_READ_TEST:
        put(c, WIRES_OK, false);
        break;
    case PS2_READ_P1:
        put(c, P1_DEFAULT, false);
        break;
    case PS2_READ_P2:
        put(c, read_p2(c), false);
        break;
    case PS2_WRITE_P2:
    case PS2_FAKE_KEYBOARD:
    case PS2_FAKE_MOUSE:
    case PS2_WRITE_MOUSE:
        c->command = command;
        break;
    case PS2_A20_OFF:
    case PS2_A20_ON:
        vboard_set_a20(c->wiring.board, command == PS2_A20_ON);
        break;
    default:
        break;                  /* there is no such command */
    }
}

/* The byte that a command waited for. */
static void
take_argument(struct vps2 *c, uint8_t command, uint8_t byte)
{
    switch (command) {
    case PS2_WRITE_RAM:
        set_ccb(c, byte);
        break;
    case PS2_WRITE_P2:
        write_p2(c, byte);
        break;
    case PS2_FAKE_KEYBOARD:
    case PS2_FAKE_MOUSE:
        put(c, byte, command == PS2_FAKE_MOUSE);
        break;
    case PS2_WRITE_MOUSE:
        write_mouse(c, byte);
        break;
    default:
        c->ram[command & RAM_INDEX] = byte;
        break;
    }
}

/*
 * Between two bytes the interrupt is down for a moment, so that the next is an
 * edge.
 */
static uint32_t
data_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    struct vps2 *c = device;
    uint8_t byte = c->output;

    c->status &= (uint8_t)~(STATUS_OBF | STATUS_AUX);
    update_irqs(c);
    vps2_poll(c);
    return byte;
}

static void
data_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
         uint32_t value)
{
    struct vps2 *c = device;
    uint8_t command = c->command;

    c->command = 0;
    c->status &= (uint8_t)~STATUS_COMMAND;
    if (command != 0)
        take_argument(c, command, (uint8_t)value);
    else
        write_keyboard(c, (uint8_t)value);
    vps2_poll(c);
}

static uint32_t
status_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    const struct vps2 *c = device;

    return c->status | STATUS_UNLOCKED;
}

static void
command_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
            uint32_t value)
{
    struct vps2 *c = device;

    c->command = 0;
    c->status |= STATUS_COMMAND;
    if (!execute_range(c, (uint8_t)value))
        execute(c, (uint8_t)value);
    vps2_poll(c);
}

static void
reset(void *device)
{
    struct vps2 *c = device;

    set_ccb(c, CCB_DEFAULT);
    c->output_port = P2_DEFAULT;
    update_irqs(c);
}

/* A key may have repeated. */
static void
run(void *device)
{
    vps2_poll(device);
}

const struct vdev_type vps2_type = {
    .name = "8042", .version = 1, .size = sizeof(struct vps2),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run,
};

void
vps2_init(struct vps2 *c, struct pio_bus *bus,
          const struct vps2_wiring *wiring)
{
    static const struct pio_ops data = { data_in, data_out };
    static const struct pio_ops command = { status_in, command_out };

    c->wiring = *wiring;
    pio_bus_claim(bus, &(struct pio_range){
        DATA_PORT, 1, PIO_BYTE, &data, c });
    pio_bus_claim(bus, &(struct pio_range){
        COMMAND_PORT, 1, PIO_BYTE, &command, c });
}

void
vps2_poll(struct vps2 *c)
{
    fill(c);
    update_irqs(c);
}
