/*
 * fake_pci.h - PCI functions that exist in memory only, for tests.
 *
 * Each has 64 doublewords of configuration space and as many masks of the bits
 * that can be written.  Reads elsewhere give all ones, as on a real bus.
 */
#ifndef TESTS_UNIT_FAKE_PCI_H
#define TESTS_UNIT_FAKE_PCI_H

#include "drivers/pci.h"

#define FAKE_PCI_MAX    300
#define FAKE_PCI_REGS   64

struct fake_pci {
    struct pci_address address;
    uint32_t regs[FAKE_PCI_REGS];
    uint32_t writable[FAKE_PCI_REGS];
    unsigned bad_writes;        /* to BARs while decoding was on */
};

extern const struct pci_config fake_pci_config;

void fake_pci_reset(void);

/* A function with ID (device << 16 | vendor) and CLASS, doubleword 2. */
struct fake_pci *fake_pci_add(struct pci_address address, uint32_t id,
                              uint32_t class);

/* Accesses since the reset. */
unsigned fake_pci_reads(void);

#endif
