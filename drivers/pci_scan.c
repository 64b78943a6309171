/*
 * pci_scan.c - finds all PCI functions (pci.h).
 *
 * Bus 0 is there; any other bus is reached through a bridge that names it.
 * Each bus is looked at once, however many bridges claim it, and a bridge may
 * only name a bus with a higher number than its own: so the search ends.
 *
 * Pure but for the accesses through pci_config_read and pci_config_write.
 */
#include "drivers/pci.h"

#include "drivers/pci_int.h"
#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

#define BUSES           256u
#define SLOTS           32u
#define FUNCTIONS       8u
#define CLASS_BRIDGE    0x06u
#define SUBCLASS_HOST   0x00u

static struct pci_device devices[PCI_DEVICES_MAX];
static unsigned device_count;
static bool reachable[BUSES];           /* some bridge leads there */

/* Remember the bus behind DEV; it is looked at when its number comes up. */
static void
note_bridge(const struct pci_device *dev)
{
    uint32_t buses = pci_read(dev, PCI_REG_BUSES);
    unsigned secondary = FIELD_GET(buses, PCI_BUSES_SECONDARY);

    if (secondary > dev->address.bus) {
        reachable[secondary] = true;
        return;
    }
    /* A bridge that the firmware did not set up says 0. */
    log_warn(MOD_PCI, "bridge %02x:%02x.%x leads to bus %02x: ignored",
             dev->address.bus, dev->address.slot, dev->address.function,
             secondary);
}

static void
read_header(struct pci_device *dev)
{
    uint32_t id = pci_read(dev, PCI_REG_ID);
    uint32_t class = pci_read(dev, PCI_REG_CLASS);
    uint32_t interrupt = pci_read(dev, PCI_REG_INTERRUPT);
    uint32_t header = pci_read(dev, PCI_REG_HEADER);

    dev->vendor = (uint16_t)FIELD_GET(id, PCI_ID_VENDOR);
    dev->device = (uint16_t)FIELD_GET(id, PCI_ID_DEVICE);
    dev->base_class = (uint8_t)FIELD_GET(class, PCI_CLASS_BASE);
    dev->subclass = (uint8_t)FIELD_GET(class, PCI_CLASS_SUB);
    dev->interface = (uint8_t)FIELD_GET(class, PCI_CLASS_INTERFACE);
    dev->revision = (uint8_t)FIELD_GET(class, PCI_CLASS_REVISION);
    dev->header = (uint8_t)FIELD_GET(header, PCI_HEADER_TYPE);
    dev->irq_line = (uint8_t)FIELD_GET(interrupt, PCI_INTERRUPT_LINE);
    dev->irq_pin = (uint8_t)FIELD_GET(interrupt, PCI_INTERRUPT_PIN);
    if (dev->header == PCI_HEADER_DEVICE) {
        uint32_t sub = pci_read(dev, PCI_REG_SUBSYSTEM);

        dev->subsystem_vendor = (uint16_t)FIELD_GET(sub, PCI_ID_VENDOR);
        dev->subsystem = (uint16_t)FIELD_GET(sub, PCI_ID_DEVICE);
    }
}

/* The host bridge carries all traffic: it is not switched off for sizing. */
static bool
is_host_bridge(const struct pci_device *dev)
{
    return dev->base_class == CLASS_BRIDGE && dev->subclass == SUBCLASS_HOST;
}

static void
add_function(struct pci_address address)
{
    struct pci_device *dev = &devices[device_count];

    if (device_count == PCI_DEVICES_MAX) {
        log_warn(MOD_PCI, "%02x:%02x.%x: more than %u functions, ignored",
                 address.bus, address.slot, address.function,
                 PCI_DEVICES_MAX);
        return;
    }
    memset(dev, 0, sizeof(*dev));
    dev->address = address;
    read_header(dev);
    if (!is_host_bridge(dev))
        pci_size_bars(dev);
    if (dev->header == PCI_HEADER_BRIDGE)
        note_bridge(dev);
    device_count++;
    log_debug(MOD_PCI, "%02x:%02x.%x %04x:%04x class=%02x%02x%02x",
              address.bus, address.slot, address.function, dev->vendor,
              dev->device, dev->base_class, dev->subclass, dev->interface);
}

/* Some devices read 0 instead of all ones where they have no function. */
static bool
is_present(struct pci_address address)
{
    uint32_t vendor = FIELD_GET(pci_config_read(address, PCI_REG_ID),
                                PCI_ID_VENDOR);

    return vendor != PCI_VENDOR_NONE && vendor != 0;
}

/* Functions 1 to 7 exist only if function 0 does and says that there are. */
static void
scan_slot(uint8_t bus, uint8_t slot)
{
    struct pci_address address = { .bus = bus, .slot = slot };

    if (!is_present(address))
        return;
    add_function(address);
    if (!(pci_config_read(address, PCI_REG_HEADER) & PCI_HEADER_MULTI))
        return;
    for (unsigned function = 1; function < FUNCTIONS; function++) {
        address.function = (uint8_t)function;
        if (is_present(address))
            add_function(address);
    }
}

void
pci_scan(const struct pci_config *config)
{
    pci_set_config(config);
    device_count = 0;
    memset(reachable, 0, sizeof(reachable));
    reachable[0] = true;
    for (unsigned bus = 0; bus < BUSES; bus++) {
        for (unsigned slot = 0; reachable[bus] && slot < SLOTS; slot++)
            scan_slot((uint8_t)bus, (uint8_t)slot);
    }
    log_info(MOD_PCI, "%u functions", device_count);
}

unsigned
pci_device_count(void)
{
    return device_count;
}

struct pci_device *
pci_device_get(unsigned index)
{
    ASSERT(index < device_count);
    return &devices[index];
}
