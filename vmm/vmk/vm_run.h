/*
 * vm_run.h - one powered-on VM, as the VMkernel sees it: its monitor runs.
 *
 *      struct vm_instance *instance;
 *      status = vm_instance_create(&params, &instance);
 *      ... direct_boot() with vm_memory_write; the CPU's state to boot_cpu ...
 *      how = vm_instance_run(instance);        in a world of its own
 *      vm_instance_destroy(instance);
 *
 * An instance runs once; a VM that is reset gets a new one.  Before the boot's
 * first call: vm_image_init() (vm_image.h).  Memory: vm_memory.h.
 */
#ifndef VMM_VMK_VM_RUN_H
#define VMM_VMK_VM_RUN_H

#include "kernel/base/log.h"
#include "kernel/base/status.h"
#include "vmm/shared.h"
#include "vmm/vmm_events.h"
#include "vmm/vmm_stats.h"

struct vm_instance;

struct vm_instance_params {
    uint32_t memory_pages;      /* guest RAM, holes included: from 1 MB up */
    uint32_t shadow_pages;      /* at most; at least SHADOW_PAGES_MIN */
    enum vmm_engine engine;
    uint32_t stress, misread, audit;
    uint64_t wall_base;         /* UTC of the start, in ns since 1970 */
    void *context;              /* for these, called in the VM's world: */
    /* There is output in the ring, or the monitor took input out. */
    void (*console)(void *context);
    /* A line of the monitor's for the log. */
    void (*log)(void *context, enum log_level level, const char *line);
};

/*
 * Memory for monitor and pmap, none for the guest yet.  ERR_NO_MEMORY;
 * ERR_RANGE: such a number of pages is not supported.  Any world.
 */
MUST_CHECK status_t vm_instance_create(const struct vm_instance_params *params,
                                       struct vm_instance **instance);

/* All memory goes back.  The instance does not run. */
void vm_instance_destroy(struct vm_instance *instance);

/*
 * Run until the VM ends, in a world that nobody else uses the stack of.  Once.
 * A killed instance, or one whose world is killed: VMM_END_STOPPED.
 */
enum vmm_end vm_instance_run(struct vm_instance *instance);

/* Why it ended; "" where nobody said.  Good until it is destroyed. */
const char *vm_instance_end_text(const struct vm_instance *instance);

/*
 * Tell the monitor, bits of enum vmm_request: a sleeping VM wakes, one that
 * runs looks at them soon.  Any world or interrupt, at most RANK_DEVICE held.
 */
void vm_instance_request(struct vm_instance *instance, uint32_t requests);

/* End it without asking the monitor, whatever that does.  Context as above. */
void vm_instance_kill(struct vm_instance *instance);

/*
 * The pages that both sides see (vmm/shared.h); not trusted once it runs.
 * vm_instance_shared()->boot_cpu is to be filled in before vm_instance_run().
 */
struct vmm_shared *vm_instance_shared(struct vm_instance *instance);
struct vmm_rings *vm_instance_rings(struct vm_instance *instance);
const struct vmm_stats *vm_instance_stats(const struct vm_instance *instance);

/* Now, on the VM's own clock in ns: 0 until it runs. */
uint64_t vm_instance_now(const struct vm_instance *instance);

#endif
