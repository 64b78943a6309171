/*
 * vpic.c - the pair of 8259As (vpic.h).
 *
 * Invariant: the master's input 2 is the slave's INT output, at the end of
 * every function; update_cascade() keeps it.
 *
 * An edge is latched in IRR and stays there until it is acknowledged or its
 * line goes low again: so a device that withdraws its request in between
 * causes the spurious interrupt 7 or 15 of the data sheet ("Edge and level
 * triggered modes").  A level shows in IRR as it is.  Priorities rotate:
 * `lowest` is the line of lowest priority, the next one has the highest.
 *
 * The pattern of every model: state and its table, registers by their data
 * sheet's names, one function per command word, then ports and wires.
 */
#include "vmm/dev/vpic.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "vmm/dev/irq_lines.h"

#define CHIP_LINES      8u
#define NO_LINE         CHIP_LINES
#define LAST_LINE       7u              /* where the spurious ones appear */

/* Ports; each chip has a command and a data port. */
#define MASTER_PORT     0x20u
#define SLAVE_PORT      0xa0u
#define ELCR_PORT       0x4d0u
#define PORT_DATA       1u

#define ICW1_IC4        BIT(0)          /* an ICW4 follows */
#define ICW1_SNGL       BIT(1)          /* no ICW3 */
#define ICW1_INIT       BIT(4)
#define ICW2_VECTOR     BITS(7, 3)
#define ICW4_AEOI       BIT(1)
#define ICW4_SFNM       BIT(4)
#define OCW3_SELECT     BIT(3)          /* else OCW2, as ICW1_INIT is 0 */
#define OCW2_LINE       BITS(2, 0)
#define OCW2_COMMAND    BITS(7, 5)
#define OCW3_RIS        BIT(0)          /* read ISR, else IRR... */
#define OCW3_RR         BIT(1)          /* ...if this is set */
#define OCW3_POLL       BIT(2)
#define OCW3_SMM        BIT(5)          /* special mask mode... */
#define OCW3_ESMM       BIT(6)          /* ...if this is set */
#define POLL_REQUEST    BIT(7)

enum ocw2_command {
    OCW2_ROTATE_AEOI_OFF = 0,
    OCW2_EOI = 1,
    OCW2_NOP = 2,
    OCW2_SPECIFIC_EOI = 3,
    OCW2_ROTATE_AEOI_ON = 4,
    OCW2_ROTATE_EOI = 5,
    OCW2_SET_PRIORITY = 6,
    OCW2_ROTATE_SPECIFIC_EOI = 7,
};

/* What the next write to the data port is. */
enum vpic_init {
    EXPECT_OCW1 = 0,
    EXPECT_ICW2 = BIT(0),
    EXPECT_ICW3 = BIT(1),       /* after ICW2 */
    EXPECT_ICW4 = BIT(2),       /* after those */
};

enum vpic_mode {
    MODE_AEOI = BIT(0),
    MODE_ROTATE_AEOI = BIT(1),
    MODE_SFNM = BIT(2),         /* special fully nested */
    MODE_SMM = BIT(3),          /* special mask */
    MODE_READ_ISR = BIT(4),
    MODE_POLL = BIT(5),         /* the next read is an acknowledge */
};

/* Lines that stay edge-triggered whatever one asks: 82371AB 4.2.4. */
static const uint8_t elcr_fixed_edge[VPIC_CHIPS] = {
    BIT(IRQ_TIMER) | BIT(IRQ_KEYBOARD) | BIT(IRQ_CASCADE),
    BIT(IRQ_RTC - CHIP_LINES) | BIT(IRQ_FPU - CHIP_LINES),
};

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vpic, chip, 1),
};

static bool
has_mode(const struct vpic_chip *c, enum vpic_mode mode)
{
    return (c->mode & mode) != 0;
}

static void
set_mode(struct vpic_chip *c, enum vpic_mode mode, bool is_on)
{
    c->mode = (uint8_t)(is_on ? c->mode | mode : c->mode & ~mode);
}

static unsigned
line_of_rank(const struct vpic_chip *c, unsigned rank)
{
    return (c->lowest + 1 + rank) % CHIP_LINES;
}

/* The line of BITS that has the highest priority, or NO_LINE. */
static unsigned
highest(const struct vpic_chip *c, unsigned bits)
{
    for (unsigned rank = 0; rank < CHIP_LINES; rank++)
        if (bits & BIT(line_of_rank(c, rank)))
            return line_of_rank(c, rank);
    return NO_LINE;
}

/* Lines in service; special mask mode forgets those that are masked. */
static unsigned
blocking(const struct vpic_chip *c)
{
    return has_mode(c, MODE_SMM) ? c->isr & ~(unsigned)c->imr : c->isr;
}

/*
 * The line whose request would be acknowledged, or NO_LINE.  Lines in service
 * keep their own and lower priorities out; but with special full nesting the
 * cascade lets another request of the slave through.
 */
static unsigned
requested(const struct vpic_chip *c)
{
    unsigned requests = c->irr & ~(unsigned)c->imr;
    unsigned line = highest(c, requests | blocking(c));

    if (line == NO_LINE || (requests & BIT(line)) == 0)
        return NO_LINE;
    if ((blocking(c) & BIT(line)) == 0)
        return line;
    return has_mode(c, MODE_SFNM) && line == IRQ_CASCADE ? line : NO_LINE;
}

static void
set_input(struct vpic_chip *c, unsigned line, bool is_up)
{
    unsigned bit = BIT(line);
    bool was_up = (c->input & bit) != 0;

    if (!is_up) {
        c->input &= (uint8_t)~bit;
        c->irr &= (uint8_t)~bit;
        return;
    }
    c->input |= (uint8_t)bit;
    if (!was_up || (c->elcr & bit) != 0)
        c->irr |= (uint8_t)bit;
}

static void
update_cascade(struct vpic *pic)
{
    set_input(&pic->chip[0], IRQ_CASCADE, requested(&pic->chip[1]) != NO_LINE);
}

/* INTA for one chip: its line goes into service.  Spurious: LAST_LINE. */
static unsigned
acknowledge(struct vpic_chip *c)
{
    unsigned line = requested(c);

    if (line == NO_LINE)
        return LAST_LINE;
    if ((c->elcr & BIT(line)) == 0)
        c->irr &= (uint8_t)~BIT(line);
    if (!has_mode(c, MODE_AEOI))
        c->isr |= (uint8_t)BIT(line);
    else if (has_mode(c, MODE_ROTATE_AEOI))
        c->lowest = (uint8_t)line;
    return line;
}

static void
end_of_interrupt(struct vpic_chip *c, unsigned line, bool rotate)
{
    if (line == NO_LINE)
        return;
    c->isr &= (uint8_t)~BIT(line);
    if (rotate)
        c->lowest = (uint8_t)line;
}

/* All but vector and lines starts afresh, and edges must be new ones. */
static void
write_icw1(struct vpic_chip *c, unsigned value)
{
    c->irr = c->input & c->elcr;
    c->isr = 0;
    c->imr = 0;
    c->lowest = LAST_LINE;
    c->mode = 0;
    c->init = EXPECT_ICW2;
    if ((value & ICW1_SNGL) == 0)
        c->init |= EXPECT_ICW3;
    if (value & ICW1_IC4)
        c->init |= EXPECT_ICW4;
}

static void
write_ocw2(struct vpic_chip *c, unsigned value)
{
    unsigned line = FIELD_GET(value, OCW2_LINE);
    enum ocw2_command command = FIELD_GET(value, OCW2_COMMAND);

    switch (command) {
    case OCW2_ROTATE_AEOI_OFF:
    case OCW2_ROTATE_AEOI_ON:
        set_mode(c, MODE_ROTATE_AEOI, command == OCW2_ROTATE_AEOI_ON);
        break;
    case OCW2_EOI:
    case OCW2_ROTATE_EOI:
        end_of_interrupt(c, highest(c, blocking(c)),
                         command == OCW2_ROTATE_EOI);
        break;
    case OCW2_SPECIFIC_EOI:
    case OCW2_ROTATE_SPECIFIC_EOI:
        end_of_interrupt(c, line, command == OCW2_ROTATE_SPECIFIC_EOI);
        break;
    case OCW2_SET_PRIORITY:
        c->lowest = (uint8_t)line;
        break;
    case OCW2_NOP:
        break;
    }
}

static void
write_ocw3(struct vpic_chip *c, unsigned value)
{
    if (value & OCW3_ESMM)
        set_mode(c, MODE_SMM, (value & OCW3_SMM) != 0);
    if (value & OCW3_RR)
        set_mode(c, MODE_READ_ISR, (value & OCW3_RIS) != 0);
    if (value & OCW3_POLL)
        set_mode(c, MODE_POLL, true);
}

static void
write_command(struct vpic_chip *c, unsigned value)
{
    if (value & ICW1_INIT)
        write_icw1(c, value);
    else if (value & OCW3_SELECT)
        write_ocw3(c, value);
    else
        write_ocw2(c, value);
}

/* ICW3 says where the slave is, which on a PC is in the wires. */
static void
write_data(struct vpic_chip *c, unsigned value)
{
    if (c->init & EXPECT_ICW2) {
        c->vector = (uint8_t)(value & ICW2_VECTOR);
        c->init &= (uint8_t)~EXPECT_ICW2;
    } else if (c->init & EXPECT_ICW3) {
        c->init &= (uint8_t)~EXPECT_ICW3;
    } else if (c->init & EXPECT_ICW4) {
        set_mode(c, MODE_AEOI, (value & ICW4_AEOI) != 0);
        set_mode(c, MODE_SFNM, (value & ICW4_SFNM) != 0);
        c->init = EXPECT_OCW1;
    } else {
        c->imr = (uint8_t)value;
    }
}

/* Polling is an acknowledge whose answer is a line, not a vector; or 0. */
static unsigned
poll(struct vpic_chip *c)
{
    set_mode(c, MODE_POLL, false);
    if (requested(c) == NO_LINE)
        return 0;
    return POLL_REQUEST | acknowledge(c);
}

static uint32_t
chip_in(struct vpic *pic, struct vpic_chip *c, unsigned offset)
{
    uint32_t value;

    if (has_mode(c, MODE_POLL)) {
        value = poll(c);
        update_cascade(pic);
        return value;
    }
    if (offset == PORT_DATA)
        return c->imr;
    return has_mode(c, MODE_READ_ISR) ? c->isr : c->irr;
}

static void
chip_out(struct vpic *pic, struct vpic_chip *c, unsigned offset,
         uint32_t value)
{
    if (offset == PORT_DATA)
        write_data(c, value);
    else
        write_command(c, value);
    update_cascade(pic);
}

static uint32_t
master_in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vpic *pic = device;

    return chip_in(pic, &pic->chip[0], offset);
}

static void
master_out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vpic *pic = device;

    chip_out(pic, &pic->chip[0], offset, value);
}

static uint32_t
slave_in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vpic *pic = device;

    return chip_in(pic, &pic->chip[1], offset);
}

static void
slave_out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vpic *pic = device;

    chip_out(pic, &pic->chip[1], offset, value);
}

static uint32_t
elcr_in(void *device, unsigned offset, UNUSED unsigned size)
{
    struct vpic *pic = device;

    return pic->chip[offset].elcr;
}

/* Lines that become level-triggered request as they are; others anew. */
static void
elcr_out(void *device, unsigned offset, UNUSED unsigned size, uint32_t value)
{
    struct vpic *pic = device;
    struct vpic_chip *c = &pic->chip[offset];
    unsigned elcr = value & ~(uint32_t)elcr_fixed_edge[offset];
    unsigned changed = elcr ^ c->elcr;

    c->elcr = (uint8_t)elcr;
    c->irr = (uint8_t)((c->irr & ~changed) | (c->input & changed & elcr));
    update_cascade(pic);
}

static void
reset(void *device)
{
    struct vpic *pic = device;

    for (unsigned i = 0; i < VPIC_CHIPS; i++)
        pic->chip[i].lowest = LAST_LINE;
}

const struct vdev_type vpic_type = {
    .name = "8259", .version = 1, .size = sizeof(struct vpic),
    .fields = fields, .field_count = ARRAY_LEN(fields), .reset = reset,
};

void
vpic_init(struct vpic *pic, struct pio_bus *bus)
{
    static const struct pio_ops master = { master_in, master_out };
    static const struct pio_ops slave = { slave_in, slave_out };
    static const struct pio_ops elcr = { elcr_in, elcr_out };

    pio_bus_claim(bus, &(struct pio_range){
        MASTER_PORT, 2, PIO_BYTE, &master, pic });
    pio_bus_claim(bus, &(struct pio_range){
        SLAVE_PORT, 2, PIO_BYTE, &slave, pic });
    pio_bus_claim(bus, &(struct pio_range){
        ELCR_PORT, VPIC_CHIPS, PIO_BYTE, &elcr, pic });
}

void
vpic_set_line(struct vpic *pic, unsigned line, bool is_up)
{
    ASSERT(line < IRQ_LINES && line != IRQ_CASCADE);
    set_input(&pic->chip[line / CHIP_LINES], line % CHIP_LINES, is_up);
    update_cascade(pic);
}

bool
vpic_is_requested(const struct vpic *pic, unsigned line)
{
    return (pic->chip[line / CHIP_LINES].irr & BIT(line % CHIP_LINES)) != 0;
}

bool
vpic_is_pending(const struct vpic *pic)
{
    return requested(&pic->chip[0]) != NO_LINE;
}

/* The slave's INT falls with INTA, so that its next request is an edge. */
uint8_t
vpic_acknowledge(struct vpic *pic)
{
    struct vpic_chip *master = &pic->chip[0], *slave = &pic->chip[1];
    bool is_slaves = requested(master) == IRQ_CASCADE;
    unsigned line = acknowledge(master);

    if (!is_slaves)
        return (uint8_t)(master->vector | line);
    line = acknowledge(slave);
    set_input(master, IRQ_CASCADE, false);
    update_cascade(pic);
    return (uint8_t)(slave->vector | line);
}
