/*
 * mm_init.h - starting machine memory and processors' paging: for kernel/ at
 * boot, nobody else.
 */
#ifndef MM_MM_INIT_H
#define MM_MM_INIT_H

#include "kernel/base/memory_map.h"
#include "kernel/base/status.h"
#include "mm/pagetable.h"

/* Less RAM than this is refused: nothing useful would fit. */
#define MM_RAM_MIN      MB(16)

/*
 * Build the VMkernel's page tables, switch to them and open the allocators.
 * MAP is flat (kernel/base/memory_map.h).  Needs %gs, cpuid_init() and the
 * boot tables, which show the first GB; interrupts are off.  ERR_NO_MEMORY if
 * the machine has too little; then the boot tables may still be in use.
 */
MUST_CHECK status_t mm_init(const struct memory_map *map);

/* Machine address of the root of the VMkernel's page tables, below 4 GB. */
maddr_t mm_kernel_cr3(void);

/* What another processor has to load (in the order efer, cr4, cr3, cr0). */
void mm_get_paging_registers(struct paging_registers *r);

/*
 * A page of the first 640 KB for starting processors, nobody else's and the
 * same at each call; make_maddr(0) if there is none.  It is mapped read-write
 * in the direct map.
 */
maddr_t mm_low_page(void);

#endif
