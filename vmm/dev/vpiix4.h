/*
 * vpiix4.h - the ISA bridge of the 82371AB (PIIX4), PCI 00:07.0, which routes
 * PCI's interrupts to the lines of the 8259s.
 *
 * Data sheet: Intel 82371AB (290562), 4.1.
 */
#ifndef VMM_DEV_VPIIX4_H
#define VMM_DEV_VPIIX4_H

#include "vmm/dev/irq_lines.h"
#include "vmm/dev/vpci.h"

#define VPIIX4_SLOT     7u
#define VPIIX4_PIRQS    4u

struct vpiix4 {
    struct irq_lines *lines;

    uint8_t pirq_levels;        /* a bit per PIRQ: held by a device */
    uint8_t route[VPIIX4_PIRQS];    /* the line each is on, 0: none */
    struct vpci_function function;
};

extern const struct vdev_type vpiix4_type;

void vpiix4_init(struct vpiix4 *bridge, struct vpci *pci,
                 struct irq_lines *lines);

/*
 * INTA# to INTD# (PIN 0 to 3) of the card in SLOT is asserted or not.  Pins
 * are staggered over PIRQA# to PIRQD# as on every board.  Of cards whose pins
 * meet, one device model must do the OR.
 */
void vpiix4_set_pin(struct vpiix4 *bridge, unsigned slot, unsigned pin,
                    bool is_asserted);

#endif
