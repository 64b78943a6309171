/*
 * pci.c - registers of one PCI function: base addresses, capabilities,
 * messages, command (pci.h).
 *
 * A doubleword that holds the command holds the status too, whose bits are
 * cleared by writing ones: it is always written with zeros there.
 *
 * Pure but for the accesses through `config`.
 */
#include "drivers/pci.h"

#include "drivers/pci_int.h"

#define BAR_IO          BIT(0)
#define BAR_IO_ADDR     BITS(31, 2)
#define BAR_MEM_TYPE    BITS(2, 1)
#define BAR_MEM_64      2u
#define BAR_PREFETCH    BIT(3)
#define BAR_MEM_ADDR    BITS(31, 4)
#define BRIDGE_BARS     2u
#define IO_SPACE        0xffffu

/* Capabilities lie behind the header, and each takes 4 bytes at least. */
#define CAP_FIRST       0x40u
#define CAP_POINTER     BITS(7, 2)
#define CAP_NEXT        BITS(15, 8)
#define CAP_ID          BITS(7, 0)
#define CAPS_MAX        ((PCI_CONFIG_SIZE - CAP_FIRST) / 4)

#define MSI_ENABLE      BIT(16)
#define MSI_COUNT       BITS(22, 20)    /* of vectors, log 2 */
#define MSI_64          BIT(23)
#define MSI_ADDRESS     4u              /* offsets in the capability */
#define MSI_ADDRESS_HIGH 8u
#define MSI_DATA_32     8u
#define MSI_DATA_64     12u
#define MSI_APIC        0xfee00000u     /* SDM 3A 10.11.1 */
#define MSI_APIC_ID     BITS(19, 12)

#define ISA_LINES       16u

static const struct pci_config *access;

void
pci_set_config(const struct pci_config *config)
{
    access = config;
}

uint32_t
pci_config_read(struct pci_address address, unsigned reg)
{
    return access->read(address, reg);
}

void
pci_config_write(struct pci_address address, unsigned reg, uint32_t value)
{
    access->write(address, reg, value);
}

uint32_t
pci_read(const struct pci_device *dev, unsigned reg)
{
    return access->read(dev->address, reg);
}

void
pci_write(const struct pci_device *dev, unsigned reg, uint32_t value)
{
    access->write(dev->address, reg, value);
}

void
pci_enable(const struct pci_device *dev, uint16_t command_bits)
{
    uint32_t command = pci_read(dev, PCI_REG_COMMAND) & PCI_COMMAND;

    pci_write(dev, PCI_REG_COMMAND, command | command_bits);
}

/* --- Base address registers ---------------------------------------------- */

/* The bits that can be set, which tell the size; puts the old value back. */
static uint32_t
probe_bar(const struct pci_device *dev, unsigned reg, uint32_t old)
{
    uint32_t mask;

    pci_write(dev, reg, UINT32_MAX);
    mask = pci_read(dev, reg);
    pci_write(dev, reg, old);
    return mask;
}

/*
 * The lowest bit that can be set is the size, if all above it can be set too;
 * anything else is no address register.
 */
static void
set_range(struct pci_bar *bar, uint64_t base, uint64_t mask)
{
    uint64_t size = mask & (0 - mask);

    if (mask == 0 || (mask | (size - 1)) != UINT64_MAX) {
        *bar = (struct pci_bar){ .kind = PCI_BAR_NONE };
        return;
    }
    bar->base = base & mask;
    bar->size = size;
}

/* I/O registers may leave the upper half at zero, as ports end at 64 K. */
static void
size_io_bar(struct pci_bar *bar, uint32_t old, uint32_t mask)
{
    uint32_t ports = mask & BAR_IO_ADDR & IO_SPACE;

    bar->kind = PCI_BAR_IO;
    set_range(bar, old & BAR_IO_ADDR & IO_SPACE,
              ports == 0 ? 0 : ports | ~(uint64_t)IO_SPACE);
}

static void
size_mem32_bar(struct pci_bar *bar, uint32_t old, uint32_t mask)
{
    uint32_t bits = mask & BAR_MEM_ADDR;

    bar->kind = PCI_BAR_MEM32;
    set_range(bar, old & BAR_MEM_ADDR,
              bits == 0 ? 0 : bits | ~(uint64_t)UINT32_MAX);
}

static void
size_mem64_bar(const struct pci_device *dev, unsigned reg,
               struct pci_bar *bar)
{
    uint32_t low = pci_read(dev, reg);
    uint32_t high = pci_read(dev, reg + 4);
    uint64_t mask = probe_bar(dev, reg, low) & BAR_MEM_ADDR;

    mask |= (uint64_t)probe_bar(dev, reg + 4, high) << 32;
    bar->kind = PCI_BAR_MEM64;
    set_range(bar, (uint64_t)high << 32 | (low & BAR_MEM_ADDR), mask);
}

/* Returns how many registers it takes: a 64-bit one takes two. */
static unsigned
size_bar(struct pci_device *dev, unsigned index, unsigned count)
{
    unsigned reg = PCI_REG_BAR0 + index * 4;
    struct pci_bar *bar = &dev->bars[index];
    uint32_t old = pci_read(dev, reg);

    if (old & BAR_IO) {
        size_io_bar(bar, old, probe_bar(dev, reg, old));
        return 1;
    }
    bar->prefetchable = old & BAR_PREFETCH;
    if (FIELD_GET(old, BAR_MEM_TYPE) != BAR_MEM_64) {
        size_mem32_bar(bar, old, probe_bar(dev, reg, old));
        return 1;
    }
    if (index + 1 < count)
        size_mem64_bar(dev, reg, bar);
    return 2;
}

/*
 * Ranges full of ones would collide with everybody's, so the device may not
 * answer to addresses meanwhile.
 */
void
pci_size_bars(struct pci_device *dev)
{
    unsigned count = dev->header == PCI_HEADER_DEVICE ? PCI_BARS :
                     dev->header == PCI_HEADER_BRIDGE ? BRIDGE_BARS : 0;
    uint32_t command = pci_read(dev, PCI_REG_COMMAND) & PCI_COMMAND;

    pci_write(dev, PCI_REG_COMMAND,
              command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (unsigned i = 0; i < count; )
        i += size_bar(dev, i, count);
    pci_write(dev, PCI_REG_COMMAND, command);
}

/* --- Capabilities and interrupts ----------------------------------------- */

/* The two low bits of a pointer are reserved, and ignored (PCI 3.0, 6.7). */
static unsigned
first_capability(const struct pci_device *dev)
{
    if (dev->header > PCI_HEADER_BRIDGE ||
        !(pci_read(dev, PCI_REG_COMMAND) & PCI_STATUS_CAPS))
        return 0;
    return pci_read(dev, PCI_REG_CAPS) & CAP_POINTER;
}

/* How many capabilities lie before OFFSET; CAPS_MAX if it is not listed. */
static unsigned
capability_rank(const struct pci_device *dev, unsigned offset)
{
    unsigned at = first_capability(dev);
    unsigned rank = 0;

    while (at >= CAP_FIRST && at != offset && rank < CAPS_MAX) {
        at = FIELD_GET(pci_read(dev, at), CAP_NEXT) & CAP_POINTER;
        rank++;
    }
    return at == offset ? rank : CAPS_MAX;
}

/*
 * A list that comes back to itself is seen by the successor not lying further
 * along the list than the capability itself.
 */
unsigned
pci_next_capability(const struct pci_device *dev, unsigned after,
                    uint8_t *id)
{
    unsigned at = after == 0 ? first_capability(dev) :
                  FIELD_GET(pci_read(dev, after), CAP_NEXT) & CAP_POINTER;

    if (at < CAP_FIRST)
        return 0;
    if (after != 0 &&
        capability_rank(dev, at) <= capability_rank(dev, after))
        return 0;
    *id = (uint8_t)FIELD_GET(pci_read(dev, at), CAP_ID);
    return at;
}

unsigned
pci_find_capability(const struct pci_device *dev, uint8_t id)
{
    uint8_t found;

    for (unsigned at = pci_next_capability(dev, 0, &found); at != 0;
         at = pci_next_capability(dev, at, &found)) {
        if (found == id)
            return at;
    }
    return 0;
}

/* The address and data of a message are changed only while it is off. */
status_t
pci_enable_msi(const struct pci_device *dev, uint8_t vector, uint8_t apic_id)
{
    unsigned cap = pci_find_capability(dev, PCI_CAP_MSI);
    uint32_t control;
    unsigned data_at;

    if (cap == 0 || cap + MSI_DATA_64 >= PCI_CONFIG_SIZE)
        return TRACE_ERR(ERR_UNSUPPORTED);
    control = pci_read(dev, cap) & ~(MSI_ENABLE | MSI_COUNT);
    data_at = control & MSI_64 ? MSI_DATA_64 : MSI_DATA_32;
    pci_write(dev, cap, control);
    pci_write(dev, cap + MSI_ADDRESS,
              FIELD_SET(MSI_APIC, MSI_APIC_ID, apic_id));
    if (control & MSI_64)
        pci_write(dev, cap + MSI_ADDRESS_HIGH, 0);
    pci_write(dev, cap + data_at, vector);
    pci_enable(dev, PCI_COMMAND_INTX_OFF);
    pci_write(dev, cap, control | MSI_ENABLE);
    return OK;
}

/* 0 is the timer's line, and what firmware without an opinion leaves. */
status_t
pci_irq_line(const struct pci_device *dev, unsigned *line)
{
    if (dev->irq_pin == 0 || dev->irq_line == 0 ||
        dev->irq_line >= ISA_LINES)
        return ERR_NOT_FOUND;
    *line = dev->irq_line;
    return OK;
}
