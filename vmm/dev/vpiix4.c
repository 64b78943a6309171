/*
 * vpiix4.c - PIRQ routing, and the rest of the bridge's configuration space as
 * stored values (vpiix4.h).
 *
 * Invariant: PIRQ n holds line route[n], and no other, exactly while a device
 * asserts it; connect() goes through that state whatever the guest writes.
 *
 * Called at port accesses and by PCI devices, with the VM's devices locked.
 * 82371AB 4.1.7 (PIRQRC), 4.1.4 (XBCS), 4.1.17 (GENCFG).
 */
#include "vmm/dev/vpiix4.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"

#define ID              0x71108086u
#define CLASS_ISA       0x06010008u     /* ISA bridge, revision 8 */
#define COMMAND_FIXED   0x02800007u
#define COMMAND_SPECIAL BIT(3)
#define STATUS_CLEAR    0x78000000u

#define IORT_XBCS       0x4cu
#define IORT_XBCS_DEFAULT 0x0003004du
#define PIRQRC          0x60u           /* A to D, a byte each */
#define PIRQRC_DEFAULT  0x80808080u
#define PIRQRC_WRITABLE 0x8f8f8f8fu
#define SERIRQC         0x64u
#define SERIRQC_DEFAULT 0x00000010u
#define TOM             0x68u
#define TOM_DEFAULT     0x00000200u
#define TOM_WRITABLE    0x0000fe00u
#define GENCFG          0xb0u
#define RTCCFG          0xc8u           /* at CBh */
#define RTCCFG_DEFAULT  0x21000000u
#define RTCCFG_WRITABLE 0x3d000000u

#define PIRQ_OFF        BIT(7)
#define PIRQ_LINE       BITS(3, 0)
#define BITS_PER_BYTE   8u
/* Lines that no PIRQ can be on: PIRQRC's table. */
#define NOT_ROUTABLE    (BIT(IRQ_TIMER) | BIT(IRQ_KEYBOARD) | \
                         BIT(IRQ_CASCADE) | BIT(IRQ_RTC) | BIT(IRQ_FPU))

static const struct vpci_row rows[] = {
    { VPCI_ID, ID, 0, 0 },
    { VPCI_COMMAND, COMMAND_FIXED, COMMAND_SPECIAL, STATUS_CLEAR },
    { VPCI_CLASS, CLASS_ISA, 0, 0 },
    { VPCI_HEADER, VPCI_MULTIFUNCTION, 0, 0 },
    { VPCI_SUBSYSTEM, VPCI_VMWARE_CHIPSET, 0, 0 },
    { IORT_XBCS, IORT_XBCS_DEFAULT, ~0u, 0 },
    { PIRQRC, PIRQRC_DEFAULT, PIRQRC_WRITABLE, 0 },
    { SERIRQC, SERIRQC_DEFAULT, BITS(7, 0), 0 },
    { TOM, TOM_DEFAULT, TOM_WRITABLE, 0 },
    { GENCFG, 0, ~0u, 0 },
    { RTCCFG, RTCCFG_DEFAULT, RTCCFG_WRITABLE, 0 },
};

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vpiix4, pirq_levels, 1),
    VDEV_FIELD(struct vpiix4, route, 1),
    VDEV_FIELD(struct vpiix4, function.config, 1),
};

/* The line that the guest wants PIRQ n on; 0: none. */
static uint8_t
wanted_route(const struct vpiix4 *bridge, unsigned n)
{
    uint32_t reg = vpci_config(&bridge->function, PIRQRC) >>
                   n * BITS_PER_BYTE;
    unsigned line = FIELD_GET(reg, PIRQ_LINE);

    if ((reg & PIRQ_OFF) || (BIT(line) & NOT_ROUTABLE))
        return 0;
    return (uint8_t)line;
}

static void
drive(struct vpiix4 *bridge, unsigned n, bool is_up)
{
    const struct irq_wire wire = { bridge->lines, bridge->route[n],
                                   (uint8_t)(IRQ_SOURCE_PIRQ_A + n) };

    if (wire.line != 0)
        irq_wire_set(&wire, is_up);
}

static void
connect(struct vpiix4 *bridge)
{
    for (unsigned n = 0; n < VPIIX4_PIRQS; n++) {
        drive(bridge, n, false);
        bridge->route[n] = wanted_route(bridge, n);
        drive(bridge, n, (bridge->pirq_levels & BIT(n)) != 0);
    }
}

static void
written(void *device, unsigned reg)
{
    if (reg == PIRQRC)
        connect(device);
}

static const struct vpci_kind kind = {
    .rows = rows, .row_count = ARRAY_LEN(rows), .written = written,
};

static void
reset(void *device)
{
    struct vpiix4 *bridge = device;

    vpci_function_reset(&bridge->function);
}

const struct vdev_type vpiix4_type = {
    .name = "piix4", .version = 1, .size = sizeof(struct vpiix4),
    .fields = fields, .field_count = ARRAY_LEN(fields), .reset = reset,
};

void
vpiix4_init(struct vpiix4 *bridge, struct vpci *pci, struct irq_lines *lines)
{
    bridge->lines = lines;
    bridge->function.kind = &kind;
    bridge->function.device = bridge;
    bridge->function.slot = VPIIX4_SLOT;
    vpci_add(pci, &bridge->function);
}

void
vpiix4_set_pin(struct vpiix4 *bridge, unsigned slot, unsigned pin,
               bool is_asserted)
{
    unsigned n = (slot + pin) % VPIIX4_PIRQS;

    ASSERT(pin < VPIIX4_PIRQS);
    if (is_asserted)
        bridge->pirq_levels |= (uint8_t)BIT(n);
    else
        bridge->pirq_levels &= (uint8_t)~BIT(n);
    drive(bridge, n, is_asserted);
}
