/*
 * vfirmware.c - what firmware would have done to the devices, for kernels that
 * are booted without one (chipset.h).
 *
 * It is done as firmware does it, by writing to ports and configuration space:
 * interrupt controllers at the vectors of real mode with everything masked,
 * the timer at 18.2 Hz, refresh on, PCI's interrupts on level-triggered lines
 * 10 and 11, the power management ports in place, and sizes of memory in CMOS.
 *
 * Called by the owner when the VM is made or reset, before its vcpu runs.
 */
#include "vmm/dev/chipset.h"

#include "kernel/base/bits.h"

#define MASTER_PORT     0x20u
#define SLAVE_PORT      0xa0u
#define ICW1            0x11u
#define MASTER_VECTOR   0x08u
#define SLAVE_VECTOR    0x70u
#define MASTER_ICW3     BIT(IRQ_CASCADE)
#define ICW4            0x01u
#define ALL_MASKED      0xffu

#define PIT_PORT        0x40u
#define PIT_CONTROL     0x43u
#define TIMER_SQUARE    0x36u           /* counter 0, both bytes, mode 3 */
#define REFRESH_RATE    0x54u           /* counter 1, low byte, mode 2 */
#define REFRESH_COUNT   18u

#define PCI_ADDRESS     0xcf8u
#define PCI_DATA        0xcfcu
#define PCI_ENABLE      BIT(31)
#define PCI_SLOT        BITS(15, 11)
#define PCI_FUNCTION    BITS(10, 8)

#define PIRQRC          0x60u
#define PIRQ_LINES      0x0b0a0b0au     /* A and C on 10, B and D on 11 */
#define ELCR_PORT       0x4d0u
#define ELCR_LEVEL      (BIT(IRQ_POWER) | BIT(10) | BIT(11))
#define PMBA            0x40u
#define PM_PORT         0x1000u
#define PMREGMISC       0x80u
#define PMIOSE          BIT(0)

/* Memory in CMOS: the IBM AT's places, and those of later firmware. */
enum cmos_register {
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_KB = 0x15,        /* two bytes each, low first */
    CMOS_EXTENDED_KB = 0x17,
    CMOS_CHECKED_FIRST = 0x10,
    CMOS_CHECKED_LAST = 0x2d,
    CMOS_CHECKSUM = 0x2e,       /* high byte first */
    CMOS_EXTENDED_KB_2 = 0x30,
    CMOS_ABOVE_16_MB = 0x34,    /* in units of 64 KB */
};
#define EQUIPMENT_FPU   BIT(1)
#define BASE_KB         640u
#define HIGH_BYTE       8u
#define BELOW_PCI       0xe0000000u     /* where memory ends at the latest */

static void
out8(struct chipset *c, uint16_t port, uint8_t value)
{
    chipset_port_out(c, port, 1, value);
}

static void
set_up_pic(struct chipset *c, uint16_t port, uint8_t vector, uint8_t icw3)
{
    out8(c, port, ICW1);
    out8(c, port + 1, vector);
    out8(c, port + 1, icw3);
    out8(c, port + 1, ICW4);
    out8(c, port + 1, ALL_MASKED);
}

static void
set_up_timer(struct chipset *c)
{
    out8(c, PIT_CONTROL, TIMER_SQUARE);
    out8(c, PIT_PORT, 0);
    out8(c, PIT_PORT, 0);
    out8(c, PIT_CONTROL, REFRESH_RATE);
    out8(c, PIT_PORT + 1, REFRESH_COUNT);
}

static void
write_pci(struct chipset *c, unsigned function, unsigned reg, uint32_t value)
{
    uint32_t address = PCI_ENABLE | FIELD_SET(0, PCI_SLOT, VPIIX4_SLOT) |
                       FIELD_SET(0, PCI_FUNCTION, function) | reg;

    chipset_port_out(c, PCI_ADDRESS, 4, address);
    chipset_port_out(c, PCI_DATA, 4, value);
}

static void
set_up_bridges(struct chipset *c)
{
    write_pci(c, 0, PIRQRC, PIRQ_LINES);
    chipset_port_out(c, ELCR_PORT, 2, ELCR_LEVEL);
    write_pci(c, VPIIX4_PM_FUNCTION, PMBA, PM_PORT);
    write_pci(c, VPIIX4_PM_FUNCTION, PMREGMISC, PMIOSE);
    write_pci(c, VPIIX4_PM_FUNCTION, VPCI_INTERRUPT, IRQ_POWER);
}

static void
set_word(struct chipset *c, unsigned reg, uint64_t value)
{
    uint64_t word = MIN(value, UINT16_MAX);

    vrtc_set_memory(&c->rtc, reg, (uint8_t)word);
    vrtc_set_memory(&c->rtc, reg + 1, (uint8_t)(word >> HIGH_BYTE));
}

static void
set_up_cmos(struct chipset *c)
{
    uint64_t bytes = MIN(c->config.memory_bytes, BELOW_PCI);
    uint64_t above_1_mb = bytes > MB(1) ? bytes - MB(1) : 0;
    uint64_t above_16_mb = bytes > MB(16) ? bytes - MB(16) : 0;
    unsigned sum = 0;

    vrtc_set_memory(&c->rtc, CMOS_EQUIPMENT, EQUIPMENT_FPU);
    set_word(c, CMOS_BASE_KB, BASE_KB);
    set_word(c, CMOS_EXTENDED_KB, above_1_mb / KB(1));
    set_word(c, CMOS_EXTENDED_KB_2, above_1_mb / KB(1));
    set_word(c, CMOS_ABOVE_16_MB, above_16_mb / KB(64));
    for (unsigned reg = CMOS_CHECKED_FIRST; reg <= CMOS_CHECKED_LAST; reg++)
        sum += c->rtc.cmos[reg];
    vrtc_set_memory(&c->rtc, CMOS_CHECKSUM, (uint8_t)(sum >> HIGH_BYTE));
    vrtc_set_memory(&c->rtc, CMOS_CHECKSUM + 1, (uint8_t)sum);
}

void
chipset_set_up(struct chipset *c)
{
    set_up_pic(c, MASTER_PORT, MASTER_VECTOR, MASTER_ICW3);
    set_up_pic(c, SLAVE_PORT, SLAVE_VECTOR, IRQ_CASCADE);
    set_up_timer(c);
    set_up_bridges(c);
    set_up_cmos(c);
}
