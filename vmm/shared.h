/*
 * shared.h - the pages that a monitor shares with the VMkernel.
 *
 * The monitor sees them at VMM_SHARED_AT and behind (vmm/layout.h); the
 * VMkernel through pointers of its own.  The VMkernel fills in params and
 * boot_cpu before the monitor first runs, and trusts nothing here afterwards.
 * The VMkernel's own context is at VMM_VMK_AT, where the monitor only reads.
 */
#ifndef VMM_SHARED_H
#define VMM_SHARED_H

#include "kernel/base/addr.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/paging.h"
#include "vmm/mmu/shadow.h"
#include "vmm/vcpu.h"
#include "vmm/vmkcall.h"
#include "vmm/wake_plan.h"

/* What one side's processor state is while the other runs: world_switch.S. */
struct cpu_context {
    uint32_t esp, cr0, cr3, cr4;
    struct table_register gdtr;
    uint16_t tr;
    struct table_register idtr;
    uint16_t ldtr;
    uint16_t cs, ss, ds, es, fs, gs;
};
STATIC_ASSERT(sizeof(struct cpu_context) == 44);

enum vmm_sandbox { VMM_SANDBOX_PAGING, VMM_SANDBOX_SEGMENT };
enum vmm_engine { ENGINE_INTERP, ENGINE_BT, ENGINE_LOCKSTEP };

struct vmm_params {
    uint32_t sandbox;           /* enum vmm_sandbox */
    uint32_t engine;            /* enum vmm_engine */
    uint32_t memory_pages;      /* guest RAM, from PPN 0 as a PC has it */
    uint32_t shadow_pages;      /* at most so many shadow tables */
    uint32_t stress;            /* not 0: a seed for disturbances */
    uint32_t misread;           /* not 0: where the translator reads wrongly */
    uint32_t audit;             /* not 0: entries to the guest for an audit */
    uint32_t pdpt[VIEW_COUNT];  /* machine addresses: what CR3 becomes */
    uint32_t permanent_cr3;     /* a root with the monitor only */
    pte_t    monitor_pde[VIEW_COUNT][SHADOW_MONITOR_PDES];
    uint64_t tsc_hz;
    uint64_t start_tsc;         /* when the VM's clock was 0 */
    uint64_t wall_base;         /* UTC then: nanoseconds since 1970 */
};

/* What the VMkernel, or a person, wants of a running VM; atomic bits. */
enum vmm_request {
    VMM_REQUEST_STOP = BIT(0),      /* end at the next safe point */
    VMM_REQUEST_CONSOLE = BIT(1),   /* input came, or output was read */
    VMM_REQUEST_TIMER = BIT(2),     /* the time of `wake` has come */
};

#define VMM_TEXT_MAX    512u

struct vmm_shared {
    struct cpu_context vmm;
    struct vmkcall_frame call;
    uint32_t requests;          /* enum vmm_request */
    /*
     * Did no other monitor run on this processor since this one left?  Then
     * the FPU still holds what it held.  Set before each way back in.
     */
    uint32_t is_fpu_kept;
    struct wake_plan wake;
    struct vmm_params params;
    struct guest_cpu boot_cpu;  /* the state to start with */
    char text[VMM_TEXT_MAX];
};
STATIC_ASSERT(sizeof(struct vmm_shared) <= 4096);

/*
 * COM1's bytes.  Each ring has one writer, who alone moves `head`, and one
 * reader, who alone moves `tail`; both count bytes since the start and wrap.
 */
#define VMM_RING_SIZE   2048u       /* a power of 2 */

struct vmm_ring {
    uint32_t head, tail;
    uint8_t bytes[VMM_RING_SIZE];
};

struct vmm_rings {
    struct vmm_ring output;     /* the guest's, written by the monitor */
    struct vmm_ring input;      /* for the guest, written by the VMkernel */
};
STATIC_ASSERT(sizeof(struct vmm_rings) <= 2 * 4096);

/* The pmap: one word for each guest page, in pages of 1024 words. */
#define PMAP_MPN        BITS(23, 0)
#define PMAP_PRESENT    BIT(31)
#define PMAP_WRITABLE   BIT(30)
#define PMAP_PER_PAGE   1024u

#endif
