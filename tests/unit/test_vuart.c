/*
 * test_vuart.c - vmm/dev/vuart.c: registers, FIFOs, every cause of interrupts,
 * and a back end that refuses.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpic.h"
#include "vmm/dev/vuart.h"

#define COM1            0x3f8
#define LINE            4

/* Registers. */
#define DATA            0
#define IER             1
#define IIR             2
#define FCR             2
#define LCR             3
#define MCR             4
#define LSR             5
#define MSR             6
#define SCR             7

#define OUT2            0x08
#define LOOP            0x10
#define LSR_EMPTY       0x60
#define CHAR_8N1_9600   (10 * 12 * NSEC_PER_SEC / 115200)

static struct pio_bus bus;
static struct vpic pic;
static struct irq_lines lines;
static struct vuart uart;
static struct vclock clock_;

/* The other end of the line. */
static struct {
    uint8_t sent[256], input[256];
    unsigned sent_count, room, input_next, input_count;
} line;

static bool
backend_write(void *context, uint8_t byte)
{
    assert_ptr_equal(context, &line);
    if (line.room == 0)
        return false;
    line.room--;
    line.sent[line.sent_count++ % sizeof(line.sent)] = byte;
    return true;
}

static bool
backend_read(void *context, uint8_t *byte)
{
    assert_ptr_equal(context, &line);
    if (line.input_next == line.input_count)
        return false;
    *byte = line.input[line.input_next++];
    return true;
}

static void
out(unsigned reg, uint8_t value)
{
    pio_bus_out(&bus, (uint16_t)(COM1 + reg), 1, value);
}

static uint8_t
in(unsigned reg)
{
    return (uint8_t)pio_bus_in(&bus, (uint16_t)(COM1 + reg), 1);
}

static void
type(const char *text)
{
    line.input_count = 0;
    line.input_next = 0;
    for (; *text != '\0'; text++)
        line.input[line.input_count++] = (uint8_t)*text;
    vuart_ready(&uart);
}

static void
pass(uint64_t ns)
{
    clock_.now += ns;
    vuart_type.run(&uart);
}

static bool
irq(void)
{
    return lines.held[LINE] != 0;
}

static int
setup(void **state)
{
    static const struct char_backend_ops ops = { backend_write, backend_read };
    const struct vuart_wiring wiring = {
        &clock_, { &lines, LINE, IRQ_SOURCE_ISA }, { &ops, &line } };
    const struct vdev device = { &vuart_type, &uart };

    (void)state;
    memset(&line, 0, sizeof(line));
    memset(&pic, 0, sizeof(pic));
    memset(&lines, 0, sizeof(lines));
    line.room = sizeof(line.sent);
    clock_.now = NSEC_PER_SEC;
    pio_bus_init(&bus);
    irq_lines_init(&lines, &pic);
    vuart_init(&uart, &bus, COM1, &wiring);
    vdev_power_on(&device);
    return 0;
}

static void
test_reset_state(void **state)
{
    (void)state;
    assert_int_equal(in(IER), 0);
    assert_int_equal(in(IIR), 1);
    assert_int_equal(in(LCR), 0);
    assert_int_equal(in(MCR), 0);
    assert_int_equal(in(LSR), LSR_EMPTY);
    assert_int_equal(in(MSR), 0xb0);
    assert_false(irq());
}

/* What drivers write to see what chip it is. */
static void
test_probe(void **state)
{
    (void)state;
    out(IER, 0xff);
    assert_int_equal(in(IER), 0x0f);
    out(IER, 0);
    out(MCR, 0xff);
    assert_int_equal(in(MCR), 0x1f);
    out(MCR, LOOP | 0x0a);
    assert_int_equal(in(MSR) & 0xf0, 0x90);
    out(MCR, 0);
    out(FCR, 1);
    assert_int_equal(in(IIR) >> 6, 3);      /* 16550A */
    out(FCR, 0);
    assert_int_equal(in(IIR) >> 6, 0);
    out(SCR, 0xa5);
    assert_int_equal(in(SCR), 0xa5);
    out(LCR, 0x83);
    out(0, 0x34);
    out(1, 0x12);
    assert_int_equal(in(0), 0x34);
    assert_int_equal(in(1), 0x12);
    out(LCR, 0x03);
    assert_int_equal(in(1), 0);
    assert_int_equal(uart.divisor, 0x1234);
}

static void
test_send(void **state)
{
    (void)state;
    out(LCR, 3);
    for (const char *s = "hello"; *s != '\0'; s++) {
        assert_int_equal(in(LSR), LSR_EMPTY);
        out(DATA, (uint8_t)*s);
    }
    assert_int_equal(line.sent_count, 5);
    assert_memory_equal(line.sent, "hello", 5);
    /* Seven bits are seven bits. */
    out(LCR, 2);
    out(DATA, 0xc1);
    assert_int_equal(line.sent[5], 0x41);
}

static void
test_back_pressure(void **state)
{
    (void)state;
    out(LCR, 3);
    out(FCR, 1);
    out(MCR, OUT2);
    out(IER, 2);
    assert_int_equal(in(IIR) & 0xf, 2);
    line.room = 3;
    for (unsigned i = 0; i < 19; i++)
        out(DATA, (uint8_t)('a' + i));
    assert_int_equal(line.sent_count, 3);
    assert_int_equal(in(LSR), 0);
    assert_false(irq());
    line.room = 10;
    vuart_ready(&uart);
    assert_int_equal(in(LSR), 0);
    assert_false(irq());
    line.room = 10;
    vuart_ready(&uart);
    assert_int_equal(in(LSR), LSR_EMPTY);
    assert_true(irq());
    assert_int_equal(line.sent_count, 19);
    assert_memory_equal(line.sent, "abcdefghijklmnopqrs", 19);
    /* A cleared FIFO is an empty one. */
    line.room = 0;
    out(DATA, 'x');
    assert_int_equal(in(IIR) & 0xf, 1);
    out(FCR, 5);
    assert_int_equal(in(IIR) & 0xf, 2);
    assert_int_equal(in(LSR), LSR_EMPTY);
}

static void
test_thre_interrupt(void **state)
{
    (void)state;
    out(MCR, OUT2);
    out(IER, 2);
    assert_true(irq());
    assert_int_equal(in(IIR), 2);
    assert_int_equal(in(IIR), 1);           /* reading it clears it */
    assert_false(irq());
    out(IER, 2);                            /* no change, no interrupt */
    assert_false(irq());
    out(IER, 0);
    out(IER, 2);
    assert_true(irq());
    /* A write makes an edge, though the byte is gone at once. */
    vpic_acknowledge(&pic);
    assert_false(vpic_is_requested(&pic, LINE));
    out(DATA, 'x');
    assert_true(vpic_is_requested(&pic, LINE));
    out(MCR, 0);                            /* OUT2 disconnects */
    assert_false(irq());
    assert_int_equal(in(IIR), 2);
}

static void
test_receive_register(void **state)
{
    (void)state;
    out(LCR, 3);
    out(MCR, OUT2);
    out(IER, 1);
    type("ab");
    assert_true(irq());
    assert_int_equal(in(IIR), 4);
    assert_int_equal(in(LSR), LSR_EMPTY | 1);
    vpic_acknowledge(&pic);
    assert_int_equal(in(DATA), 'a');
    /* The next one is an edge of its own. */
    assert_true(vpic_is_requested(&pic, LINE));
    assert_int_equal(in(DATA), 'b');
    assert_int_equal(in(LSR), LSR_EMPTY);
    assert_false(irq());
    assert_int_equal(in(DATA), 0);
}

static void
test_trigger_and_timeout(void **state)
{
    static const uint8_t triggers[] = { 1, 4, 8, 14 };

    (void)state;
    out(LCR, 3);
    out(MCR, OUT2);
    out(IER, 1);
    for (unsigned i = 0; i < ARRAY_LEN(triggers); i++) {
        out(FCR, (uint8_t)(i << 6 | 3));
        type("0123456789abcdef");
        assert_int_equal(in(IIR), 0xc4);
        while (uart.receiver.count >= triggers[i])
            in(DATA);
        assert_int_equal(in(IIR), 0xc1);
    }
    assert_int_equal(uart.receiver.count, 13);
    assert_false(irq());
    assert_true(vuart_type.deadline(&uart) ==
                clock_.now + 4 * CHAR_8N1_9600);
    pass(4 * CHAR_8N1_9600 - 1);
    assert_false(irq());
    pass(1);
    assert_true(irq());
    assert_int_equal(in(IIR), 0xcc);
    assert_true(vuart_type.deadline(&uart) == VDEV_NEVER);
    in(DATA);                               /* starts the time again */
    assert_int_equal(in(IIR), 0xc1);
    assert_false(irq());
    pass(NSEC_PER_SEC);
    assert_true(irq());
    out(FCR, 3);                            /* all gone */
    assert_false(irq());
    assert_int_equal(in(LSR), LSR_EMPTY);
}

/* The FIFO takes 16 and leaves the rest where it is. */
static void
test_flow_from_backend(void **state)
{
    (void)state;
    out(LCR, 3);
    out(FCR, 1);
    type("0123456789abcdefghijklmnop");
    assert_int_equal(line.input_next, 16);
    for (unsigned i = 0; i < 26; i++) {
        assert_int_equal(in(LSR) & 3, 1);
        assert_int_equal(in(DATA), i < 10 ? '0' + i : 'a' + i - 10);
    }
    assert_int_equal(in(LSR), LSR_EMPTY);
}

static void
test_loopback(void **state)
{
    (void)state;
    out(LCR, 3);
    out(MCR, LOOP);
    in(MSR);
    out(DATA, 0x5a);
    assert_int_equal(line.sent_count, 0);
    assert_int_equal(in(LSR), LSR_EMPTY | 1);
    assert_int_equal(in(DATA), 0x5a);
    /* Overrun: the register keeps the last. */
    out(DATA, 1);
    out(DATA, 2);
    out(IER, 4);
    assert_int_equal(in(IIR), 6);
    assert_int_equal(in(LSR), LSR_EMPTY | 3);
    assert_int_equal(in(LSR), LSR_EMPTY | 1);
    assert_int_equal(in(DATA), 2);
    /* ...and the FIFO the first. */
    out(FCR, 1);
    for (unsigned i = 0; i < 17; i++)
        out(DATA, (uint8_t)i);
    assert_int_equal(in(LSR), LSR_EMPTY | 3);
    assert_int_equal(in(DATA), 0);
    /* What is typed waits outside. */
    out(FCR, 3);
    type("z");
    assert_int_equal(line.input_next, 0);
    out(MCR, 0);
    assert_int_equal(in(DATA), 'z');
}

static void
test_modem(void **state)
{
    (void)state;
    out(MCR, LOOP);
    assert_int_equal(in(MSR), 0x0b);        /* all lines fell */
    assert_int_equal(in(MSR), 0);
    out(IER, 8);
    out(MCR, LOOP | 1);
    assert_int_equal(in(IIR), 0);
    assert_int_equal(in(MSR), 0x22);        /* DTR is DSR */
    assert_int_equal(in(IIR), 1);
    out(MCR, LOOP | 2);
    assert_int_equal(in(MSR), 0x13);        /* RTS is CTS */
    out(MCR, LOOP | 4);
    assert_int_equal(in(MSR), 0x41);        /* OUT1 is RI: its end tells */
    out(MCR, LOOP | 8);
    assert_int_equal(in(MSR), 0x8c);        /* OUT2 is DCD */
}

/* Each cause hides the ones below it. */
static void
test_priorities(void **state)
{
    (void)state;
    out(LCR, 3);
    out(MCR, LOOP);
    out(DATA, 1);
    out(DATA, 2);
    out(IER, 0x0f);
    assert_int_equal(in(IIR), 6);
    in(LSR);
    assert_int_equal(in(IIR), 4);
    in(DATA);
    assert_int_equal(in(IIR), 2);
    assert_int_equal(in(IIR), 0);
    in(MSR);
    assert_int_equal(in(IIR), 1);
}

/* A divisor of 0 must not divide by it, nor hang. */
static void
test_strange_divisors(void **state)
{
    static const uint16_t divisors[] = { 0, 1, 0xffff };

    (void)state;
    out(MCR, OUT2);
    out(FCR, 0x41);
    for (unsigned i = 0; i < ARRAY_LEN(divisors); i++) {
        out(LCR, 0x80);
        out(0, (uint8_t)divisors[i]);
        out(1, (uint8_t)(divisors[i] >> 8));
        out(LCR, 0x1f);
        out(IER, 1);
        type("q");
        pass(60 * NSEC_PER_SEC);
        assert_true(irq());
        assert_int_equal(in(DATA), 'q');
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reset_state, setup),
        cmocka_unit_test_setup(test_probe, setup),
        cmocka_unit_test_setup(test_send, setup),
        cmocka_unit_test_setup(test_back_pressure, setup),
        cmocka_unit_test_setup(test_thre_interrupt, setup),
        cmocka_unit_test_setup(test_receive_register, setup),
        cmocka_unit_test_setup(test_trigger_and_timeout, setup),
        cmocka_unit_test_setup(test_flow_from_backend, setup),
        cmocka_unit_test_setup(test_loopback, setup),
        cmocka_unit_test_setup(test_modem, setup),
        cmocka_unit_test_setup(test_priorities, setup),
        cmocka_unit_test_setup(test_strange_divisors, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
