/*
 * vm_console.h - a VM's first serial port: what came out of it, and what goes
 * in.
 *
 * Output since the VM was switched on is kept, the newest VM_CONSOLE_KEPT
 * bytes of it, and outlives the VM until that is started again.  One person
 * may be attached:
 *
 *      vm_console_attach()     reading begins with the oldest byte kept
 *      vm_console_read()       waits for more
 *      vm_console_input()      from another world
 *      vm_console_detach()
 *
 * While somebody is attached and behind, the guest waits at its UART rather
 * than lose output; while nobody is, it never waits.
 */
#ifndef VMM_VMK_VM_CONSOLE_H
#define VMM_VMK_VM_CONSOLE_H

#include "sched/wait.h"
#include "vmm/vmk/byte_log.h"
#include "vmm/vmk/vm_run.h"

#define VM_CONSOLE_KEPT     KB(64u)     /* a power of 2 */

struct vm_console {
    struct lock lock;               /* guards the rest */
    struct wait_queue queue;        /* for both worlds of an attached person */
    struct byte_log log;            /* no bytes before the first start */
    struct vm_instance *instance;   /* whose rings there are, or NULL */
    bool is_on;                     /* there is, or soon will be, an instance */
    bool is_attached, is_leaving;
    uint64_t read_at;               /* what the attached person saw */
};

/* --- For the VM (vm.c, vm_power.c) --------------------------------------- */

void vm_console_init(struct vm_console *c);
void vm_console_free(struct vm_console *c);

/* Switched on: forget what was kept.  ERR_NO_MEMORY. */
MUST_CHECK status_t vm_console_start(struct vm_console *c);

/* The rings are INSTANCE's from now on; NULL: there are none for now. */
void vm_console_connect(struct vm_console *c, struct vm_instance *instance);

/* Switched off, or about to be. */
void vm_console_end(struct vm_console *c);

/* The monitor wrote output or took input.  Any world. */
void vm_console_service(struct vm_console *c);

/* --- For the person's worlds --------------------------------------------- */

void vm_console_attach(struct vm_console *c);
void vm_console_detach(struct vm_console *c);

/*
 * The next output, at most SIZE bytes of it, into BUF.  Waits for some; 0: the
 * VM is off or somebody leaves.  *LOST is how many bytes before these are gone.
 */
size_t vm_console_read(struct vm_console *c, uint8_t *buf, size_t size,
                       uint64_t *lost);

/* Give the guest BYTE; waits for room.  False: it will never take it. */
bool vm_console_input(struct vm_console *c, uint8_t byte);

/* Let vm_console_read() return 0. */
void vm_console_leave(struct vm_console *c);

#endif
