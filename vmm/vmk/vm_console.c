/*
 * vm_console.c - a VM's first serial port (vm_console.h).
 *
 * Bytes go from the monitor's ring (vmm/shared.h) to the log and from there to
 * whoever is attached; both ways are the VMkernel's one side of each ring, so
 * whoever holds the lock may move them.  What the monitor says of its rings is
 * not believed: never more than a ring's size is taken, and a full ring stays
 * full.
 *
 * Worlds only; the lock is held for the copying of some KB at most.
 */
#include "vmm/vmk/vm_console.h"

#include "kernel/x86/atomic.h"
#include "mm/mm.h"

#define KEPT_PAGES  (VM_CONSOLE_KEPT / PAGE_SIZE)

/* Output beyond this that nobody has read yet makes the guest wait. */
#define BEHIND_MAX  (VM_CONSOLE_KEPT / 2)

/* --- The monitor's rings -------------------------------------------------- */

static uint32_t
ring_used(const struct vmm_ring *r)
{
    return MIN(atomic_load(&r->head) - atomic_load(&r->tail), VMM_RING_SIZE);
}

/* How much more may go into the log now? */
static uint32_t
log_room(const struct vm_console *c)
{
    uint64_t behind = c->log.end - c->read_at;

    if (!c->is_attached)
        return VMM_RING_SIZE;
    return behind < BEHIND_MAX ? (uint32_t)(BEHIND_MAX - behind) : 0;
}

/* Move output to the log; whether there was any.  Holds c->lock. */
static bool
take_output(struct vm_console *c)
{
    struct vmm_ring *r = &vm_instance_rings(c->instance)->output;
    uint32_t tail = atomic_load(&r->tail);
    uint32_t count = MIN(ring_used(r), log_room(c));

    for (uint32_t left = count; left > 0;) {
        uint32_t at = tail % VMM_RING_SIZE;
        uint32_t run = MIN(left, VMM_RING_SIZE - at);

        byte_log_write(&c->log, r->bytes + at, run);
        tail += run;
        left -= run;
    }
    atomic_store(&r->tail, tail);
    return count > 0;
}

/* One byte for the guest, if there is room.  Holds c->lock. */
static bool
put_input(struct vm_console *c, uint8_t byte)
{
    struct vmm_ring *r = &vm_instance_rings(c->instance)->input;
    uint32_t head = atomic_load(&r->head);

    if (ring_used(r) == VMM_RING_SIZE)
        return false;
    r->bytes[head % VMM_RING_SIZE] = byte;
    atomic_store(&r->head, head + 1);
    return true;
}

/* --- For the VM ----------------------------------------------------------- */

void
vm_console_init(struct vm_console *c)
{
    *c = (struct vm_console){ .is_on = false };
    lock_init(&c->lock, "vm console", RANK_DEVICE);
    wait_init(&c->queue, "VM's console");
}

void
vm_console_free(struct vm_console *c)
{
    if (c->log.bytes != NULL)
        kva_free(c->log.bytes, KEPT_PAGES);
    c->log.bytes = NULL;
}

status_t
vm_console_start(struct vm_console *c)
{
    uint8_t *bytes = c->log.bytes;

    if (bytes == NULL)
        bytes = kva_alloc(KEPT_PAGES, OWNER_BUFFERS);
    if (bytes == NULL)
        return TRACE_ERR(ERR_NO_MEMORY);
    lock_acquire(&c->lock);
    byte_log_init(&c->log, bytes, VM_CONSOLE_KEPT);
    c->is_on = true;
    lock_release(&c->lock);
    return OK;
}

void
vm_console_connect(struct vm_console *c, struct vm_instance *instance)
{
    lock_acquire(&c->lock);
    if (c->instance != NULL)
        (void)take_output(c);
    c->instance = instance;
    lock_release(&c->lock);
    wait_wake_all(&c->queue);
}

void
vm_console_end(struct vm_console *c)
{
    lock_acquire(&c->lock);
    c->is_on = false;
    lock_release(&c->lock);
    wait_wake_all(&c->queue);
}

void
vm_console_service(struct vm_console *c)
{
    lock_acquire(&c->lock);
    if (c->instance != NULL)
        (void)take_output(c);
    lock_release(&c->lock);
    wait_wake_all(&c->queue);
}

/* --- For the person's worlds ---------------------------------------------- */

void
vm_console_attach(struct vm_console *c)
{
    lock_acquire(&c->lock);
    c->read_at = byte_log_start(&c->log);
    c->is_attached = true;
    c->is_leaving = false;
    lock_release(&c->lock);
}

void
vm_console_detach(struct vm_console *c)
{
    lock_acquire(&c->lock);
    c->is_attached = false;
    if (c->instance != NULL && take_output(c))
        vm_instance_request(c->instance, VMM_REQUEST_CONSOLE);
    lock_release(&c->lock);
}

void
vm_console_leave(struct vm_console *c)
{
    lock_acquire(&c->lock);
    c->is_leaving = true;
    lock_release(&c->lock);
    wait_wake_all(&c->queue);
}

size_t
vm_console_read(struct vm_console *c, uint8_t *buf, size_t size,
                uint64_t *lost)
{
    status_t status = OK;
    uint64_t wanted;
    size_t count;

    lock_acquire(&c->lock);
    wanted = c->read_at;
    while (c->read_at == c->log.end && c->is_on && !c->is_leaving &&
           status == OK)
        status = wait_block(&c->queue, &c->lock, WAIT_FOREVER);
    count = c->is_leaving ? 0
                          : byte_log_read(&c->log, &c->read_at, buf, size);
    *lost = c->read_at - count - wanted;
    /* There is room again: somebody may be waiting for that. */
    if (c->instance != NULL && take_output(c))
        vm_instance_request(c->instance, VMM_REQUEST_CONSOLE);
    lock_release(&c->lock);
    return count;
}

bool
vm_console_input(struct vm_console *c, uint8_t byte)
{
    status_t status = OK;
    bool is_done = false;

    lock_acquire(&c->lock);
    while (!is_done && c->is_on && !c->is_leaving && status == OK) {
        is_done = c->instance != NULL && put_input(c, byte);
        if (is_done)
            vm_instance_request(c->instance, VMM_REQUEST_CONSOLE);
        else
            status = wait_block(&c->queue, &c->lock, WAIT_FOREVER);
    }
    lock_release(&c->lock);
    return is_done;
}
