/*
 * instance_int.h - what the files that run a monitor share.
 *
 *      vm_image.c          its address space: made and freed
 *      vm_memory.c         the guest's pages
 *      vm_run.c            the world's loop around the world switch
 *      vmkcall_server.c    what the monitor calls for
 *      vm_events.c         its last events, for the log
 */
#ifndef VMM_VMK_INSTANCE_INT_H
#define VMM_VMK_INSTANCE_INT_H

#include "kernel/lock.h"
#include "kernel/timer.h"
#include "mm/page_list.h"
#include "sched/wait.h"
#include "vmm/vmk/vm_context.h"
#include "vmm/vmk/vm_run.h"

struct vm_instance {
    struct vm_instance_params params;
    uint32_t id;                /* never used before; not 0 */

    struct page_list pages;     /* the monitor's */
    struct page_list shadow;    /* for its shadow tables */
    struct page_list guest;     /* the guest's */
    struct vmm_shared *shared;  /* what both sides see */
    struct cpu_context *vmk;    /* ours, while the monitor runs */
    struct vm_context made;     /* the monitor's, as it began */
    struct vmm_rings *rings;
    struct vmm_stats *stats;
    struct vmm_events *events;
    uint32_t **pmap;            /* pages of PMAP_PER_PAGE words */

    uint64_t clock_base;        /* clock_now() when the VM's clock was 0 */
    struct timer timer;         /* for shared->wake */
    uint64_t armed;             /* the VM's time that it is set to */
    struct lock lock;           /* around looking whether to sleep */
    struct wait_queue sleep;
    uint32_t runs_on;           /* cpu + 1 while in the monitor, or 0; atomic */
    uint32_t is_killed;         /* atomic */
    unsigned last_cpu;

    bool is_over;
    enum vmm_end end;
    char text[VMM_TEXT_MAX];    /* why */
};

/* --- vm_image.c ---------------------------------------------------------- */

/* I's monitor, from I's params; after an error I is only to be destroyed. */
MUST_CHECK status_t vm_image_build(struct vm_instance *i);

/* --- vm_memory.c --------------------------------------------------------- */

/* The pmap, empty; its pages' MPNs go to ROOT. */
MUST_CHECK status_t vm_memory_init(struct vm_instance *i, uint32_t *root);
void vm_memory_destroy(struct vm_instance *i);

/* --- vm_run.c ------------------------------------------------------------ */

/* The VM is over; TEXT says why, in a form fit for the log. */
void vm_run_end(struct vm_instance *i, enum vmm_end how, const char *text);

/* Sleep until the time in the shared page, a request, or the end. */
void vm_run_sleep(struct vm_instance *i);

/* --- vmkcall_server.c ---------------------------------------------------- */

/*
 * The monitor left for a reason, in I->shared->call: see to it.  Interrupts are
 * masked at the call, and on at the return.
 */
void vmkcall_serve(struct vm_instance *i);

/* --- vm_events.c --------------------------------------------------------- */

/* The monitor's last events into the log. */
void vm_events_log(const struct vm_instance *i, enum log_level level);

#endif
