/*
 * pic.c - the 8259A pair (pic.h).
 *
 * Works in fully nested mode with specific EOIs.  A request that goes away
 * before it is acknowledged is delivered as the chip's lowest line, 7 or 15,
 * without a bit in the in-service register: that is a spurious interrupt and
 * gets no EOI, but the master wants one for its line 2 if it was the slave's.
 *
 * pic_lock guards the mask registers and their copy.
 */
#include "drivers/pic.h"

#include "kernel/base/bits.h"
#include "kernel/lock.h"
#include "kernel/x86/cpu.h"

#define MASTER_COMMAND  0x20u
#define MASTER_DATA     0x21u
#define SLAVE_COMMAND   0xa0u
#define SLAVE_DATA      0xa1u
#define ELCR_MASTER     0x4d0u
#define ELCR_SLAVE      0x4d1u
#define IMCR_INDEX      0x22u
#define IMCR_DATA       0x23u

#define ICW1_IC4        BIT(0)          /* an ICW4 follows */
#define ICW1_INIT       BIT(4)
#define ICW3_CASCADE    2u              /* line of the slave */
#define ICW4_UPM        BIT(0)          /* 8086 mode */
#define OCW2_SPECIFIC_EOI 0x60u         /* | line */
#define OCW3_READ_ISR   0x0bu

#define IMCR_SELECT     0x70u
#define IMCR_TO_APIC    0x01u

#define CHIP_LINES      8u
#define CHIP_LAST       7u              /* where the spurious ones appear */
#define ALL_MASKED      0xffffu

/* The lines that stay edge-triggered whatever one asks (82371FB 2.7.1). */
#define ELCR_FIXED_EDGE (BIT(0) | BIT(1) | BIT(2) | BIT(8) | BIT(13))

static struct lock pic_lock = LOCK_INIT("pic", RANK_CHIP);
static uint16_t masks = ALL_MASKED;     /* guarded by pic_lock */

/* A bit clear in a mask register lets the line through. */
static void
write_masks(void)
{
    out8(MASTER_DATA, (uint8_t)masks);
    out8(SLAVE_DATA, (uint8_t)(masks >> CHIP_LINES));
}

static void
init_chip(uint16_t command, uint8_t vector, uint8_t cascade)
{
    uint16_t data = (uint16_t)(command + 1);

    out8(command, ICW1_INIT | ICW1_IC4);
    out8(data, vector);
    out8(data, cascade);
    out8(data, ICW4_UPM);
}

void
pic_init(void)
{
    init_chip(MASTER_COMMAND, VEC_DEVICE_FIRST, BIT(ICW3_CASCADE));
    init_chip(SLAVE_COMMAND, VEC_DEVICE_FIRST + CHIP_LINES, ICW3_CASCADE);
    masks = (uint16_t)(ALL_MASKED & ~BIT(ICW3_CASCADE));
    write_masks();
}

void
pic_disconnect(void)
{
    out8(IMCR_INDEX, IMCR_SELECT);
    out8(IMCR_DATA, IMCR_TO_APIC);
}

static void
set_mask(unsigned line, bool masked)
{
    lock_acquire(&pic_lock);
    if (masked)
        masks |= (uint16_t)BIT(line);
    else
        masks &= (uint16_t)~BIT(line);
    write_masks();
    lock_release(&pic_lock);
}

static void
pic_mask(unsigned gsi)
{
    set_mask(gsi, true);
}

static void
pic_unmask(unsigned gsi)
{
    set_mask(gsi, false);
}

/* Edge or level by the ELCR, which knows no polarity: level means low. */
static void
set_level(unsigned line, bool level)
{
    uint16_t port = line < CHIP_LINES ? ELCR_MASTER : ELCR_SLAVE;
    uint8_t bit = (uint8_t)BIT(line % CHIP_LINES);
    uint8_t elcr = in8(port);

    if (BIT(line) & ELCR_FIXED_EDGE)
        return;
    out8(port, level ? elcr | bit : elcr & (uint8_t)~bit);
}

/* The vector is given by the line's number. */
static status_t
pic_route(unsigned gsi, uint8_t vector, struct irq_mode mode)
{
    if (gsi >= PIC_LINES || gsi == ICW3_CASCADE ||
        vector != VEC_DEVICE_FIRST + gsi)
        return TRACE_ERR(ERR_NOT_FOUND);
    pic_mask(gsi);
    set_level(gsi, mode.level);
    return OK;
}

static void
pic_eoi(unsigned gsi)
{
    if (gsi < CHIP_LINES) {
        out8(MASTER_COMMAND, (uint8_t)(OCW2_SPECIFIC_EOI | gsi));
        return;
    }
    out8(SLAVE_COMMAND, (uint8_t)(OCW2_SPECIFIC_EOI | (gsi - CHIP_LINES)));
    out8(MASTER_COMMAND, OCW2_SPECIFIC_EOI | ICW3_CASCADE);
}

static bool
in_service(uint16_t command, unsigned line)
{
    out8(command, OCW3_READ_ISR);
    return in8(command) & BIT(line);
}

static bool
pic_is_spurious(unsigned gsi)
{
    if (gsi == CHIP_LAST)
        return !in_service(MASTER_COMMAND, CHIP_LAST);
    if (gsi != CHIP_LINES + CHIP_LAST || in_service(SLAVE_COMMAND, CHIP_LAST))
        return false;
    out8(MASTER_COMMAND, OCW2_SPECIFIC_EOI | ICW3_CASCADE);
    return true;
}

const struct irq_chip pic_chip = {
    .name = "8259A",
    .route = pic_route,
    .mask = pic_mask,
    .unmask = pic_unmask,
    .eoi = pic_eoi,
    .is_spurious = pic_is_spurious,
};
