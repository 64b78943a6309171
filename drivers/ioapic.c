/*
 * ioapic.c - I/O APICs behind irq.h (ioapic.h).
 *
 * A chip has two registers in memory: one selects, one is the window to what
 * was selected; ioapic_lock makes a pair of them one operation.  A line's
 * redirection entry is 64 bits: vector, mode and mask in the low half, the
 * destination in the high one.  While an entry changes it is masked.
 */
#include "drivers/ioapic.h"

#include "drivers/lapic.h"
#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/lock.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"

#define IOREGSEL        0x00u
#define IOWIN           0x10u

#define IOAPICVER       0x01u
#define VER_VERSION     BITS(7, 0)
#define VER_MAX_ENTRY   BITS(23, 16)
#define VER_ABSENT      0xffffffffu
#define IOREDTBL        0x10u           /* + 2 * line: low half, then high */

#define REDIR_ACTIVE_LOW BIT(13)
#define REDIR_LEVEL     BIT(15)
#define REDIR_MASKED    BIT(16)
#define REDIR_DEST_SHIFT 24             /* in the high half */

struct ioapic {
    uint8_t *regs;
    unsigned gsi_base;
    unsigned lines;
};

static struct lock ioapic_lock = LOCK_INIT("ioapic", RANK_CHIP);
static struct ioapic ioapics[IOAPIC_MAX];   /* written at start only */
static unsigned count;

/* holds ioapic_lock */
static uint32_t
read_reg(const struct ioapic *io, unsigned reg)
{
    mmio_write32(io->regs + IOREGSEL, reg);
    return mmio_read32(io->regs + IOWIN);
}

/* holds ioapic_lock */
static void
write_reg(const struct ioapic *io, unsigned reg, uint32_t value)
{
    mmio_write32(io->regs + IOREGSEL, reg);
    mmio_write32(io->regs + IOWIN, value);
}

static unsigned
redir_low(const struct ioapic *io, unsigned gsi)
{
    return IOREDTBL + 2 * (gsi - io->gsi_base);
}

/* The one that serves GSI, or NULL. */
static const struct ioapic *
find(unsigned gsi)
{
    for (unsigned i = 0; i < count; i++) {
        const struct ioapic *io = &ioapics[i];

        if (gsi >= io->gsi_base && gsi - io->gsi_base < io->lines)
            return io;
    }
    return NULL;
}

/* Whether one of LINES GSIs from GSI_BASE already belongs to another. */
static bool
overlaps(unsigned gsi_base, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++) {
        if (find(gsi_base + i) != NULL)
            return true;
    }
    return false;
}

/* Firmware may have left lines open, with vectors that mean nothing here. */
static void
mask_all(const struct ioapic *io)
{
    lock_acquire(&ioapic_lock);
    for (unsigned i = 0; i < io->lines; i++)
        write_reg(io, redir_low(io, io->gsi_base + i), REDIR_MASKED);
    lock_release(&ioapic_lock);
}

status_t
ioapic_add(maddr_t base, unsigned gsi_base)
{
    struct ioapic io = { .gsi_base = gsi_base };
    uint32_t version;

    if (count == IOAPIC_MAX)
        return TRACE_ERR(ERR_FULL);
    if (gsi_base >= IRQ_GSI_COUNT)
        return TRACE_ERR(ERR_RANGE);
    io.regs = mmio_map(base, IOWIN + sizeof(uint32_t));
    if (io.regs == NULL)
        return TRACE_ERR(ERR_NO_MEMORY);
    lock_acquire(&ioapic_lock);
    version = read_reg(&io, IOAPICVER);
    lock_release(&ioapic_lock);
    if (version == VER_ABSENT || version == 0)
        return TRACE_ERR(ERR_NO_DEVICE);
    io.lines = FIELD_GET(version, VER_MAX_ENTRY) + 1;
    if (overlaps(gsi_base, io.lines))
        return TRACE_ERR(ERR_EXISTS);
    ioapics[count++] = io;
    mask_all(&io);
    log_info(MOD_IRQ, "I/O APIC at " PRI_maddr " version=%#x gsi=%u..%u",
             maddr_raw(base), FIELD_GET(version, VER_VERSION), gsi_base,
             gsi_base + io.lines - 1);
    return OK;
}

unsigned
ioapic_count(void)
{
    return count;
}

unsigned
ioapic_line_count(void)
{
    unsigned lines = 0;

    for (unsigned i = 0; i < count; i++)
        lines += ioapics[i].lines;
    return lines;
}

/* Delivery mode fixed, destination physical: both are zeros in the entry. */
static status_t
ioapic_route(unsigned gsi, uint8_t vector, struct irq_mode mode)
{
    const struct ioapic *io = find(gsi);
    uint32_t low = vector | REDIR_MASKED |
                   (mode.level ? REDIR_LEVEL : 0) |
                   (mode.active_low ? REDIR_ACTIVE_LOW : 0);

    if (io == NULL)
        return TRACE_ERR(ERR_NOT_FOUND);
    lock_acquire(&ioapic_lock);
    write_reg(io, redir_low(io, gsi), REDIR_MASKED);
    write_reg(io, redir_low(io, gsi) + 1, lapic_id() << REDIR_DEST_SHIFT);
    write_reg(io, redir_low(io, gsi), low);
    lock_release(&ioapic_lock);
    return OK;
}

static void
set_mask(unsigned gsi, uint32_t mask)
{
    const struct ioapic *io = find(gsi);
    uint32_t low;

    if (io == NULL)
        return;
    lock_acquire(&ioapic_lock);
    low = read_reg(io, redir_low(io, gsi)) & ~REDIR_MASKED;
    write_reg(io, redir_low(io, gsi), low | mask);
    lock_release(&ioapic_lock);
}

static void
ioapic_mask(unsigned gsi)
{
    set_mask(gsi, REDIR_MASKED);
}

static void
ioapic_unmask(unsigned gsi)
{
    set_mask(gsi, 0);
}

/* The local APIC tells the I/O APIC where a level line needs it. */
static void
ioapic_eoi(unsigned gsi UNUSED)
{
    lapic_eoi();
}

const struct irq_chip ioapic_chip = {
    .name = "I/O APIC",
    .route = ioapic_route,
    .mask = ioapic_mask,
    .unmask = ioapic_unmask,
    .eoi = ioapic_eoi,
    .eoi_msi = lapic_eoi,
};
