/*
 * vmkcall.h - the numbered calls from a monitor to the VMkernel.
 *
 * The one way in which the two sides meet, with vmm/shared.h: vmkcall.def says
 * what each call means.
 */
#ifndef VMM_VMKCALL_H
#define VMM_VMKCALL_H

#include "kernel/base/types.h"

enum vmkcall {
#define VMKCALL(name, arguments, text) VMKCALL_##name,
#include "vmm/vmkcall.def"
#undef VMKCALL
    VMKCALL_COUNT
};

#define VMKCALL_ARGS    4
#define VMK_FOREVER     UINT64_MAX

/* How a VM comes to its end. */
enum vmm_end {
    VMM_END_POWER_OFF,      /* the guest switched off */
    VMM_END_HALTED,         /* HLT with nothing that could wake it */
    VMM_END_RESET,          /* starts over */
    VMM_END_REFUSED,        /* the guest did what we do not emulate: text */
    VMM_END_NO_MEMORY,
    VMM_END_CRASHED,        /* a bug of the monitor's: text */
    VMM_END_STOPPED,        /* REQUEST_STOP was obeyed */
    VMM_END_COUNT
};

struct vmkcall_frame {
    uint32_t number;        /* enum vmkcall */
    uint32_t arg[VMKCALL_ARGS];
    uint32_t result;
};

#endif
