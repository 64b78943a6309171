/*
 * pci_mech1.h - PCI configuration space through I/O ports 0xcf8 and 0xcfc:
 * configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2).
 * The older mechanism #2 is not supported.
 */
#ifndef DRIVERS_PCI_MECH1_H
#define DRIVERS_PCI_MECH1_H

#include "drivers/pci.h"

/* The accesses for pci_scan(), or NULL if the machine has no such ports. */
const struct pci_config *pci_mech1_find(void);

#endif
