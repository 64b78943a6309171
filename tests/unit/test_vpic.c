/*
 * test_vpic.c - vmm/dev/vpic.c and irq_lines.c, through the ports and wires of
 * a PC, in the sequences that operating systems use.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vpic.h"

#define MASTER          0x20
#define SLAVE           0xa0
#define ELCR            0x4d0
#define BASE            0x20        /* vectors */
#define SLAVE_BASE      0x28

#define ICW1            0x11
#define EOI             0x20
#define SPECIFIC_EOI    0x60
#define ROTATE_EOI      0xa0
#define ROTATE_SPECIFIC 0xe0
#define SET_PRIORITY    0xc0
#define ROTATE_AEOI_ON  0x80
#define ROTATE_AEOI_OFF 0x00
#define READ_IRR        0x0a
#define READ_ISR        0x0b
#define POLL            0x0c
#define SMM_ON          0x68
#define SMM_OFF         0x48
#define ICW4            0x01
#define ICW4_AEOI       0x03
#define ICW4_SFNM       0x11

static struct pio_bus bus;
static struct vpic pic;
static struct irq_lines lines;

static void
out(uint16_t port, uint8_t value)
{
    pio_bus_out(&bus, port, 1, value);
}

static uint8_t
in(uint16_t port)
{
    return (uint8_t)pio_bus_in(&bus, port, 1);
}

static void
line(unsigned number, bool is_up)
{
    struct irq_wire wire = { &lines, (uint8_t)number, IRQ_SOURCE_ISA };

    irq_wire_set(&wire, is_up);
}

/* As every PC operating system begins. */
static void
program(uint8_t icw4)
{
    out(MASTER, ICW1);
    out(SLAVE, ICW1);
    out(MASTER + 1, BASE);
    out(SLAVE + 1, SLAVE_BASE);
    out(MASTER + 1, 4);
    out(SLAVE + 1, 2);
    out(MASTER + 1, icw4);
    out(SLAVE + 1, icw4);
}

static int
setup(void **state)
{
    const struct vdev pic_device = { &vpic_type, &pic };
    const struct vdev lines_device = { &irq_lines_type, &lines };

    (void)state;
    pio_bus_init(&bus);
    vpic_init(&pic, &bus);
    irq_lines_init(&lines, &pic);
    vdev_power_on(&pic_device);
    vdev_power_on(&lines_device);
    program(ICW4);
    return 0;
}

static void
expect_vector(unsigned vector)
{
    assert_true(vpic_is_pending(&pic));
    assert_int_equal(vpic_acknowledge(&pic), vector);
}

static uint8_t
read_isr(uint16_t port)
{
    out(port, READ_ISR);
    return in(port);
}

static uint8_t
read_irr(uint16_t port)
{
    out(port, READ_IRR);
    return in(port);
}

static void
test_edge(void **state)
{
    (void)state;
    assert_false(vpic_is_pending(&pic));
    line(3, true);
    assert_int_equal(read_irr(MASTER), BIT(3));
    expect_vector(BASE + 3);
    assert_int_equal(read_isr(MASTER), BIT(3));
    assert_int_equal(read_irr(MASTER), 0);
    out(MASTER, EOI);
    assert_int_equal(read_isr(MASTER), 0);
    /* Still up is no new edge. */
    assert_false(vpic_is_pending(&pic));
    line(3, false);
    line(3, true);
    expect_vector(BASE + 3);
}

static void
test_masks(void **state)
{
    (void)state;
    out(MASTER + 1, 0xfb);
    out(SLAVE + 1, 0xff);
    assert_int_equal(in(MASTER + 1), 0xfb);
    assert_int_equal(in(SLAVE + 1), 0xff);
    line(4, true);
    line(10, true);
    assert_false(vpic_is_pending(&pic));
    /* A masked request waits. */
    out(MASTER + 1, 0xeb);
    expect_vector(BASE + 4);
    out(MASTER, EOI);
    out(SLAVE + 1, 0);
    expect_vector(SLAVE_BASE + 2);
}

static void
test_nesting(void **state)
{
    (void)state;
    line(5, true);
    expect_vector(BASE + 5);
    line(6, true);
    assert_false(vpic_is_pending(&pic));
    line(1, true);
    expect_vector(BASE + 1);
    assert_int_equal(read_isr(MASTER), BIT(1) | BIT(5));
    out(MASTER, EOI);           /* ends the highest: 1 */
    assert_int_equal(read_isr(MASTER), BIT(5));
    out(MASTER, SPECIFIC_EOI | 5);
    expect_vector(BASE + 6);
}

static void
test_cascade(void **state)
{
    (void)state;
    line(12, true);
    line(8, true);
    expect_vector(SLAVE_BASE + 0);
    assert_int_equal(read_isr(MASTER), BIT(2));
    assert_int_equal(read_isr(SLAVE), BIT(0));
    assert_false(vpic_is_pending(&pic));
    out(SLAVE, EOI);
    out(MASTER, EOI);
    expect_vector(SLAVE_BASE + 4);
    /* Either order of the two EOIs must do. */
    line(14, true);
    out(MASTER, SPECIFIC_EOI | 2);
    assert_false(vpic_is_pending(&pic));
    out(SLAVE, SPECIFIC_EOI | 4);
    expect_vector(SLAVE_BASE + 6);
}

/* In fully nested mode line 8 waits for line 12's EOI at the master. */
static void
test_special_fully_nested(void **state)
{
    (void)state;
    line(12, true);
    expect_vector(SLAVE_BASE + 4);
    line(8, true);
    assert_false(vpic_is_pending(&pic));

    line(8, false);
    line(12, false);
    program(ICW4_SFNM);
    line(12, true);
    expect_vector(SLAVE_BASE + 4);
    line(8, true);
    expect_vector(SLAVE_BASE + 0);
    line(3, true);
    assert_false(vpic_is_pending(&pic));
}

static void
test_level(void **state)
{
    (void)state;
    out(ELCR, 0xff);
    out(ELCR + 1, 0xff);
    assert_int_equal(in(ELCR), 0xf8);
    assert_int_equal(in(ELCR + 1), 0xde);
    line(11, true);
    expect_vector(SLAVE_BASE + 3);
    assert_int_equal(read_irr(SLAVE), BIT(3));
    assert_false(vpic_is_pending(&pic));
    out(SLAVE, EOI);
    out(MASTER, EOI);
    /* Still up: again. */
    expect_vector(SLAVE_BASE + 3);
    line(11, false);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    assert_false(vpic_is_pending(&pic));
    /* To edge: what is up now is no request any more. */
    line(5, true);
    assert_true(vpic_is_pending(&pic));
    out(ELCR, 0);
    assert_false(vpic_is_pending(&pic));
}

static void
test_shared_line(void **state)
{
    const struct irq_wire a = { &lines, 10, IRQ_SOURCE_PIRQ_A };
    const struct irq_wire d = { &lines, 10, IRQ_SOURCE_PIRQ_D };

    (void)state;
    out(ELCR + 1, BIT(2));
    irq_wire_set(&a, true);
    irq_wire_set(&d, true);
    expect_vector(SLAVE_BASE + 2);
    irq_wire_set(&a, false);
    irq_wire_set(&a, false);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    expect_vector(SLAVE_BASE + 2);
    irq_wire_set(&d, false);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    assert_false(vpic_is_pending(&pic));
}

static void
test_spurious(void **state)
{
    (void)state;
    line(3, true);
    line(3, false);
    assert_false(vpic_is_pending(&pic));
    assert_int_equal(vpic_acknowledge(&pic), BASE + 7);
    assert_int_equal(read_isr(MASTER), 0);
    /* A real line 7 does go into service. */
    line(7, true);
    expect_vector(BASE + 7);
    assert_int_equal(read_isr(MASTER), BIT(7));
}

static void
test_rotation(void **state)
{
    (void)state;
    line(3, true);
    line(4, true);
    expect_vector(BASE + 3);
    out(MASTER, ROTATE_EOI);        /* 3 is the lowest, 4 the highest now */
    line(3, false);
    line(3, true);
    line(2 + 8, true);
    expect_vector(BASE + 4);
    out(MASTER, ROTATE_SPECIFIC | 4);
    line(5, true);
    expect_vector(BASE + 5);
    out(MASTER, EOI);
    expect_vector(SLAVE_BASE + 2);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    out(MASTER, SET_PRIORITY | 2);  /* 3 is the highest */
    line(0, true);
    expect_vector(BASE + 3);
    assert_false(vpic_is_pending(&pic));
    out(MASTER, EOI);
    expect_vector(BASE + 0);
}

static void
test_automatic_eoi(void **state)
{
    (void)state;
    program(ICW4_AEOI);
    line(3, true);
    line(4, true);
    expect_vector(BASE + 3);
    assert_int_equal(read_isr(MASTER), 0);
    expect_vector(BASE + 4);
    /* Two of the slave's in a row need two edges at the master. */
    line(9, true);
    line(10, true);
    expect_vector(SLAVE_BASE + 1);
    expect_vector(SLAVE_BASE + 2);
    assert_false(vpic_is_pending(&pic));

    out(MASTER, ROTATE_AEOI_ON);
    line(0, true);
    expect_vector(BASE + 0);
    line(0, false);
    line(0, true);
    line(7, true);
    expect_vector(BASE + 7);
    out(MASTER, ROTATE_AEOI_OFF);
    expect_vector(BASE + 0);
}

static void
test_special_mask(void **state)
{
    (void)state;
    line(1, true);
    expect_vector(BASE + 1);
    line(6, true);
    assert_false(vpic_is_pending(&pic));
    out(MASTER + 1, BIT(1));
    out(MASTER, SMM_ON);
    expect_vector(BASE + 6);
    /* A non-specific EOI does not see the masked one. */
    out(MASTER, EOI);
    assert_int_equal(read_isr(MASTER), BIT(1));
    out(MASTER, EOI);
    assert_int_equal(read_isr(MASTER), BIT(1));
    out(MASTER, SMM_OFF);
    out(MASTER, EOI);
    assert_int_equal(read_isr(MASTER), 0);
}

static void
test_poll(void **state)
{
    (void)state;
    out(MASTER, POLL);
    assert_int_equal(in(MASTER), 0);
    line(12, true);
    line(5, true);
    out(MASTER, POLL);
    assert_int_equal(in(MASTER), 0x80 | 2);
    out(SLAVE, POLL);
    assert_int_equal(in(SLAVE + 1), 0x80 | 4);
    assert_int_equal(read_isr(SLAVE), BIT(4));
    /* One read only. */
    assert_int_equal(in(MASTER + 1), 0);
    out(SLAVE, EOI);
    out(MASTER, EOI);
    expect_vector(BASE + 5);
}

static void
test_initialization(void **state)
{
    (void)state;
    out(MASTER + 1, 0x55);
    line(5, true);
    line(0, true);
    out(MASTER, READ_ISR);
    out(MASTER, ICW1 | 2);          /* single: no ICW3 */
    assert_int_equal(in(MASTER), 0);
    assert_int_equal(in(MASTER + 1), 0);
    out(MASTER + 1, 0x47);
    out(MASTER + 1, ICW4);
    out(MASTER + 1, 0xf0);
    assert_int_equal(in(MASTER + 1), 0xf0);
    /* An edge from before does not count. */
    assert_false(vpic_is_pending(&pic));
    line(0, false);
    line(0, true);
    expect_vector(0x40);
    /* Without ICW4 its modes are off. */
    program(ICW4_AEOI);
    out(MASTER, ICW1 & ~1);
    out(MASTER + 1, BASE);
    out(MASTER + 1, 4);
    out(MASTER + 1, 0xff);
    assert_int_equal(in(MASTER + 1), 0xff);
    out(MASTER + 1, 0);
    line(1, true);
    expect_vector(BASE + 1);
    assert_int_equal(read_isr(MASTER), BIT(1));
}

/* How Linux finds a controller, and 16-bit writes of old BIOSes. */
static void
test_ports(void **state)
{
    (void)state;
    pio_bus_out(&bus, ELCR, 2, 0x0e20);
    assert_int_equal(pio_bus_in(&bus, ELCR, 2), 0x0e20);
    assert_int_equal(pio_bus_in(&bus, MASTER, 4), 0xffff0000);
    assert_int_equal(pio_bus_in(&bus, 0xffff, 4), 0xffffffff);
    pio_bus_out(&bus, 0xffff, 4, 0);
}

static void
test_fields_are_all(void **state)
{
    (void)state;
    assert_int_equal(vpic_type.field_count, 1);
    assert_int_equal(vpic_type.fields[0].size, sizeof(struct vpic));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_edge, setup),
        cmocka_unit_test_setup(test_masks, setup),
        cmocka_unit_test_setup(test_nesting, setup),
        cmocka_unit_test_setup(test_cascade, setup),
        cmocka_unit_test_setup(test_special_fully_nested, setup),
        cmocka_unit_test_setup(test_level, setup),
        cmocka_unit_test_setup(test_shared_line, setup),
        cmocka_unit_test_setup(test_spurious, setup),
        cmocka_unit_test_setup(test_rotation, setup),
        cmocka_unit_test_setup(test_automatic_eoi, setup),
        cmocka_unit_test_setup(test_special_mask, setup),
        cmocka_unit_test_setup(test_poll, setup),
        cmocka_unit_test_setup(test_initialization, setup),
        cmocka_unit_test_setup(test_ports, setup),
        cmocka_unit_test_setup(test_fields_are_all, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
