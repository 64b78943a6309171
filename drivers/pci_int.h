/*
 * pci_int.h - registers of the configuration header, shared by the files of
 * the PCI code (PCI Local Bus Specification 3.0, figure 6-1).
 */
#ifndef DRIVERS_PCI_INT_H
#define DRIVERS_PCI_INT_H

#include "drivers/pci.h"
#include "kernel/base/bits.h"

enum pci_reg {
    PCI_REG_ID         = 0x00,
    PCI_REG_COMMAND    = 0x04,
    PCI_REG_CLASS      = 0x08,
    PCI_REG_HEADER     = 0x0c,
    PCI_REG_BAR0       = 0x10,
    PCI_REG_BUSES      = 0x18,  /* of a bridge */
    PCI_REG_SUBSYSTEM  = 0x2c,
    PCI_REG_CAPS       = 0x34,
    PCI_REG_INTERRUPT  = 0x3c
};

#define PCI_ID_VENDOR           BITS(15, 0)
#define PCI_ID_DEVICE           BITS(31, 16)
#define PCI_VENDOR_NONE         0xffffu

#define PCI_COMMAND             BITS(15, 0)
#define PCI_STATUS_CAPS         BIT(20)

#define PCI_CLASS_REVISION      BITS(7, 0)
#define PCI_CLASS_INTERFACE     BITS(15, 8)
#define PCI_CLASS_SUB           BITS(23, 16)
#define PCI_CLASS_BASE          BITS(31, 24)

#define PCI_HEADER_TYPE         BITS(22, 16)
#define PCI_HEADER_MULTI        BIT(23)
#define PCI_HEADER_DEVICE       0u
#define PCI_HEADER_BRIDGE       1u

#define PCI_BUSES_SECONDARY     BITS(15, 8)

#define PCI_INTERRUPT_LINE      BITS(7, 0)
#define PCI_INTERRUPT_PIN       BITS(15, 8)

#define PCI_CONFIG_SIZE         256u

/* Configuration space, once pci_scan() has been told how to reach it. */
uint32_t pci_config_read(struct pci_address address, unsigned reg);
void pci_config_write(struct pci_address address, unsigned reg,
                      uint32_t value);
void pci_set_config(const struct pci_config *config);

/* Fill in dev->bars; switches decoding off meanwhile. */
void pci_size_bars(struct pci_device *dev);

#endif
