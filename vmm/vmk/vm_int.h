/*
 * vm_int.h - what the files of a VM share: vm.c, vm_config.c, vm_load.c,
 * vm_power.c, vm_world.c, vm_boot.c.
 */
#ifndef VMM_VMK_VM_INT_H
#define VMM_VMK_VM_INT_H

#include "kernel/base/list.h"
#include "sched/wait.h"
#include "sched/world.h"
#include "vmm/vmk/vm.h"
#include "vmm/vmk/vm_console.h"
#include "vmm/vmk/vm_run.h"

/* A parsed .vmx; the entries point into the text behind. */
struct vm_config {
    struct vmx vmx;
    char text[];
};

enum vm_wanted { WANTED_ON, WANTED_OFF, WANTED_RESET };

struct vm {
    /* The person's world's. */
    struct list link;
    char name[VM_NAME_SIZE];
    char folder[VM_FOLDER_SIZE];
    struct vm_config *config;       /* read by the VM's world, too, while on */

    uint64_t reset_logged;          /* when; the VM's world's */

    /* Guarded by vm_lock. */
    enum vm_state state;
    char reason[VM_REASON_SIZE];
    enum vm_wanted wanted;
    struct vm_instance *instance;   /* while the monitor may be talked to */
    uint64_t on_since;              /* clock_now() scale */
    unsigned resets;
    bool has_run;                   /* since it was switched on or reset */
    bool has_stats;
    struct vmm_stats stats;         /* of the last instance, when it ended */
    uint64_t stats_ns;

    struct vm_console console;      /* has a lock of its own */
};

/*
 * Guards what is marked above in all VMs, and orders it before the console's
 * lock.  vm_queue wakes who waits for a VM's state.
 */
extern struct lock vm_lock;
extern struct wait_queue vm_queue;

extern struct vm_archives vm_archives;

/* Make WHY of the rest, and return STATUS. */
PRINTF_LIKE(3, 4)
status_t vm_refuse(struct vm_why *why, status_t status, const char *format,
                   ...);

/* A VM on the list, off, without a configuration; NULL: no memory. */
struct vm *vm_add(const char *name, const char *folder);

/* --- vm_config.c ---------------------------------------------------------- */

/* Room for SIZE bytes of text, and behind them a NUL; or NULL. */
struct vm_config *vm_config_alloc(size_t size);

/* A copy of FROM (NULL: of an empty one) with CHANGES made to it. */
MUST_CHECK status_t vm_config_make(const struct vm_config *from,
                                   const struct vm_changes *changes,
                                   struct vm_config **result,
                                   struct vm_why *why);

/* --- vm_world.c ----------------------------------------------------------- */

/* The world of VM, which is STARTING. */
void vm_world(void *vm);

/* --- vm_boot.c ------------------------------------------------------------ */

/* Are the files there that the configuration names?  ERR_NOT_FOUND. */
MUST_CHECK status_t vm_boot_check(const struct vm *vm, struct vm_why *why);

/* Load the guest into INSTANCE, ready to run. */
MUST_CHECK status_t vm_boot_load(const struct vm *vm,
                                 struct vm_instance *instance,
                                 struct vm_why *why);

#endif
