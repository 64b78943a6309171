/*
 * vm.h - VMs as a person knows them: a name, a configuration, on or off.
 *
 * A VM comes from an archive (vm_archive.h) or from vm_create(), and is there
 * until vm_destroy(), on or off.  Switched on it has a world, in which an
 * instance (vm_run.h) of the monitor runs; a guest that resets itself gets a
 * new instance in the same world.
 *
 *      BAD         its .vmx is wrong: it can be looked at, and destroyed
 *      OFF         never on, or ended: the reason says how
 *      STARTING    the world makes an instance and loads the guest
 *      RUNNING
 *      STOPPING    was told to end, and has not yet
 *
 * All of these are called by one world at a time, on behalf of the person: the
 * shell's, and before there is a shell the one that starts the system.  None
 * waits for a guest but those that have a deadline.  What is refused
 * changes nothing, and WHY says in one line what is wrong and what was
 * expected.
 */
#ifndef VMM_VMK_VM_H
#define VMM_VMK_VM_H

#include "vmm/config/vmx.h"
#include "vmm/vmk/vm_archive.h"
#include "vmm/vmm_stats.h"

#define VM_WHY_SIZE     200u
#define VM_REASON_SIZE  160u

struct boot_info;
struct vm;
struct vm_console;

struct vm_why {
    char text[VM_WHY_SIZE];
};

enum vm_state { VM_BAD, VM_OFF, VM_STARTING, VM_RUNNING, VM_STOPPING };

struct vm_info {
    const char *name;
    const char *folder;             /* of its files, "" or with a '/' */
    enum vm_state state;
    char reason[VM_REASON_SIZE];    /* OFF: "off", "crashed: ..."; BAD: why */
    uint64_t up_ns;                 /* since it was switched on; 0: it is off */
    unsigned resets;                /* since then */
    uint32_t memory_mb;             /* as configured */
    uint32_t pages_used;            /* that the guest has touched; 0: off */
};

/* Find the VMs in BOOT's modules.  Once, before everything else here. */
void vm_init(const struct boot_info *boot);

/* The VM called NAME, or NULL. */
struct vm *vm_find(const char *name);

/* All, in the order in which they came: the one after VM, of NULL the first. */
struct vm *vm_next(const struct vm *vm);

void vm_get_info(struct vm *vm, struct vm_info *info);

/* Its keys; of a BAD one, those before the wrong line.  Until vm_set(). */
const struct vmx *vm_config(const struct vm *vm);

/* COM1: vm_console.h. */
struct vm_console *vm_get_console(struct vm *vm);

/*
 * What the monitor counted since the VM was switched on or reset, or until it
 * ended.  False: it was never on.  *RUN_NS is how long that was.
 */
bool vm_get_stats(struct vm *vm, struct vmm_stats *stats, uint64_t *run_ns);

/*
 * A new VM called NAME.  With FROM, its files are FROM's and its configuration
 * begins as FROM's; without, its files are in the folder NAME.  CHANGES as
 * vm_set() takes them.
 */
struct vm_changes {
    char *const *word;              /* "key=value"; "key=": not set */
    unsigned count;
};
MUST_CHECK status_t vm_create(const char *name, const struct vm *from,
                              const struct vm_changes *changes,
                              struct vm_why *why);

/* Change the configuration of a VM that is off, until the machine is. */
MUST_CHECK status_t vm_set(struct vm *vm, const struct vm_changes *changes,
                           struct vm_why *why);

/* Forget a VM that is off. */
MUST_CHECK status_t vm_destroy(struct vm *vm, struct vm_why *why);

#endif
