/*
 * vpci.h - the PCI bus of a VM: configuration mechanism 1, and what all
 * functions on it share.
 *
 * PCI Local Bus Specification 2.1, 3.2.2.3.2 (CF8h, CFCh) and chapter 6 (the
 * configuration space).
 *
 * A function describes its configuration space by rows: for each doubleword
 * that is not 0 for ever, its value after reset, which bits can be written and
 * which are cleared by writing 1.  A base address register needs no more:
 * bits below its size are not writable, and so it can be sized.
 */
#ifndef VMM_DEV_VPCI_H
#define VMM_DEV_VPCI_H

#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

#define VPCI_FUNCTIONS_MAX 16u
#define VPCI_CONFIG_SIZE 256u

/* Doublewords that every function has. */
enum vpci_register {
    VPCI_ID = 0x00,             /* vendor, device */
    VPCI_COMMAND = 0x04,        /* and status */
    VPCI_CLASS = 0x08,          /* and revision */
    VPCI_HEADER = 0x0c,
    VPCI_BAR0 = 0x10,
    VPCI_SUBSYSTEM = 0x2c,
    VPCI_INTERRUPT = 0x3c,
};

/* Bits of VPCI_HEADER and VPCI_COMMAND. */
#define VPCI_MULTIFUNCTION  0x00800000u
#define VPCI_STATUS_CLEAR   0xf9000000u     /* errors: written 1, they go */
#define VPCI_INTERRUPT_LINE 0x000000ffu

/* What VMware's chipset functions say whose they are. */
#define VPCI_VMWARE_CHIPSET 0x197615adu

struct vpci_row {
    uint8_t  reg;               /* multiple of 4 */
    uint32_t value;             /* after reset */
    uint32_t writable;
    uint32_t clear;             /* by writing 1; not in `writable` */
};

/* One kind of function. */
struct vpci_kind {
    const struct vpci_row *rows;
    unsigned row_count;
    /* Register REG was written, with whatever effect; or NULL. */
    void (*written)(void *device, unsigned reg);
};

struct vpci_function {
    const struct vpci_kind *kind;
    void *device;               /* for kind->written */
    uint8_t slot, number;

    uint32_t config[VPCI_CONFIG_SIZE / 4];
};

struct vpci {
    unsigned count;
    struct vpci_function *functions[VPCI_FUNCTIONS_MAX];

    uint32_t address;           /* CF8h */
};

extern const struct vdev_type vpci_type;

/* Claims the ports CF8h and CFCh. */
void vpci_init(struct vpci *pci, struct pio_bus *bus);

/* Put a function on bus 0; kind, device and place are filled in. */
void vpci_add(struct vpci *pci, struct vpci_function *function);

/* Configuration space as after RST#; then kind->written for nobody. */
void vpci_function_reset(struct vpci_function *function);

static inline uint32_t
vpci_config(const struct vpci_function *function, unsigned reg)
{
    return function->config[reg / 4];
}

#endif
