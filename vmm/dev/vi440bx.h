/*
 * vi440bx.h - the host bridge 82443BX, PCI 00:00.0.
 *
 * Data sheet: Intel 82443BX (290633), chapter 3.  There is no AGP, and memory
 * timing has nothing to control; what firmware programs is kept, the PAM
 * registers (who answers from C0000h to FFFFFh) among it.
 */
#ifndef VMM_DEV_VI440BX_H
#define VMM_DEV_VI440BX_H

#include "vmm/dev/vpci.h"

struct vi440bx {
    struct vpci_function function;
};

extern const struct vdev_type vi440bx_type;

void vi440bx_init(struct vi440bx *bridge, struct vpci *pci);

#endif
