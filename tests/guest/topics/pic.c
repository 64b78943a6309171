/*
 * pic.c - the pair of 8259As: masks, priorities, ends of interrupts, edges and
 * levels.
 *
 * 8259A data sheet ("Initialization command words", "Operation command words",
 * "Fully nested mode", "Automatic rotation", "Special mask mode", "Edge and
 * level triggered modes"); 82371AB 4.2.4 for the ELCR.  Requests are those of
 * the timer, IRQ 0, and of COM2, IRQ 3, which stays up as long as one likes.
 */
#include "guest/devices.h"

#define ELCR            0x4d0
#define ELCR_MASTER_OFF 0x07            /* edges for ever: IRQ 0, 1, 2 */
#define ELCR_SLAVE_OFF  0x21            /* and 8, 13 */
#define OTHER_VECTORS   0x60
#define VEC_TIMER       (VEC_IRQ0 + IRQ_TIMER)
#define VEC_COM2        (VEC_IRQ0 + IRQ_COM2)

#define ICW4_AEOI       0x03
#define OCW2_ROTATE     0xa0            /* EOI, and the lowest priority */
#define OCW2_LOWEST     0xc0            /* level in bits 2:0 */
#define OCW2_ROTATE_OFF 0x00
#define OCW2_ROTATE_ON  0x80            /* at automatic EOIs */
#define OCW3_SMM_ON     0x68
#define OCW3_SMM_OFF    0x48

static void
init_master(uint8_t vectors, uint8_t icw4)
{
    pic_init(PIC1, vectors, BIT(IRQ_CASCADE), icw4);
}

static void
unmask(unsigned levels)
{
    out8(PIC1 + 1, (uint8_t)~levels);
}

static uint32_t
irr(unsigned level)
{
    return pic_read(PIC1, OCW3_READ_IRR) & BIT(level);
}

/* IRQ 0 and IRQ 3 wait, and nothing is in service. */
static void
request_both(void)
{
    init_master(VEC_IRQ0, ICW4_8086);
    (void)timer_request();
    com2_raise();
    unmask(BIT(IRQ_TIMER) | BIT(IRQ_COM2));
}

static void
calm_down(void)
{
    com2_drop();
    timer_stop();
    init_master(VEC_IRQ0, ICW4_8086);
}

static void
check_registers(void)
{
    out8(PIC1 + 1, 0xa5);
    check("the mask reads back", in8(PIC1 + 1), 0xa5);
    (void)timer_request();
    out8(PIC1 + 1, UINT8_MAX);
    check("IRR shows what is masked", irr(IRQ_TIMER), BIT(IRQ_TIMER));
    check("masked, it does not come", vector_taken(), VEC_DONE);
    unmask(BIT(IRQ_TIMER));
    out8(PIC1, OCW3_POLL);
    check("poll", in8(PIC1), 0x80 | IRQ_TIMER);
    check("poll acknowledges", pic_read(PIC1, OCW3_READ_ISR), BIT(IRQ_TIMER));
    out8(PIC1, OCW2_SPECIFIC | IRQ_TIMER);
    check("specific EOI", pic_read(PIC1, OCW3_READ_ISR), 0);
    out8(PIC1, OCW3_POLL);
    check("poll, and there is none", in8(PIC1) & 0x80, 0);
    timer_stop();
}

static void
check_init(void)
{
    init_master(OTHER_VECTORS, ICW4_8086);
    (void)timer_request();
    check("other vectors", vector_taken(), OTHER_VECTORS + IRQ_TIMER);
    out8(PIC1, ICW1_INIT_ICW4);
    check("ICW1 ends what is in service", pic_read(PIC1, OCW3_READ_ISR), 0);
    out8(PIC1 + 1, VEC_IRQ0);
    out8(PIC1 + 1, BIT(IRQ_CASCADE));
    out8(PIC1 + 1, ICW4_8086);
    check("ICW1 unmasks", in8(PIC1 + 1), 0);
    out8(PIC1 + 1, UINT8_MAX);
    com2_raise();
    check("COM2 asks", pic_wait(PIC1, IRQ_COM2), true);
    init_master(VEC_IRQ0, ICW4_8086);
    check("ICW1 forgets edges", irr(IRQ_COM2), 0);
    com2_drop();
    calm_down();
}

static void
check_nesting(void)
{
    request_both();
    check("the higher comes first", vector_taken(), VEC_TIMER);
    check("it keeps the lower out", vector_taken(), VEC_DONE);
    out8(PIC1, OCW2_EOI);
    check("behind its EOI", vector_taken(), VEC_COM2);
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), 100);
    check("the higher asks again", pic_wait(PIC1, IRQ_TIMER), true);
    check("the lower does not keep it out", vector_taken(), VEC_TIMER);
    check("both are in service", pic_read(PIC1, OCW3_READ_ISR),
          BIT(IRQ_TIMER) | BIT(IRQ_COM2));
    out8(PIC1, OCW2_EOI);
    check("EOI ends the higher", pic_read(PIC1, OCW3_READ_ISR),
          BIT(IRQ_COM2));
    calm_down();
}

static void
check_rotation(void)
{
    request_both();
    out8(PIC1, OCW2_LOWEST | IRQ_CASCADE);
    check("set priority: the next one is highest", vector_taken(), VEC_COM2);
    check("set priority: it keeps others out", vector_taken(), VEC_DONE);
    calm_down();
    request_both();
    check("rotation: first", vector_taken(), VEC_TIMER);
    out8(PIC1, OCW2_ROTATE);
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), 100);
    (void)pic_wait(PIC1, IRQ_TIMER);
    check("rotation: who was served is last", vector_taken(), VEC_COM2);
    calm_down();
}

static void
check_modes(void)
{
    request_both();
    (void)vector_taken();
    unmask(BIT(IRQ_COM2));
    check("masked in service, it keeps others out", vector_taken(), VEC_DONE);
    out8(PIC1, OCW3_SMM_ON);
    unmask(BIT(IRQ_COM2));
    check("special mask: it lets them through", vector_taken(), VEC_COM2);
    out8(PIC1, OCW3_SMM_OFF);
    calm_down();
    init_master(VEC_IRQ0, ICW4_AEOI);
    (void)timer_request();
    check("automatic EOI: the vector", vector_taken(), VEC_TIMER);
    check("automatic EOI: not in service", pic_read(PIC1, OCW3_READ_ISR), 0);
    init_master(VEC_IRQ0, ICW4_AEOI);
    out8(PIC1, OCW2_ROTATE_ON);
    (void)timer_request();
    (void)vector_taken();
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), 100);
    com2_raise();
    unmask(BIT(IRQ_TIMER) | BIT(IRQ_COM2));
    (void)pic_wait(PIC1, IRQ_TIMER);
    check("automatic EOI that rotates", vector_taken(), VEC_COM2);
    out8(PIC1, OCW2_ROTATE_OFF);
    calm_down();
}

static void
check_elcr(void)
{
    uint8_t master = in8(ELCR), slave = in8(ELCR + 1);

    out8(ELCR, UINT8_MAX);
    out8(ELCR + 1, UINT8_MAX);
    check("ELCR of the master", in8(ELCR), UINT8_MAX & ~ELCR_MASTER_OFF);
    check("ELCR of the slave", in8(ELCR + 1), UINT8_MAX & ~ELCR_SLAVE_OFF);
    out8(ELCR, 0);
    out8(ELCR + 1, 0);
    check("ELCR: cleared", in8(ELCR) | in8(ELCR + 1), 0);
    out8(ELCR + 1, slave);
    out8(ELCR, master);
}

static void
check_edges(void)
{
    uint8_t elcr = in8(ELCR);

    out8(ELCR, elcr & (uint8_t)~BIT(IRQ_COM2));
    init_master(VEC_IRQ0, ICW4_8086);
    com2_raise();
    unmask(BIT(IRQ_COM2));
    check("an edge comes", vector_taken(), VEC_COM2);
    check("an edge: not in IRR any more", irr(IRQ_COM2), 0);
    out8(PIC1, OCW2_EOI);
    check("an edge comes once", vector_taken(), VEC_DONE);
    com2_drop();
    com2_raise();
    check("the next edge", vector_taken(), VEC_COM2);
    out8(PIC1, OCW2_EOI);
    com2_drop();
    com2_raise();
    com2_drop();
    check("an edge whose line fell: gone", irr(IRQ_COM2), 0);
    out8(ELCR, elcr);
    calm_down();
}

static void
check_levels(void)
{
    uint8_t elcr = in8(ELCR);

    out8(ELCR, elcr | BIT(IRQ_COM2));
    init_master(VEC_IRQ0, ICW4_8086);
    com2_raise();
    unmask(BIT(IRQ_COM2));
    check("a level comes", vector_taken(), VEC_COM2);
    check("a level: still in IRR", irr(IRQ_COM2), BIT(IRQ_COM2));
    check("a level in service does not come", vector_taken(), VEC_DONE);
    out8(PIC1, OCW2_EOI);
    check("a level comes until it falls", vector_taken(), VEC_COM2);
    com2_drop();
    out8(PIC1, OCW2_EOI);
    check("a level that fell: not in IRR", irr(IRQ_COM2), 0);
    check("a level that fell: does not come", vector_taken(), VEC_DONE);
    com2_raise();
    init_master(VEC_IRQ0, ICW4_8086);
    check("ICW1 forgets no level", irr(IRQ_COM2), BIT(IRQ_COM2));
    com2_drop();
    check("a level that nobody took: gone", irr(IRQ_COM2), 0);
    out8(ELCR, elcr);
    calm_down();
}

TOPIC(pic)
{
    check_registers();
    check_init();
    check_nesting();
    check_rotation();
    check_modes();
    check_elcr();
    check_edges();
    check_levels();
}
