/*
 * pci_ids.h - words for the numbers by which PCI functions present themselves
 * (pci_ids.def).  Pure.
 */
#ifndef DRIVERS_PCI_IDS_H
#define DRIVERS_PCI_IDS_H

#include "kernel/base/types.h"

/* "IDE controller"; for an unknown subclass its class; never NULL. */
const char *pci_class_name(uint8_t base_class, uint8_t subclass);

/* NULL for those that the table does not have. */
const char *pci_vendor_name(uint16_t vendor);
const char *pci_device_name(uint16_t vendor, uint16_t device);

#endif
