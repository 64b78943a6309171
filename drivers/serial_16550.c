/*
 * serial_16550.c - the 16550A UART behind the console (serial_16550.h).
 *
 * Invariant of the transmitter: while the ring holds bytes, either the FIFO
 * holds some too and the THRE interrupt is enabled, so that an interrupt is
 * still to come, or somebody in tx_pump() is about to make it so.  UARTs are
 * known that forget to raise THRE when it is enabled with an empty FIFO, and
 * reading IIR may swallow one; so LSR is always looked at again after the
 * enable, the handler believes LSR and not the cause in IIR, and every write
 * pumps too.
 *
 * Invariant of the receiver: a byte is read from the UART only if the console
 * has room for it.  Without room the receive interrupt is off, and the bytes
 * stay where the sender's flow control sees them.
 *
 * The interrupt is an edge on the ISA bus: leaving the handler with a cause
 * pending would be the last interrupt ever.  IER is therefore taken to 0 and
 * back at its end, which makes a new edge if there is anything left.
 *
 * uart.lock guards the registers and the producer's and consumer's side of
 * the ring.  Source of facts: PC16550D data sheet, sections 8.1 to 8.11.
 */
#include "drivers/serial_16550.h"

#include "drivers/console_int.h"
#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/base/ring.h"
#include "kernel/base/stats.h"
#include "kernel/irq.h"
#include "kernel/lock.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"

/* Registers, by offset.  With LCR_DLAB set 0 and 1 are the divisor. */
enum uart_reg {
    UART_RBR = 0,               /* read */
    UART_THR = 0,               /* write */
    UART_DLL = 0,
    UART_IER = 1,
    UART_DLM = 1,
    UART_IIR = 2,               /* read */
    UART_FCR = 2,               /* write */
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_MSR = 6,
    UART_SCR = 7
};

#define IER_ERBFI       BIT(0)  /* received data */
#define IER_ETBEI       BIT(1)  /* transmitter empty */

#define IIR_NONE        BIT(0)  /* no interrupt pending */
#define IIR_FIFO        BITS(7, 6)

#define FCR_ENABLE      BIT(0)
#define FCR_CLEAR_RX    BIT(1)
#define FCR_CLEAR_TX    BIT(2)
#define FCR_TRIGGER_8   BIT(7)

#define LCR_8N1         BITS(1, 0)
#define LCR_DLAB        BIT(7)

#define MCR_DTR         BIT(0)
#define MCR_RTS         BIT(1)
#define MCR_OUT2        BIT(3)  /* on PCs: lets the interrupt out */

#define LSR_DR          BIT(0)
#define LSR_OE          BIT(1)
#define LSR_PE          BIT(2)
#define LSR_FE          BIT(3)
#define LSR_BI          BIT(4)
#define LSR_THRE        BIT(5)
#define LSR_TEMT        BIT(6)
#define LSR_ABSENT      0xffu   /* what an empty bus reads */

#define SCRATCH_A       0x5au
#define SCRATCH_B       0xa5u
#define FIFO_DEPTH      16u

#define TX_RING_SIZE    KB(32)
#define ESCAPE          '\x1b'
#define RX_BATCH        64u     /* bytes carried out of the lock at once */
#define RX_HIGH_WATER   KB(8)   /* room left when RTS drops, */
#define RX_LOW_WATER    KB(16)  /* and when it rises again */

/*
 * Looks at LSR before a transmitter counts as hung: at 1 us each on an ISA bus
 * this is 200 ms, the time of one FIFO at 800 baud.
 */
#define THRE_LOOKS      200000u
#define DRAIN_PASSES    (TX_RING_SIZE / FIFO_DEPTH)

/* Rounds in one interrupt, and interrupts without any work, at most. */
#define IRQ_ROUNDS      8u
#define SERVICE_ROUNDS  64u
#define IDLE_IRQS_MAX   10000u

STAT(serial, interrupts);
STAT(serial, rx_bytes);
STAT(serial, tx_bytes);
STAT(serial, rx_overruns);
STAT(serial, rx_errors);
STAT(serial, rx_held);

struct uart {
    struct lock lock;
    uint16_t port;              /* 0: there is none */
    unsigned fifo_depth;
    uint8_t ier;                /* what IER holds, or shall hold again */
    bool started;               /* interrupts are used */
    bool saw_escape;            /* the other side sent an escape sequence */
    bool irq_seen;              /* an interrupt has come */
    bool was_ours;              /* the last interrupt had a cause */
    bool hung;                  /* the transmitter did not move last time */
    bool held;                  /* no room for input at all */
    bool throttled;             /* little room: RTS is low */
    unsigned idle_irqs;
    struct ring tx;
};

static uint8_t tx_bytes[TX_RING_SIZE];
static struct uart uart = {
    .lock = LOCK_INIT("serial", RANK_CONSOLE),
    .tx = { .bytes = tx_bytes, .size = TX_RING_SIZE },
};

static uint8_t
reg_read(enum uart_reg reg)
{
    return in8((uint16_t)(uart.port + reg));
}

static void
reg_write(enum uart_reg reg, uint8_t value)
{
    out8((uint16_t)(uart.port + reg), value);
}

static void
set_ier(uint8_t ier)
{
    if (ier != uart.ier) {
        uart.ier = ier;
        reg_write(UART_IER, ier);
    }
}

static void
set_divisor(uint32_t baud)
{
    uint32_t divisor = SERIAL_BAUD_MAX / MIN(MAX(baud, 2u), SERIAL_BAUD_MAX);

    reg_write(UART_LCR, LCR_DLAB | LCR_8N1);
    reg_write(UART_DLL, (uint8_t)divisor);
    reg_write(UART_DLM, (uint8_t)(divisor >> 8));
    reg_write(UART_LCR, LCR_8N1);
}

/* The scratch register remembers; a bus with nothing on it does not. */
static bool
scratch_works(void)
{
    reg_write(UART_SCR, SCRATCH_A);
    if (reg_read(UART_SCR) != SCRATCH_A)
        return false;
    reg_write(UART_SCR, SCRATCH_B);
    return reg_read(UART_SCR) == SCRATCH_B;
}

bool
serial_init(uint16_t port, uint32_t baud)
{
    uart.port = port;
    if (port == 0 || reg_read(UART_LSR) == LSR_ABSENT || !scratch_works()) {
        uart.port = 0;
        return false;
    }
    uart.ier = 0;
    reg_write(UART_IER, 0);
    set_divisor(baud);
    reg_write(UART_FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX |
                        FCR_TRIGGER_8);
    /* The 16550 without A has a FIFO that does not work: one bit set only. */
    uart.fifo_depth =
        (reg_read(UART_IIR) & IIR_FIFO) == IIR_FIFO ? FIFO_DEPTH : 1;
    reg_write(UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    uart.hung = false;
    return true;
}

bool
serial_is_present(void)
{
    return uart.port != 0;
}

bool
serial_saw_escape(void)
{
    return uart.saw_escape;
}

/* --- Sending by polling -------------------------------------------------- */

/* A transmitter that hung gets one look only, until it moves again. */
static bool
wait_empty(uint8_t lsr_bit)
{
    unsigned looks = uart.hung ? 1 : THRE_LOOKS;

    while (looks-- > 0) {
        if (reg_read(UART_LSR) & lsr_bit) {
            uart.hung = false;
            return true;
        }
        cpu_pause();
    }
    uart.hung = true;
    return false;
}

void
serial_write_polled(const char *text, size_t size)
{
    if (!serial_is_present())
        return;
    while (size > 0 && wait_empty(LSR_THRE)) {
        size_t n = MIN(size, uart.fifo_depth);

        for (size_t i = 0; i < n; i++)
            reg_write(UART_THR, (uint8_t)text[i]);
        text += n;
        size -= n;
    }
}

/*
 * The holder of the lock may be dead.  At worst it had read a few bytes from
 * the ring and not yet sent or counted them; those come twice or not at all.
 */
void
serial_drain_polled(void)
{
    char burst[FIFO_DEPTH];

    for (unsigned i = 0; i < DRAIN_PASSES; i++) {
        uint32_t n = ring_read(&uart.tx, burst, sizeof(burst));

        if (n == 0)
            break;
        serial_write_polled(burst, n);
    }
    if (serial_is_present())
        (void)wait_empty(LSR_TEMT);
}

/* --- By interrupts ------------------------------------------------------- */

/* One FIFO full from the ring, if the last one is gone.  Holds uart.lock. */
static void
tx_pump(uint8_t lsr)
{
    uint8_t burst[FIFO_DEPTH];
    uint32_t n;

    if (!(lsr & LSR_THRE))
        return;
    n = ring_read(&uart.tx, burst, uart.fifo_depth);
    for (uint32_t i = 0; i < n; i++)
        reg_write(UART_THR, burst[i]);
    STAT_ADD(serial, tx_bytes, n);
}

/* Make the invariant of the transmitter true.  Holds uart.lock. */
static void
tx_kick(void)
{
    tx_pump(reg_read(UART_LSR));
    if (ring_used(&uart.tx) == 0) {
        set_ier(uart.ier & (uint8_t)~IER_ETBEI);
        return;
    }
    if (!(uart.ier & IER_ETBEI)) {
        set_ier(uart.ier | IER_ETBEI);
        tx_pump(reg_read(UART_LSR));
    }
}

static void
count_errors(uint8_t lsr)
{
    if (lsr & LSR_OE)
        STAT_INC(serial, rx_overruns);
    if (lsr & (LSR_PE | LSR_FE))
        STAT_INC(serial, rx_errors);
}

/* RTS follows the room, with hysteresis; without any the interrupt is off. */
static void
rx_flow(size_t room)
{
    bool hold = room == 0;
    bool throttle = room < (uart.throttled ? RX_LOW_WATER : RX_HIGH_WATER);

    if (throttle != uart.throttled) {
        uart.throttled = throttle;
        reg_write(UART_MCR, MCR_DTR | MCR_OUT2 | (throttle ? 0 : MCR_RTS));
    }
    if (hold && !uart.held)
        STAT_INC(serial, rx_held);
    uart.held = hold;
    set_ier(hold ? uart.ier & (uint8_t)~IER_ERBFI : uart.ier | IER_ERBFI);
}

/* Read what is there and fits; a break reads as a NUL and is dropped. */
static size_t
rx_take(char *bytes, size_t room)
{
    size_t max = MIN(room, RX_BATCH);
    size_t n = 0;

    for (size_t taken = 0; taken < max; taken++) {
        uint8_t lsr = reg_read(UART_LSR);
        char c;

        if (!(lsr & LSR_DR))
            break;
        c = (char)reg_read(UART_RBR);
        count_errors(lsr);
        if (lsr & LSR_BI)
            continue;
        if (c == ESCAPE)
            uart.saw_escape = true;
        bytes[n++] = c;
    }
    STAT_ADD(serial, rx_bytes, n);
    return n;
}

/*
 * One round: send, receive, and carry the received bytes to the console
 * outside the lock.  Returns whether anything moved.
 */
static bool
service_round(void)
{
    char bytes[RX_BATCH];
    size_t room = console_input_room_irq();
    uint32_t before, after;
    size_t n;

    lock_acquire(&uart.lock);
    before = ring_used(&uart.tx);
    tx_kick();
    after = ring_used(&uart.tx);
    n = rx_take(bytes, room);
    if (uart.started)
        rx_flow(room - n);
    lock_release(&uart.lock);

    if (n > 0)
        console_input_irq(bytes, n);
    if (after < before && after <= TX_RING_SIZE / 2)
        console_output_ready_irq();
    return n > 0 || before != after;
}

/*
 * A new edge if a cause is pending.  A UART that keeps asking and has nothing
 * to say is cut off.  Holds uart.lock.
 */
static void
rearm(bool worked)
{
    uart.idle_irqs = worked ? 0 : uart.idle_irqs + 1;
    if (uart.idle_irqs > IDLE_IRQS_MAX)
        uart.ier = 0;           /* until somebody writes or reads again */
    reg_write(UART_IER, 0);
    reg_write(UART_IER, uart.ier);
}

/*
 * Edges that come while the handler serves their causes bring it back once
 * more with nothing to do, so an interrupt without a cause is still ours if
 * the one before it had one.
 */
static bool
serial_irq(void *arg)
{
    bool worked = false;
    bool ours = false;
    bool echo = uart.was_ours;

    (void)arg;
    for (unsigned i = 0; i < IRQ_ROUNDS; i++) {
        if (reg_read(UART_IIR) & IIR_NONE)
            break;
        ours = true;
        (void)reg_read(UART_MSR);
        worked |= service_round();
    }
    if (ours) {
        STAT_INC(serial, interrupts);
        lock_acquire(&uart.lock);
        uart.irq_seen = true;
        rearm(worked);
        lock_release(&uart.lock);
    }
    uart.was_ours = ours;
    return ours || echo;
}

static struct irq_action serial_action = {
    .handler = serial_irq, .name = "serial",
};

status_t
serial_start(unsigned irq)
{
    status_t status;

    if (!serial_is_present())
        return ERR_NO_DEVICE;
    status = irq_register_isa(irq, &serial_action);
    if (status != OK)
        return status;
    lock_acquire(&uart.lock);
    uart.started = true;
    set_ier(IER_ERBFI);
    lock_release(&uart.lock);
    log_info(MOD_CONSOLE, "serial port=%03x irq=%u fifo=%u",
             uart.port, irq, uart.fifo_depth);
    return OK;
}

size_t
serial_write(const char *text, size_t size)
{
    size_t n;

    lock_acquire(&uart.lock);
    n = ring_write(&uart.tx, text, (uint32_t)MIN(size, TX_RING_SIZE));
    tx_kick();
    lock_release(&uart.lock);
    return n;
}

size_t
serial_write_room(void)
{
    return ring_room(&uart.tx);
}

bool
serial_needs_service(void)
{
    return serial_is_present() &&
           (!atomic_load(&uart.irq_seen) || ring_used(&uart.tx) > 0);
}

bool
serial_service(void)
{
    bool sent;

    if (!serial_is_present())
        return true;
    for (unsigned i = 0; i < SERVICE_ROUNDS && service_round(); i++)
        continue;
    lock_acquire(&uart.lock);
    sent = ring_used(&uart.tx) == 0 && (reg_read(UART_LSR) & LSR_TEMT);
    lock_release(&uart.lock);
    return sent;
}

void
serial_resume_input(void)
{
    if (serial_is_present() && atomic_load(&uart.throttled))
        (void)service_round();
}
