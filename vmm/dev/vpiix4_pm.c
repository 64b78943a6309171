/*
 * vpiix4_pm.c - ACPI's fixed hardware (vpiix4_pm.h).
 *
 * The ports appear at the base of register 40h when bit 0 of register 80h is
 * set.  They are handled as doublewords: a write names the bits it covers, so
 * that PMSTS and PMEN, which share one, are apart as they are in the chip.
 *
 * The timer is 24 bits wide and sets TMROF_STS whenever its top bit changes,
 * every 2.3 seconds.  A system control interrupt needs SCI_EN; without it the
 * chip would make an SMI, and there is no system management mode here.
 *
 * Called at port accesses and deadlines, with the VM's devices locked.
 */
#include "vmm/dev/vpiix4_pm.h"

#include "kernel/base/bits.h"
#include "vmm/dev/vpiix4.h"

#define ID              0x71138086u
#define CLASS_OTHER     0x06800008u     /* other bridge, revision 8 */
#define COMMAND_FIXED   0x02800000u
#define COMMAND_IO      BIT(0)
#define STATUS_CLEAR    0x78000000u
#define INTERRUPT_PIN_A 0x00000100u

#define PMBA            0x40u
#define PMBA_IS_IO      BIT(0)
#define PMBA_BASE       BITS(15, 6)
#define PMREGMISC       0x80u
#define PMREGMISC_PMIOSE BIT(0)
#define PM_PORTS        64u

/* Doublewords of the I/O space. */
enum pm_register {
    PM_STATUS_ENABLE = 0x00,
    PM_CONTROL = 0x04,
    PM_TIMER = 0x08,
    PM_GENERAL = 0x0c,          /* GPSTS, GPEN */
    PM_PROCESSOR = 0x10,
    PM_OUTPUTS = 0x34,
};

#define PMSTS_TMROF     BIT(0)
#define PMSTS_PWRBTN    BIT(8)
#define PMSTS_ALL       (BIT(0) | BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(15))
#define PMEN_TMROF      PMSTS_TMROF
#define PMEN_ALL        (BIT(0) | BIT(5) | BIT(8) | BIT(10))
#define PMCNTRL_SCI_EN  BIT(0)
#define PMCNTRL_TYPE    BITS(12, 10)
#define PMCNTRL_SUS_EN  BIT(13)
#define PMCNTRL_STORED  (BIT(0) | BIT(1) | PMCNTRL_TYPE)
#define TYPE_SOFT_OFF   0u
#define PCNTRL_STORED   BITS(18, 0)
#define GPEN_ALL        (BIT(0) | BITS(11, 8))

#define HIGH_WORD       16u
#define TIMER_BITS      BITS(23, 0)
#define TIMER_HALF      BIT(23)         /* periods between changes of the top */
#define BITS_PER_BYTE   8u
#define DWORD_BITS      32u

static const struct vpci_row rows[] = {
    { VPCI_ID, ID, 0, 0 },
    { VPCI_COMMAND, COMMAND_FIXED, COMMAND_IO, STATUS_CLEAR },
    { VPCI_CLASS, CLASS_OTHER, 0, 0 },
    { VPCI_SUBSYSTEM, VPCI_VMWARE_CHIPSET, 0, 0 },
    { VPCI_INTERRUPT, INTERRUPT_PIN_A, VPCI_INTERRUPT_LINE, 0 },
    { PMBA, PMBA_IS_IO, PMBA_BASE, 0 },
    { PMREGMISC, 0, PMREGMISC_PMIOSE, 0 },
};

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vpiix4_pm, function.config, 1),
    VDEV_FIELD(struct vpiix4_pm, synced_at, 1),
    VDEV_FIELD(struct vpiix4_pm, status, 1),
    VDEV_FIELD(struct vpiix4_pm, enable, 1),
    VDEV_FIELD(struct vpiix4_pm, control, 1),
    VDEV_FIELD(struct vpiix4_pm, general_enable, 1),
    VDEV_FIELD(struct vpiix4_pm, processor, 1),
    VDEV_FIELD(struct vpiix4_pm, outputs, 1),
};

static uint64_t
timer_at(uint64_t ns)
{
    return vclock_periods(ns, VPIIX4_PM_TIMER_HZ);
}

static void
update_irq(struct vpiix4_pm *pm)
{
    irq_wire_set(&pm->wiring.sci, (pm->control & PMCNTRL_SCI_EN) != 0 &&
                                  (pm->status & pm->enable) != 0);
}

static void
sync(struct vpiix4_pm *pm)
{
    uint64_t now = pm->wiring.clock->now;

    if (timer_at(now) / TIMER_HALF != timer_at(pm->synced_at) / TIMER_HALF)
        pm->status |= PMSTS_TMROF;
    pm->synced_at = now;
    update_irq(pm);
}

static uint32_t
read_register(const struct vpiix4_pm *pm, unsigned reg)
{
    switch (reg) {
    case PM_STATUS_ENABLE:
        return pm->status | (uint32_t)pm->enable << HIGH_WORD;
    case PM_CONTROL:
        return pm->control;
    case PM_TIMER:
        return (uint32_t)timer_at(pm->wiring.clock->now) & TIMER_BITS;
    case PM_GENERAL:
        return (uint32_t)pm->general_enable << HIGH_WORD;
    case PM_PROCESSOR:
        return pm->processor;
    case PM_OUTPUTS:
        return pm->outputs;
    default:
        return 0;
    }
}

/* Of the sleeping states only soft off exists; SUS_EN reads as 0. */
static void
write_control(struct vpiix4_pm *pm, uint32_t value)
{
    pm->control = value & PMCNTRL_STORED;
    if ((value & PMCNTRL_SUS_EN) &&
        FIELD_GET(value, PMCNTRL_TYPE) == TYPE_SOFT_OFF)
        vboard_request(pm->wiring.board, REQUEST_POWER_OFF);
}

/* Only the bits of BYTES are written; the others are as they were read. */
static void
write_register(struct vpiix4_pm *pm, unsigned reg, uint32_t written,
               uint32_t bytes)
{
    uint32_t value = (read_register(pm, reg) & ~bytes) | (written & bytes);

    switch (reg) {
    case PM_STATUS_ENABLE:
        pm->status &= (uint16_t)~(written & bytes & PMSTS_ALL);
        pm->enable = value >> HIGH_WORD & PMEN_ALL;
        break;
    case PM_CONTROL:
        write_control(pm, value);
        break;
    case PM_GENERAL:
        pm->general_enable = value >> HIGH_WORD & GPEN_ALL;
        break;
    case PM_PROCESSOR:
        pm->processor = value & PCNTRL_STORED;
        break;
    case PM_OUTPUTS:
        pm->outputs = value;
        break;
    default:
        break;
    }
}

static uint32_t
bytes_mask(unsigned size)
{
    return ~0u >> (DWORD_BITS - size * BITS_PER_BYTE);
}

static uint32_t
in(void *device, unsigned offset, unsigned size)
{
    struct vpiix4_pm *pm = device;
    unsigned shift = offset % 4 * BITS_PER_BYTE;

    sync(pm);
    return read_register(pm, ROUND_DOWN(offset, 4)) >> shift &
           bytes_mask(size);
}

static void
out(void *device, unsigned offset, unsigned size, uint32_t value)
{
    struct vpiix4_pm *pm = device;
    unsigned shift = offset % 4 * BITS_PER_BYTE;

    sync(pm);
    write_register(pm, ROUND_DOWN(offset, 4), value << shift,
                   bytes_mask(size) << shift);
    update_irq(pm);
}

/* Put the ports where the guest wants them. */
static void
place_ports(struct vpiix4_pm *pm)
{
    bool is_on = (vpci_config(&pm->function, PMREGMISC) &
                  PMREGMISC_PMIOSE) != 0;
    uint32_t base = vpci_config(&pm->function, PMBA) & PMBA_BASE;

    pio_bus_move(pm->wiring.bus, pm->wiring.range, (uint16_t)base,
                 is_on ? PM_PORTS : 0);
}

static void
written(void *device, unsigned reg)
{
    if (reg == PMBA || reg == PMREGMISC)
        place_ports(device);
}

static const struct vpci_kind kind = {
    .rows = rows, .row_count = ARRAY_LEN(rows), .written = written,
};

static void
reset(void *device)
{
    struct vpiix4_pm *pm = device;

    vpci_function_reset(&pm->function);
    place_ports(pm);
    pm->synced_at = pm->wiring.clock->now;
    update_irq(pm);
}

static void
run(void *device)
{
    sync(device);
}

/* The timer's change of its top bit, if it would interrupt. */
static uint64_t
deadline(const void *device)
{
    const struct vpiix4_pm *pm = device;
    uint64_t changes = timer_at(pm->synced_at) / TIMER_HALF;

    if ((pm->control & PMCNTRL_SCI_EN) == 0 || (pm->status & PMSTS_TMROF) ||
        (pm->enable & PMEN_TMROF) == 0)
        return VDEV_NEVER;
    return vclock_time_of((changes + 1) * TIMER_HALF, VPIIX4_PM_TIMER_HZ);
}

const struct vdev_type vpiix4_pm_type = {
    .name = "piix4_pm", .version = 1, .size = sizeof(struct vpiix4_pm),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run, .deadline = deadline,
};

void
vpiix4_pm_init(struct vpiix4_pm *pm, struct vpci *pci,
               const struct vpiix4_pm_wiring *wiring)
{
    static const struct pio_ops ops = { in, out };

    pm->wiring = *wiring;
    pm->wiring.range = pio_bus_claim(wiring->bus, &(struct pio_range){
        0, 0, PIO_ANY, &ops, pm });
    pm->function.kind = &kind;
    pm->function.device = pm;
    pm->function.slot = VPIIX4_SLOT;
    pm->function.number = VPIIX4_PM_FUNCTION;
    vpci_add(pci, &pm->function);
}

void
vpiix4_pm_press_power(struct vpiix4_pm *pm)
{
    pm->status |= PMSTS_PWRBTN;
    update_irq(pm);
}
