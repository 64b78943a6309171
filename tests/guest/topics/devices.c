/*
 * devices.c - the chips of a PC that are there for every operating system:
 * 8259 pair, 8254, MC146818, 16550.
 *
 * 8259A data sheet (OCW2, OCW3, poll), 8254 data sheet (modes 0 and 2, latch,
 * read-back), MC146818 data sheet (registers A to D), PC16550D data sheet (8.4
 * to 8.9).  The line is in use for the report: what the UART says is gathered
 * first and reported when it is a console again.
 */
#include "guest/devices.h"

#define PORT_61         0x61
#define P61_GATE_2      BIT(0)
#define P61_SPEAKER     BIT(1)
#define P61_OUT_2       BIT(5)
#define PIT_STATUS_2    0xe8            /* read back */
#define STATUS_FORMAT   0x3f            /* access, mode, BCD */
#define LONG_COUNT      60000           /* of 1.19 MHz: 50 ms */
#define OTHER_VECTORS   0x60

#define RTC_INDEX       0x70
#define RTC_DATA        0x71
#define RTC_A           0x0a
#define RTC_B           0x0b
#define RTC_C           0x0c
#define RTC_D           0x0d
#define RTC_RATE_8K     0x23            /* with the usual divider */
#define RTC_PIE         BIT(6)
#define RTC_VRT         BIT(7)
#define RTC_PF_IRQF     0xc0
#define CMOS_RAM        0x60            /* a byte of nobody's */

#define COM1            0x3f8
#define COM1_IER        (COM1 + 1)
#define COM1_IIR        (COM1 + 2)
#define COM1_LCR        (COM1 + 3)
#define COM1_MCR        (COM1 + 4)
#define COM1_LSR        (COM1 + 5)
#define COM1_MSR        (COM1 + 6)
#define COM1_SCRATCH    (COM1 + 7)
#define LCR_DLAB        0x83
#define MCR_LOOP        BIT(4)
#define MCR_OUT2        BIT(3)
#define MCR_DTR         BIT(0)
#define MSR_DSR         BIT(5)
#define MSR_LINES       0xf0
#define IER_THRE        BIT(1)
#define IIR_THRE        0x02
#define IIR_NONE        0x01
#define LSR_DR          BIT(0)
#define LSR_TEMT        BIT(6)

SNIPPET(wait, "", "nop", "nop");

/* The vector that comes if interrupts are allowed, or VEC_DONE. */
static uint32_t
vector_taken(void)
{
    struct context c;

    context_init(&c, wait.start, 0);
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    return c.vector;
}

/* --- 8259 ------------------------------------------------------------------*/

static void
init_master(uint8_t vectors)
{
    out8(PIC1, 0x11);                   /* ICW1: edges, cascade, ICW4 */
    out8(PIC1 + 1, vectors);
    out8(PIC1 + 1, BIT(IRQ_CASCADE));
    out8(PIC1 + 1, 1);                  /* ICW4: 8086 */
    out8(PIC1 + 1, UINT8_MAX);
}

static void
check_pic(void)
{
    out8(PIC1 + 1, 0xa5);
    check("PIC: the mask reads back", in8(PIC1 + 1), 0xa5);
    (void)timer_request();
    out8(PIC1 + 1, UINT8_MAX);
    check("PIC: IRR shows what is masked",
          pic_read(PIC1, OCW3_READ_IRR) & BIT(IRQ_TIMER), BIT(IRQ_TIMER));
    check("PIC: masked, it does not come", vector_taken(), VEC_DONE);
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_TIMER));
    out8(PIC1, OCW3_POLL);
    check("PIC: poll", in8(PIC1), 0x80 | IRQ_TIMER);
    check("PIC: poll acknowledges", pic_read(PIC1, OCW3_READ_ISR),
          BIT(IRQ_TIMER));
    out8(PIC1, OCW2_SPECIFIC | IRQ_TIMER);
    check("PIC: specific EOI", pic_read(PIC1, OCW3_READ_ISR), 0);
    timer_stop();
    init_master(OTHER_VECTORS);
    (void)timer_request();
    check("PIC: other vectors", vector_taken(), OTHER_VECTORS + IRQ_TIMER);
    timer_stop();
    init_master(VEC_IRQ0);
}

/* --- 8254 ------------------------------------------------------------------*/

static uint32_t
read_pit(uint16_t port)
{
    uint32_t low = in8(port);

    return low | (uint32_t)in8(port) << 8;
}

static uint32_t
latched_pit_2(void)
{
    out8(PIT_COMMAND, PIT_CHANNEL_2 | PIT_LATCH);
    return read_pit(PIT_2);
}

static bool
wait_out_2(void)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if (in8(PORT_61) & P61_OUT_2)
            return true;
    return false;
}

static void
let_time_pass(void)
{
    for (uint32_t n = 0; n < 100; n++)
        (void)in8(PORT_61);
}

/* Two counts in a row; again if the counter began anew in between. */
static bool
counts_down(void)
{
    for (unsigned tries = 0; tries < 10; tries++) {
        uint32_t first = latched_pit_2();

        let_time_pass();
        if (first <= LONG_COUNT && latched_pit_2() < first)
            return true;
    }
    return false;
}

static void
check_pit(void)
{
    uint8_t port_61 = in8(PORT_61) & ~(P61_GATE_2 | P61_SPEAKER);
    uint32_t first;

    out8(PORT_61, port_61);
    pit_set(PIT_2, PIT_CHANNEL_2 | PIT_LOW_HIGH | PIT_MODE(0), LONG_COUNT);
    out8(PIT_COMMAND, PIT_STATUS_2);
    check("PIT: read-back tells access and mode", in8(PIT_2) & STATUS_FORMAT,
          PIT_LOW_HIGH | PIT_MODE(0));
    check("PIT: mode 0 begins with OUT low", in8(PORT_61) & P61_OUT_2, 0);
    first = latched_pit_2();
    let_time_pass();
    check("PIT: without its gate it does not count", latched_pit_2() == first,
          true);
    out8(PORT_61, port_61 | P61_GATE_2);
    check("PIT: mode 0 ends with OUT high", wait_out_2(), true);
    check("PIT: the gate reads back", in8(PORT_61) & P61_GATE_2, P61_GATE_2);
    pit_set(PIT_2, PIT_CHANNEL_2 | PIT_LOW_HIGH | PIT_MODE(2), LONG_COUNT);
    check("PIT: mode 2 counts down", counts_down(), true);
    out8(PORT_61, port_61);
}

/* --- MC146818 --------------------------------------------------------------*/

static uint8_t
rtc_read(uint8_t index)
{
    out8(RTC_INDEX, index);
    return in8(RTC_DATA);
}

static void
rtc_write(uint8_t index, uint8_t value)
{
    out8(RTC_INDEX, index);
    out8(RTC_DATA, value);
}

static void
check_rtc(void)
{
    uint8_t a = rtc_read(RTC_A) & ~BIT(7), b = rtc_read(RTC_B);
    uint8_t ram = rtc_read(CMOS_RAM);

    check("RTC: the battery is good", rtc_read(RTC_D) & RTC_VRT, RTC_VRT);
    rtc_write(CMOS_RAM, ram ^ UINT8_MAX);
    check("RTC: CMOS RAM", rtc_read(CMOS_RAM), ram ^ UINT8_MAX);
    rtc_write(CMOS_RAM, ram);
    rtc_write(RTC_A, RTC_RATE_8K);
    (void)rtc_read(RTC_C);
    rtc_write(RTC_B, b | RTC_PIE);
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_CASCADE));
    out8(PIC2 + 1, (uint8_t)~BIT(IRQ_RTC - 8));
    check("RTC: a periodic interrupt waits", pic_wait(PIC2, IRQ_RTC - 8),
          true);
    check("RTC: its vector", vector_taken(), VEC_IRQ0 + IRQ_RTC);
    check("RTC: in service at the master", pic_read(PIC1, OCW3_READ_ISR),
          BIT(IRQ_CASCADE));
    check("RTC: in service at the slave", pic_read(PIC2, OCW3_READ_ISR),
          BIT(IRQ_RTC - 8));
    check("RTC: register C tells why", rtc_read(RTC_C) & RTC_PF_IRQF,
          RTC_PF_IRQF);
    rtc_write(RTC_B, b);
    rtc_write(RTC_A, a);
    (void)rtc_read(RTC_C);
    check("RTC: register C is clear when it was read",
          rtc_read(RTC_C) & BIT(7), 0);
    out8(PIC2 + 1, UINT8_MAX);
    out8(PIC2, OCW2_EOI);
    out8(PIC1, OCW2_EOI);
}

/* --- 16550 -----------------------------------------------------------------*/

struct uart_results {
    uint8_t scratch, divisor, looped, lines, no_lines, iir, iir_again, fifo;
    bool has_irq;
};

static void
ask_uart(struct uart_results *u)
{
    while ((in8(COM1_LSR) & LSR_TEMT) == 0)
        cpu_pause();
    out8(COM1_SCRATCH, 0x5a);
    u->scratch = in8(COM1_SCRATCH);
    out8(COM1_LCR, LCR_DLAB);
    u->divisor = in8(COM1);
    out8(COM1_LCR, LCR_DLAB & 3);
    out8(COM1_MCR, MCR_LOOP);
    u->no_lines = in8(COM1_MSR) & MSR_LINES;
    out8(COM1_MCR, MCR_LOOP | MCR_DTR);
    u->lines = in8(COM1_MSR) & MSR_LINES;
    out8(COM1, 0xa7);
    for (uint32_t n = 0; n < PATIENCE && !(in8(COM1_LSR) & LSR_DR); n++)
        cpu_pause();
    u->looped = in8(COM1);
    out8(COM1_MCR, MCR_OUT2 | MCR_DTR);
    (void)in8(COM1_IIR);
    out8(COM1_IER, IER_THRE);
    u->has_irq = pic_wait(PIC1, IRQ_COM1);
    u->iir = in8(COM1_IIR);
    u->iir_again = in8(COM1_IIR);
    out8(COM1_IER, 0);
    out8(COM1_IIR, 1);                  /* FCR: FIFOs on */
    u->fifo = in8(COM1_IIR) & 0xc0;
    report_init();
}

static void
check_uart(void)
{
    struct uart_results u;

    ask_uart(&u);
    check("UART: scratch", u.scratch, 0x5a);
    check("UART: divisor of 115200 baud", u.divisor, 1);
    check("UART: loop, no lines", u.no_lines, 0);
    check("UART: loop, DTR is DSR", u.lines, MSR_DSR);
    check("UART: loop, data", u.looped, 0xa7);
    check("UART: empty asks for an interrupt", u.has_irq, true);
    check("UART: IIR tells why", u.iir, IIR_THRE);
    check("UART: IIR was read", u.iir_again, IIR_NONE);
    check("UART: FIFOs show in IIR", u.fifo, 0xc0);
}

TOPIC(devices)
{
    check_pic();
    check_pit();
    check_rtc();
    check_uart();
}
