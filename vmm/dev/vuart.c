/*
 * vuart.c - the 16550A (vuart.h).
 *
 * Interrupts are a function of the state: cause() finds the one of highest
 * priority, and update_irq() makes the wire show whether there is one.  It is
 * called between steps that on a real chip take time, the emptying of a
 * register and its refilling, so that edge-triggered controllers see the edge
 * that they would see.
 *
 * Called at port accesses, at the receiver's timeout, and when the back end is
 * ready, with the VM's devices locked.  PC16550D section 8.
 */
#include "vmm/dev/vuart.h"

#include "kernel/base/bits.h"

#define PORT_COUNT      8u
#define CLOCK_BAUD      115200u         /* with divisor 1 */
#define POWER_ON_DIVISOR 12u            /* 9600 */
#define TIMEOUT_CHARS   4u
#define BITS_PER_BYTE   8u

enum uart_register {
    UART_DATA = 0,              /* RBR, THR; DLL */
    UART_IER = 1,               /* DLM */
    UART_IIR = 2,               /* FCR when written */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7,
};

#define IER_RECEIVED    BIT(0)
#define IER_THRE        BIT(1)
#define IER_LINE        BIT(2)
#define IER_MODEM       BIT(3)
#define IER_ALL         BITS(3, 0)

/* IIR's causes, bit 0 clear if there is one. */
#define IIR_MODEM       0x00u
#define IIR_NONE        0x01u
#define IIR_THRE        0x02u
#define IIR_RECEIVED    0x04u
#define IIR_LINE        0x06u
#define IIR_TIMEOUT     0x0cu
#define IIR_FIFOS       0xc0u

#define FCR_ENABLE      BIT(0)
#define FCR_CLEAR_RX    BIT(1)
#define FCR_CLEAR_TX    BIT(2)
#define FCR_TRIGGER     BITS(7, 6)

#define LCR_LENGTH      BITS(1, 0)      /* 5 to 8 bits */
#define LCR_STOP        BIT(2)
#define LCR_PARITY      BIT(3)
#define LCR_DLAB        BIT(7)
#define LENGTH_MIN      5u

#define MCR_DTR         BIT(0)
#define MCR_RTS         BIT(1)
#define MCR_OUT1        BIT(2)
#define MCR_OUT2        BIT(3)
#define MCR_LOOP        BIT(4)
#define MCR_ALL         BITS(4, 0)

#define LSR_DR          BIT(0)
#define LSR_OE          BIT(1)
#define LSR_THRE        BIT(5)
#define LSR_TEMT        BIT(6)

#define MSR_DELTAS      BITS(3, 0)
#define MSR_TERI        BIT(2)
#define MSR_CTS         BIT(4)
#define MSR_DSR         BIT(5)
#define MSR_RI          BIT(6)
#define MSR_DCD         BIT(7)
#define MSR_LINES       BITS(7, 4)

#define DIVISOR_LOW     BITS(7, 0)
#define DIVISOR_HIGH    BITS(15, 8)

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vuart, receiver, 1),
    VDEV_FIELD(struct vuart, transmitter, 1),
    VDEV_FIELD(struct vuart, timeout_at, 1),
    VDEV_FIELD(struct vuart, divisor, 1),
    VDEV_FIELD(struct vuart, ier, 1),
    VDEV_FIELD(struct vuart, fcr, 1),
    VDEV_FIELD(struct vuart, lcr, 1),
    VDEV_FIELD(struct vuart, mcr, 1),
    VDEV_FIELD(struct vuart, scratch, 1),
    VDEV_FIELD(struct vuart, errors, 1),
    VDEV_FIELD(struct vuart, modem, 1),
    VDEV_FIELD(struct vuart, is_thre_pending, 1),
};

static bool
has_fifos(const struct vuart *u)
{
    return (u->fcr & FCR_ENABLE) != 0;
}

/* How many bytes each direction holds: without FIFOs, one register. */
static unsigned
depth(const struct vuart *u)
{
    return has_fifos(u) ? BYTE_QUEUE_SIZE : 1;
}

static unsigned
word_length(const struct vuart *u)
{
    return LENGTH_MIN + FIELD_GET(u->lcr, LCR_LENGTH);
}

/* Start bit, word, parity, stop bits, in the time of the divisor. */
static uint64_t
char_ns(const struct vuart *u)
{
    unsigned bits = 1 + word_length(u) + ((u->lcr & LCR_PARITY) != 0) +
                    1 + ((u->lcr & LCR_STOP) != 0);

    return bits * (uint64_t)u->divisor * NSEC_PER_SEC / CLOCK_BAUD;
}

static unsigned
trigger(const struct vuart *u)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return has_fifos(u) ? levels[FIELD_GET(u->fcr, FCR_TRIGGER)] : 1;
}

/* Bytes below the trigger that nobody moved for a while. */
static bool
is_timed_out(const struct vuart *u)
{
    return u->receiver.count > 0 && u->wiring.clock->now >= u->timeout_at;
}

/* The pending interrupt of highest priority, as IIR says it. */
static uint8_t
cause(const struct vuart *u)
{
    if ((u->ier & IER_LINE) && u->errors)
        return IIR_LINE;
    if ((u->ier & IER_RECEIVED) && u->receiver.count >= trigger(u))
        return IIR_RECEIVED;
    if ((u->ier & IER_RECEIVED) && is_timed_out(u))
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->is_thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && (u->modem & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

/* In loopback the pin OUT2 is off, and with it the PC's interrupt. */
static void
update_irq(struct vuart *u)
{
    bool is_connected = (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2;

    irq_wire_set(&u->wiring.irq, is_connected && cause(u) != IIR_NONE);
}

static void
restart_timeout(struct vuart *u)
{
    u->timeout_at = u->wiring.clock->now + TIMEOUT_CHARS * char_ns(u);
}

/* A byte from the line.  Too many: a FIFO keeps the old, a register the new. */
static void
receive(struct vuart *u, uint8_t byte)
{
    if (u->receiver.count >= depth(u)) {
        u->errors |= LSR_OE;
        if (has_fifos(u))
            return;
        u->receiver.count = 0;
    }
    byte_queue_put(&u->receiver,
                   (uint8_t)(byte & (BIT(word_length(u)) - 1)));
    restart_timeout(u);
}

/* The back end's bytes, as far as there is room. */
static void
fetch(struct vuart *u)
{
    uint8_t byte;

    if (u->mcr & MCR_LOOP)
        return;
    while (u->receiver.count < depth(u) &&
           char_backend_read(&u->wiring.backend, &byte))
        receive(u, byte);
}

static bool
send(struct vuart *u, uint8_t byte)
{
    if ((u->mcr & MCR_LOOP) == 0)
        return char_backend_write(&u->wiring.backend, byte);
    receive(u, byte);
    return true;
}

static void
drain(struct vuart *u)
{
    struct byte_queue *f = &u->transmitter;

    if (f->count == 0)
        return;
    while (f->count > 0 && send(u, byte_queue_peek(f)))
        (void)byte_queue_get(f);
    if (f->count == 0)
        u->is_thre_pending = true;
}

static uint8_t
read_rbr(struct vuart *u)
{
    uint8_t byte = 0;

    if (u->receiver.count > 0)
        byte = byte_queue_get(&u->receiver);
    restart_timeout(u);
    update_irq(u);
    fetch(u);
    return byte;
}

/* More than fits: the last byte is overwritten, as in the chip. */
static void
write_thr(struct vuart *u, uint8_t value)
{
    struct byte_queue *f = &u->transmitter;

    value &= (uint8_t)(BIT(word_length(u)) - 1);
    if (f->count >= depth(u))
        f->count--;
    byte_queue_put(f, value);
    u->is_thre_pending = false;
    update_irq(u);
    drain(u);
}

/* Enabling the transmitter's interrupt while it is empty raises it. */
static void
write_ier(struct vuart *u, uint8_t value)
{
    if ((value & ~u->ier & IER_THRE) && u->transmitter.count == 0)
        u->is_thre_pending = true;
    u->ier = value & IER_ALL;
}

static uint8_t
read_iir(struct vuart *u)
{
    uint8_t value = cause(u);

    if (value == IIR_THRE)
        u->is_thre_pending = false;
    return has_fifos(u) ? value | IIR_FIFOS : value;
}

static void
clear_transmitter(struct vuart *u)
{
    if (u->transmitter.count > 0)
        u->is_thre_pending = true;
    u->transmitter.count = 0;
}

/* Switching the FIFOs on or off empties them; other bits need them on. */
static void
write_fcr(struct vuart *u, uint8_t value)
{
    bool is_switched = ((u->fcr ^ value) & FCR_ENABLE) != 0;

    if ((value & FCR_ENABLE) == 0)
        value = 0;
    if (is_switched || (value & FCR_CLEAR_RX))
        u->receiver.count = 0;
    if (is_switched || (value & FCR_CLEAR_TX))
        clear_transmitter(u);
    u->fcr = value & (FCR_ENABLE | FCR_TRIGGER);
    update_irq(u);
    fetch(u);
}

/* The modem's wires; in loopback they are the MCR's outputs. */
static uint8_t
modem_lines(const struct vuart *u)
{
    if ((u->mcr & MCR_LOOP) == 0)
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) |
                     (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) |
                     (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

/* Each line has its delta four bits lower; RI's tells its end only. */
static void
update_modem(struct vuart *u)
{
    uint8_t lines = modem_lines(u);
    uint8_t deltas = (uint8_t)((lines ^ u->modem) & MSR_LINES) >> 4;

    if (lines & MSR_RI)
        deltas &= (uint8_t)~MSR_TERI;
    u->modem = (uint8_t)(lines | (u->modem & MSR_DELTAS) | deltas);
}

static void
write_mcr(struct vuart *u, uint8_t value)
{
    u->mcr = value & MCR_ALL;
    update_modem(u);
    drain(u);
    fetch(u);
}

static uint8_t
read_lsr(struct vuart *u)
{
    uint8_t value = u->errors;

    if (u->receiver.count > 0)
        value |= LSR_DR;
    if (u->transmitter.count == 0)
        value |= LSR_THRE | LSR_TEMT;
    u->errors = 0;
    return value;
}

static uint8_t
read_msr(struct vuart *u)
{
    uint8_t value = u->modem;

    u->modem &= MSR_LINES;
    return value;
}

static uint8_t
read_register(struct vuart *u, enum uart_register reg)
{
    bool has_latch = (u->lcr & LCR_DLAB) != 0;

    switch (reg) {
    case UART_DATA:
        return has_latch ? (uint8_t)u->divisor : read_rbr(u);
    case UART_IER:
        return has_latch ? (uint8_t)(u->divisor >> BITS_PER_BYTE) : u->ier;
    case UART_IIR:
        return read_iir(u);
    case UART_LCR:
        return u->lcr;
    case UART_MCR:
        return u->mcr;
    case UART_LSR:
        return read_lsr(u);
    case UART_MSR:
        return read_msr(u);
    case UART_SCR:
        return u->scratch;
    }
    return 0;
}

static void
write_divisor(struct vuart *u, uint16_t mask, uint8_t value)
{
    u->divisor = (uint16_t)FIELD_SET(u->divisor, mask, value);
}

static void
write_register(struct vuart *u, enum uart_register reg, uint8_t value)
{
    bool has_latch = (u->lcr & LCR_DLAB) != 0;

    if (reg == UART_DATA && has_latch)
        write_divisor(u, DIVISOR_LOW, value);
    else if (reg == UART_DATA)
        write_thr(u, value);
    else if (reg == UART_IER && has_latch)
        write_divisor(u, DIVISOR_HIGH, value);
    else if (reg == UART_IER)
        write_ier(u, value);
    else if (reg == UART_IIR)
        write_fcr(u, value);
    else if (reg == UART_LCR)
        u->lcr = value;
    else if (reg == UART_MCR)
        write_mcr(u, value);
    else if (reg == UART_SCR)
        u->scratch = value;
}

static uint32_t
in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vuart *u = device;
    uint8_t value = read_register(u, offset);

    update_irq(u);
    return value;
}

static void
out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vuart *u = device;

    write_register(u, offset, (uint8_t)value);
    update_irq(u);
}

static void
reset(void *device)
{
    struct vuart *u = device;

    u->divisor = POWER_ON_DIVISOR;
    u->modem = modem_lines(u);
    update_irq(u);
}

static void
run(void *device)
{
    update_irq(device);
}

/* The timeout only, and only if it would interrupt. */
static uint64_t
deadline(const void *device)
{
    const struct vuart *u = device;

    if ((u->ier & IER_RECEIVED) == 0 || u->receiver.count == 0 ||
        u->receiver.count >= trigger(u) || is_timed_out(u))
        return VDEV_NEVER;
    return u->timeout_at;
}

const struct vdev_type vuart_type = {
    .name = "16550", .version = 1, .size = sizeof(struct vuart),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run, .deadline = deadline,
};

void
vuart_init(struct vuart *u, struct pio_bus *bus, uint16_t port,
           const struct vuart_wiring *wiring)
{
    static const struct pio_ops ops = { in, out };

    u->wiring = *wiring;
    pio_bus_claim(bus, &(struct pio_range){
        port, PORT_COUNT, PIO_BYTE, &ops, u });
}

void
vuart_ready(struct vuart *u)
{
    drain(u);
    update_irq(u);
    fetch(u);
    update_irq(u);
}
