/*
 * uart.c - both 16550As: registers, loopback, FIFOs, and every interrupt.
 *
 * PC16550D data sheet 8.1 to 8.9.  The first is in use for the report: what it
 * says is noted, and told when it is a console again.  Bytes come back by
 * loopback, in which the interrupt does not reach the 8259 (OUT2 is off) but
 * IIR shows it all the same.
 */
#include "guest/devices.h"
#include "kernel/base/format.h"

#define NOTES_MAX       64
#define NAME_SIZE       64

#define LCR_DLAB        BIT(7)
#define LCR_8N1         0x03
#define LCR_5N1         0x00
#define MCR_DTR         BIT(0)
#define MCR_RTS         BIT(1)
#define MCR_OUT1        BIT(2)
#define MCR_LOOP        BIT(4)
#define MSR_CTS         BIT(4)
#define MSR_DSR         BIT(5)
#define MSR_RI          BIT(6)
#define MSR_DCD         BIT(7)
#define MSR_LINES       0xf0
#define MSR_DDSR        BIT(1)
#define MSR_TERI        BIT(2)
#define IER_RECEIVED    BIT(0)
#define IER_LINE        BIT(2)
#define IER_MODEM       BIT(3)
#define IIR_CAUSE       0x0f
#define IIR_FIFOS       0xc0
#define IIR_MODEM       0x00
#define IIR_NONE        0x01
#define IIR_THRE        0x02
#define IIR_RECEIVED    0x04
#define IIR_LINE        0x06
#define IIR_TIMEOUT     0x0c
#define FCR_ON          0x01
#define FCR_CLEAR_RX    0x02
#define FCR_CLEAR_TX    0x04
#define FCR_TRIGGER_8   0x80
#define LSR_DR          BIT(0)
#define LSR_OE          BIT(1)
#define LSR_THRE        BIT(5)
#define FIFO_SIZE       16

static struct note {
    const char *name;
    uint32_t got, expected;
} notes[NOTES_MAX];
static unsigned note_count;
static uint16_t port;

static void
note(const char *name, uint32_t got, uint32_t expected)
{
    if (note_count < NOTES_MAX)
        notes[note_count++] = (struct note){ name, got, expected };
}

static uint8_t
read(unsigned reg)
{
    return in8((uint16_t)(port + reg));
}

static void
write(unsigned reg, uint8_t value)
{
    out8((uint16_t)(port + reg), value);
}

static uint8_t
cause(void)
{
    return read(UART_IIR) & IIR_CAUSE;
}

static bool
wait_lsr(uint8_t bits)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if ((read(UART_LSR) & bits) == bits)
            return true;
    return false;
}

static bool
wait_cause(uint8_t value)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if (cause() == value)
            return true;
    return false;
}

/* By loopback, and wait until it has come. */
static void
send(uint8_t byte)
{
    (void)wait_lsr(LSR_THRE);
    write(0, byte);
    (void)wait_lsr(LSR_TEMT);
}

static void
start(uint8_t mcr, uint8_t fcr)
{
    (void)wait_lsr(LSR_TEMT);
    write(UART_IER, 0);
    write(UART_LCR, LCR_8N1);
    write(UART_MCR, mcr);
    write(UART_IIR, (uint8_t)(fcr == 0 ? 0 : fcr | FCR_CLEAR_RX |
                                             FCR_CLEAR_TX));
    (void)read(0);
    (void)read(UART_LSR);
    (void)read(UART_MSR);
    (void)read(UART_IIR);
}

static void
ask_registers(void)
{
    start(0, 0);
    write(UART_SCRATCH, 0x5a);
    note("scratch", read(UART_SCRATCH), 0x5a);
    write(UART_LCR, LCR_DLAB | LCR_8N1);
    write(0, 1);
    write(1, 0);
    note("divisor, low", read(0), 1);
    note("divisor, high", read(1), 0);
    note("LCR reads back", read(UART_LCR), LCR_DLAB | LCR_8N1);
    write(UART_LCR, LCR_8N1);
    write(UART_IER, 0xff);
    note("IER has four bits", read(UART_IER), 0x0f);
    write(UART_IER, 0);
    note("IIR without FIFOs", read(UART_IIR) & ~IIR_CAUSE, 0);
    write(UART_IIR, FCR_ON);
    note("IIR with FIFOs", read(UART_IIR) & ~IIR_CAUSE, IIR_FIFOS);
    write(UART_MCR, 0xe0 | MCR_DTR | MCR_RTS);
    note("MCR has five bits", read(UART_MCR), MCR_DTR | MCR_RTS);
}

static void
ask_modem(void)
{
    start(MCR_LOOP, 0);
    note("loop: no lines", read(UART_MSR) & MSR_LINES, 0);
    write(UART_MCR, MCR_LOOP | MCR_DTR);
    note("loop: DTR is DSR", read(UART_MSR), MSR_DSR | MSR_DDSR);
    note("loop: deltas are told once", read(UART_MSR), MSR_DSR);
    write(UART_MCR, MCR_LOOP | MCR_RTS);
    note("loop: RTS is CTS", read(UART_MSR) & MSR_LINES, MSR_CTS);
    write(UART_MCR, MCR_LOOP | MCR_OUT1);
    note("loop: OUT1 is RI", read(UART_MSR) & (MSR_LINES | MSR_TERI), MSR_RI);
    write(UART_MCR, MCR_LOOP | MCR_OUT2);
    note("loop: RI's end is told, OUT2 is DCD",
         read(UART_MSR) & (MSR_LINES | MSR_TERI), MSR_DCD | MSR_TERI);
    write(UART_IER, IER_MODEM);
    note("modem: no interrupt", cause(), IIR_NONE);
    write(UART_MCR, MCR_LOOP);
    note("modem: an interrupt", cause(), IIR_MODEM);
    (void)read(UART_MSR);
    note("modem: until MSR is read", cause(), IIR_NONE);
}

static void
ask_register_mode(void)
{
    start(MCR_LOOP, 0);
    note("LSR: empty", read(UART_LSR), LSR_THRE | LSR_TEMT);
    send(0xa7);
    note("LSR: a byte", read(UART_LSR) & LSR_DR, LSR_DR);
    write(UART_IER, IER_RECEIVED | IER_LINE);
    note("a byte is an interrupt", cause(), IIR_RECEIVED);
    note("data by loopback", read(0), 0xa7);
    note("until it is read", cause(), IIR_NONE);
    note("LSR: no byte any more", read(UART_LSR) & LSR_DR, 0);
    send(1);
    write(0, 2);
    (void)wait_cause(IIR_LINE);
    note("an overrun is an interrupt, and first", cause(), IIR_LINE);
    note("LSR: overrun", read(UART_LSR) & LSR_OE, LSR_OE);
    note("LSR: told once", read(UART_LSR) & LSR_OE, 0);
    note("the byte is the new one", read(0), 2);
    write(UART_LCR, LCR_5N1);
    send(0xff);
    note("five bits", read(0), 0x1f);
    write(UART_LCR, LCR_8N1);
}

/*
 * Bytes 0 to 6 wait below the trigger.  The timeout may come again before one
 * has looked, so there are several tries; returns how many were read.
 */
static uint8_t
ask_timeout(void)
{
    bool is_right = true, is_over = false;
    uint8_t n = 0;

    note("timeout: it interrupts", wait_cause(IIR_TIMEOUT), true);
    while (n < 6 && !is_over) {
        is_right &= read(0) == n++;
        is_over = cause() == IIR_NONE;
    }
    note("timeout: bytes in order", is_right, true);
    note("timeout: reading ends it", is_over, true);
    note("timeout: it comes again", wait_cause(IIR_TIMEOUT), true);
    return n;
}

/* One byte more than there is room for; does an overrun show? */
static bool
overruns(void)
{
    for (uint8_t n = 0; n < FIFO_SIZE; n++)
        send(n);
    write(0, FIFO_SIZE);
    return wait_lsr(LSR_OE);
}

static void
ask_fifo(void)
{
    bool is_right = true;
    uint8_t first, last;

    start(MCR_LOOP, FCR_ON | FCR_TRIGGER_8);
    write(UART_IER, IER_RECEIVED);
    for (uint8_t n = 0; n < 7; n++)
        send(n);
    first = ask_timeout();
    for (last = 7; last < first + 8; last++)
        send(last);
    note("FIFO: the trigger interrupts", cause(), IIR_RECEIVED);
    for (uint8_t n = first; n < last; n++)
        is_right &= read(0) == n;
    note("FIFO: all in order", is_right, true);
    note("FIFO: empty", read(UART_LSR) & LSR_DR, 0);
    note("FIFO: no interrupt", cause(), IIR_NONE);
    note("FIFO: overrun", overruns(), true);
    note("FIFO: it keeps the old", read(0), 0);
    write(UART_IIR, FCR_ON | FCR_CLEAR_RX);
    note("FIFO: cleared", read(UART_LSR) & LSR_DR, 0);
    send(1);
    write(UART_IIR, 0);
    note("FIFO: switched off, it is cleared", read(UART_LSR) & LSR_DR, 0);
}

static void
ask_transmitter(unsigned irq)
{
    start(MCR_LOOP, 0);
    write(UART_IER, IER_THRE);
    note("THRE: enabled when empty, an interrupt", cause(), IIR_THRE);
    note("THRE: IIR was read", cause(), IIR_NONE);
    send(1);
    note("THRE: empty again", wait_cause(IIR_THRE), true);
    write(UART_IER, 0);
    write(UART_IER, IER_THRE);
    write(UART_IER, IER_THRE | IER_RECEIVED);
    note("THRE: behind a byte received", cause(), IIR_RECEIVED);
    (void)read(0);
    note("THRE: still there", cause(), IIR_THRE);
    start(MCR_OUT2 | MCR_DTR, 0);
    pic_init(PIC1, VEC_IRQ0, BIT(IRQ_CASCADE), ICW4_8086);
    write(UART_IER, IER_THRE);
    note("OUT2 lets it through to the 8259", pic_wait(PIC1, irq), true);
    write(UART_IER, 0);
    note("disabled, the line falls", cause(), IIR_NONE);
    start(MCR_DTR, 0);
    pic_init(PIC1, VEC_IRQ0, BIT(IRQ_CASCADE), ICW4_8086);
    write(UART_IER, IER_THRE);
    note("without OUT2, not", pic_read(PIC1, OCW3_READ_IRR) & BIT(irq), 0);
    write(UART_IER, 0);
}

static void
check_port(const char *name, uint16_t at, unsigned irq)
{
    char text[NAME_SIZE];

    port = at;
    note_count = 0;
    ask_registers();
    ask_modem();
    ask_register_mode();
    ask_fifo();
    ask_transmitter(irq);
    report_init();
    for (unsigned n = 0; n < note_count; n++) {
        format_buf(text, sizeof(text), "%s: %s", name, notes[n].name);
        check(text, notes[n].got, notes[n].expected);
    }
}

TOPIC(uart)
{
    check_port("COM1", COM1, IRQ_COM1);
    check_port("COM2", COM2, IRQ_COM2);
}
