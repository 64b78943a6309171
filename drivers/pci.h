/*
 * pci.h - PCI functions: what there is, and what a driver needs of one (PCI
 * Local Bus Specification 3.0, chapter 6; PCI-to-PCI Bridge 1.2).
 *
 * The configuration space is reached through `struct pci_config`, two functions
 * on whole doublewords; so all but drivers/pci_mech1.c also runs in tests.
 * What devices say about themselves is not believed further than it can be
 * checked: loops, nonsense bus numbers and sizes end in a log line.
 *
 * Scanning and binding happen once, at start, on one processor; afterwards the
 * list does not change.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "kernel/base/addr.h"
#include "kernel/base/status.h"

#define PCI_BARS        6u
#define PCI_DEVICES_MAX 256u

struct pci_address {
    uint8_t bus;
    uint8_t slot;               /* < 32 */
    uint8_t function;           /* < 8 */
};

/* REG is a multiple of 4 below 256.  Nothing there reads as all ones. */
struct pci_config {
    uint32_t (*read)(struct pci_address address, unsigned reg);
    void (*write)(struct pci_address address, unsigned reg, uint32_t value);
};

enum pci_bar_kind { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64 };

struct pci_bar {
    enum pci_bar_kind kind;
    bool prefetchable;
    uint64_t base;              /* I/O port or machine address; 0: unset */
    uint64_t size;              /* a power of two */
};

struct pci_driver;

struct pci_device {
    struct pci_address address;
    uint16_t vendor, device;
    uint16_t subsystem_vendor, subsystem;
    uint8_t base_class, subclass, interface, revision;
    uint8_t header;             /* 0 device, 1 bridge, 2 CardBus bridge */
    uint8_t irq_pin;            /* 0 none, 1 INTA# .. 4 INTD# */
    uint8_t irq_line;           /* as the firmware left it; 255 unknown */
    struct pci_bar bars[PCI_BARS];
    const struct pci_driver *driver;    /* that runs it, or NULL */
};

/*
 * Scan by the machine's own ports, if it has PCI, and bind the drivers
 * (drivers/pci_driver.h).  Once, from a world.
 */
void pci_init(void);

/* Find all functions behind the host bridge. */
void pci_scan(const struct pci_config *config);

/* The functions found, in ascending order of address. */
unsigned pci_device_count(void);
struct pci_device *pci_device_get(unsigned index);

uint32_t pci_read(const struct pci_device *dev, unsigned reg);
void pci_write(const struct pci_device *dev, unsigned reg, uint32_t value);

/* The command register: these bits on, all others as they are. */
#define PCI_COMMAND_IO          0x0001u
#define PCI_COMMAND_MEMORY      0x0002u
#define PCI_COMMAND_MASTER      0x0004u
#define PCI_COMMAND_INTX_OFF    0x0400u
void pci_enable(const struct pci_device *dev, uint16_t command_bits);

/*
 * The capability behind the one at offset AFTER (0: the first), or 0.  *ID is
 * its number.  A list without end ends after as many as there is room for.
 */
#define PCI_CAP_POWER   0x01u
#define PCI_CAP_MSI     0x05u
#define PCI_CAP_VENDOR  0x09u
#define PCI_CAP_PCIE    0x10u
#define PCI_CAP_MSIX    0x11u
unsigned pci_next_capability(const struct pci_device *dev, unsigned after,
                             uint8_t *id);
unsigned pci_find_capability(const struct pci_device *dev, uint8_t id);

/*
 * Interrupt by message: VECTOR on the processor with APIC_ID, the pin off.
 * ERR_UNSUPPORTED if DEV cannot.
 */
MUST_CHECK status_t pci_enable_msi(const struct pci_device *dev,
                                   uint8_t vector, uint8_t apic_id);

/* The ISA line that the firmware routed DEV's pin to; ERR_NOT_FOUND. */
MUST_CHECK status_t pci_irq_line(const struct pci_device *dev,
                                 unsigned *line);

#endif
