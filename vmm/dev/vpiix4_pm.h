/*
 * vpiix4_pm.h - the power management function of the PIIX4, PCI 00:07.3: the
 * ACPI registers, with the power management timer and soft off.
 *
 * Data sheets: Intel 82371AB (290562), 7.1 (configuration) and 7.2 (I/O);
 * ACPI 1.0b, 4.7.  The SMBus controller is not there: its base stays off.
 */
#ifndef VMM_DEV_VPIIX4_PM_H
#define VMM_DEV_VPIIX4_PM_H

#include "vmm/dev/irq_lines.h"
#include "vmm/dev/vboard.h"
#include "vmm/dev/vpci.h"

#define VPIIX4_PM_FUNCTION  3u
#define VPIIX4_PM_TIMER_HZ  3579545u

struct vpiix4_pm_wiring {
    const struct vclock *clock;
    struct irq_wire sci;
    struct vboard *board;
    struct pio_bus *bus;
    unsigned range;             /* number of our ports on the bus */
};

struct vpiix4_pm {
    struct vpiix4_pm_wiring wiring;
    struct vpci_function function;

    uint64_t synced_at;         /* the timer's status is as of then */
    uint16_t status, enable, control;   /* PMSTS, PMEN, PMCNTRL */
    uint16_t general_enable;    /* GPEN */
    uint32_t processor;         /* PCNTRL */
    uint32_t outputs;           /* GPOREG */
};

extern const struct vdev_type vpiix4_pm_type;

/* WIRING->range is set here: there are no ports before the guest says where. */
void vpiix4_pm_init(struct vpiix4_pm *pm, struct vpci *pci,
                    const struct vpiix4_pm_wiring *wiring);

/* Somebody presses the power button. */
void vpiix4_pm_press_power(struct vpiix4_pm *pm);

#endif
