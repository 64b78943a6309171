/*
 * pci_driver.h - from PCI functions to their drivers.
 *
 *      static bool match(const struct pci_device *dev);
 *      static status_t probe(struct pci_device *dev);
 *      PCI_DRIVER(ahci, match, probe);
 *
 * The linker gathers the drivers in section pci_drivers; nobody keeps a list.
 */
#ifndef DRIVERS_PCI_DRIVER_H
#define DRIVERS_PCI_DRIVER_H

#include "drivers/pci.h"

struct pci_driver {
    const char *name;
    bool (*match)(const struct pci_device *dev);
    status_t (*probe)(struct pci_device *dev);
};

#define PCI_DRIVER(driver_name, match_fn, probe_fn)                       \
    static const struct pci_driver pci_driver_##driver_name               \
    USED SECTION("pci_drivers") = { #driver_name, (match_fn), (probe_fn) }

/* Bounds of the section, by linker.ld. */
extern const struct pci_driver pci_drivers_start[], pci_drivers_end[];

#endif
