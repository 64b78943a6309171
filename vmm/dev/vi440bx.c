/*
 * vi440bx.c - the host bridge's configuration space (vi440bx.h).
 *
 * All of it is stored and none acted upon: memory is RAM from 0 to its end but
 * for the hole that the owner's memory map leaves.  Identification is that of
 * VMware's board.
 *
 * Called at port accesses, with the VM's devices locked.
 */
#include "vmm/dev/vi440bx.h"

#include "kernel/base/bits.h"

#define ID              0x71908086u     /* 82443BX, Intel */
#define CLASS_HOST      0x06000001u     /* host bridge, revision 1 */
#define COMMAND_FIXED   0x02000006u     /* master, memory; medium DEVSEL# */
#define COMMAND_SERR    BIT(8)

/* Doublewords with the registers that firmware programs. */
#define NBXCFG          0x50u
#define DRAMC_PAM       0x58u           /* PAM0 to PAM2 at 59h to 5Bh */
#define PAM3_TO_6       0x5cu
#define DRB0            0x60u           /* row boundaries, 60h to 67h */
#define DRB4            0x64u
#define SMRAM           0x70u           /* at 72h; ESMRAMC at 73h */
#define SMRAM_DEFAULT   0x38020000u
#define SMRAM_WRITABLE  0xf8780000u

static const struct vpci_row rows[] = {
    { VPCI_ID, ID, 0, 0 },
    { VPCI_COMMAND, COMMAND_FIXED, COMMAND_SERR, VPCI_STATUS_CLEAR },
    { VPCI_CLASS, CLASS_HOST, 0, 0 },
    { VPCI_HEADER, 0, BITS(15, 11), 0 },        /* latency timer */
    { VPCI_SUBSYSTEM, VPCI_VMWARE_CHIPSET, 0, 0 },
    { NBXCFG, 0, ~0u, 0 },
    { DRAMC_PAM, 0, ~0u, 0 },
    { PAM3_TO_6, 0, ~0u, 0 },
    { DRB0, 0x01010101u, ~0u, 0 },
    { DRB4, 0x01010101u, ~0u, 0 },
    { SMRAM, SMRAM_DEFAULT, SMRAM_WRITABLE, 0 },
};

static const struct vpci_kind kind = {
    .rows = rows, .row_count = ARRAY_LEN(rows),
};

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vi440bx, function.config, 1),
};

static void
reset(void *device)
{
    struct vi440bx *bridge = device;

    vpci_function_reset(&bridge->function);
}

const struct vdev_type vi440bx_type = {
    .name = "440bx", .version = 1, .size = sizeof(struct vi440bx),
    .fields = fields, .field_count = ARRAY_LEN(fields), .reset = reset,
};

void
vi440bx_init(struct vi440bx *bridge, struct vpci *pci)
{
    bridge->function.kind = &kind;
    bridge->function.device = bridge;
    vpci_add(pci, &bridge->function);
}
