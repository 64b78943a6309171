/*
 * vm_run.c - a VM's life: its world goes back and forth through the world
 * switch until the VM is over.
 *
 *      masked      world_switch_enter() -> monitor, guest, monitor ->
 *      masked      a physical interrupt: its handler, perhaps other worlds
 *      unmasked    any other call: vmkcall_server.c
 *
 * The monitor never keeps the processor: whatever it does, the next physical
 * interrupt brings it back here.  So a VM is killed by not entering it again.
 *
 * Who wants something of a VM sets a bit in the shared page first and looks at
 * `runs_on` then; the VM's world sets `runs_on` first and lets the monitor look
 * at the bits then.  Both steps are full barriers, so one of the two sees the
 * other: either the monitor finds the bit, or the processor gets an interrupt.
 * A world that sleeps looks at the bits under `lock`, and is woken.
 *
 * What the other side wrote is not trusted: nothing in the shared pages is used
 * as an address or an index, and the context with which the monitor goes on is
 * looked at first.  The VMkernel's own is on a page that the monitor can only
 * read.
 */
#include "vmm/vmk/vm_run.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "sched/world.h"
#include "vmm/boot/direct_boot.h"
#include "vmm/core/world_switch.h"
#include "vmm/vmk/instance_int.h"

#define MEMORY_PAGES_MIN    (PC_HIGH_BASE / PAGE_SIZE)
#define MEMORY_PAGES_MAX    (PC_MEMORY_MAX / PAGE_SIZE)

static uint32_t last_id;                /* atomic */

/* The instance that last used each processor's FPU; that processor's own. */
static uint32_t fpu_owner[CPU_MAX];

/* --- Making and unmaking ---------------------------------------------------*/

static void
on_timer(struct timer *timer)
{
    vm_instance_request(CONTAINER_OF(timer, struct vm_instance, timer),
                        VMM_REQUEST_TIMER);
}

status_t
vm_instance_create(const struct vm_instance_params *params,
                   struct vm_instance **instance)
{
    struct vm_instance *i;
    status_t status;

    if (params->memory_pages < MEMORY_PAGES_MIN ||
        params->memory_pages > MEMORY_PAGES_MAX ||
        params->shadow_pages < SHADOW_PAGES_MIN)
        return TRACE_ERR(ERR_RANGE);
    i = heap_alloc_zero(sizeof(*i));
    if (i == NULL)
        return TRACE_ERR(ERR_NO_MEMORY);
    i->params = *params;
    i->id = atomic_add(&last_id, 1) + 1;
    page_list_init(&i->pages, ZONE_DIRECT, OWNER_MONITORS);
    page_list_init(&i->shadow, ZONE_HIGH, OWNER_MONITORS);
    page_list_init(&i->guest, ZONE_HIGH, OWNER_GUESTS);
    lock_init(&i->lock, "vm", RANK_WAIT);
    wait_init(&i->sleep, "guest idle");
    timer_init(&i->timer, on_timer);
    status = vm_image_build(i);
    if (status != OK) {
        vm_instance_destroy(i);
        return status;
    }
    *instance = i;
    return OK;
}

void
vm_instance_destroy(struct vm_instance *i)
{
    timer_cancel_wait(&i->timer);
    vm_memory_destroy(i);
    page_list_free(&i->shadow);
    page_list_free(&i->pages);
    heap_free(i);
}

/* --- Requests --------------------------------------------------------------*/

/* Whatever the world does: sleep, or run in the monitor. */
static void
get_attention(struct vm_instance *i)
{
    uint32_t cpu;

    /* Who has looked and is about to sleep is on the queue after this. */
    lock_acquire(&i->lock);
    lock_release(&i->lock);
    wait_wake_all(&i->sleep);
    cpu = atomic_load(&i->runs_on);
    if (cpu != 0)
        smp_resched(cpu - 1);
}

void
vm_instance_request(struct vm_instance *i, uint32_t requests)
{
    atomic_or(&i->shared->requests, requests);
    get_attention(i);
}

void
vm_instance_kill(struct vm_instance *i)
{
    atomic_exchange(&i->is_killed, true);
    get_attention(i);
}

static bool
is_killed(const struct vm_instance *i)
{
    return atomic_load(&i->is_killed) || world_should_stop();
}

/* --- Time ------------------------------------------------------------------*/

/* The VM's clock is ours, but for the start. */
static uint64_t
vm_to_clock(const struct vm_instance *i, uint64_t ns)
{
    return ns < VMK_FOREVER - i->clock_base ? i->clock_base + ns :
           WAIT_FOREVER;
}

uint64_t
vm_instance_now(const struct vm_instance *i)
{
    return i->clock_base == 0 ? 0 : clock_now() - i->clock_base;
}

static void
set_timer(struct vm_instance *i, uint64_t at)
{
    uint64_t deadline = vm_to_clock(i, at);

    i->armed = at;
    if (deadline == WAIT_FOREVER)
        timer_cancel(&i->timer);
    else
        timer_set(&i->timer, deadline);
}

/*
 * Before the monitor runs: what does it want?  A time that has just passed is
 * told at once, as the timer that was to tell it is set to another now.
 */
static void
follow_plan(struct vm_instance *i)
{
    struct wake_plan plan = i->shared->wake;
    uint64_t now = vm_instance_now(i);
    uint64_t next = wake_plan_next(&plan, now);

    if (plan.at <= now)
        atomic_or(&i->shared->requests, VMM_REQUEST_TIMER);
    if (next != i->armed)
        set_timer(i, next);
    i->shared->wake.armed = next;
}

/* The wait has a timer of its own. */
void
vm_run_sleep(struct vm_instance *i)
{
    uint64_t deadline = vm_to_clock(i, i->shared->wake.at);
    status_t status = OK;

    set_timer(i, VMK_FOREVER);
    lock_acquire(&i->lock);
    while (status == OK && atomic_load(&i->shared->requests) == 0 &&
           !is_killed(i) && clock_now() < deadline)
        status = wait_block(&i->sleep, &i->lock, deadline);
    lock_release(&i->lock);
}

/* --- Running ---------------------------------------------------------------*/

void
vm_run_end(struct vm_instance *i, enum vmm_end how, const char *text)
{
    i->is_over = true;
    i->end = how;
    str_copy(i->text, text, sizeof(i->text));
}

/* Interrupts are masked until the monitor has left again, and after that. */
static void
enter_monitor(struct vm_instance *i)
{
    unsigned cpu = PERCPU(cpu);

    i->shared->is_fpu_kept = fpu_owner[cpu] == i->id && i->last_cpu == cpu;
    fpu_owner[cpu] = i->id;
    i->last_cpu = cpu;
    world_switch_enter(i->shared, i->vmk);
    atomic_store(&i->runs_on, 0);
}

/* One way there and back. */
static void
run_once(struct vm_instance *i)
{
    cli();
    follow_plan(i);
    atomic_exchange(&i->runs_on, PERCPU(cpu) + 1);
    if (!is_killed(i) && vm_context_is_sound(&i->made, &i->shared->vmm)) {
        enter_monitor(i);
        vmkcall_serve(i);
        return;
    }
    atomic_store(&i->runs_on, 0);
    sti();
    if (is_killed(i))
        vm_run_end(i, VMM_END_STOPPED, "");
    else
        vm_run_end(i, VMM_END_CRASHED, "the monitor's context was overwritten");
}

enum vmm_end
vm_instance_run(struct vm_instance *i)
{
    uint32_t flags = irq_save();

    ASSERT(i->clock_base == 0);
    /* Read at once, and ours last: it is not ahead, so no timer comes early. */
    i->shared->params.start_tsc = rdtsc();
    i->clock_base = clock_now();
    irq_restore(flags);
    wake_plan_init(&i->shared->wake);
    i->armed = VMK_FOREVER;
    while (!i->is_over)
        run_once(i);
    timer_cancel(&i->timer);
    /* Somebody may have had a reason to kill it. */
    if (i->end == VMM_END_CRASHED || i->is_killed)
        vm_events_log(i, i->is_killed ? LOG_DEBUG : LOG_ERROR);
    return i->end;
}

const char *
vm_instance_end_text(const struct vm_instance *i)
{
    return i->text;
}

struct vmm_shared *
vm_instance_shared(struct vm_instance *i)
{
    return i->shared;
}

struct vmm_rings *
vm_instance_rings(struct vm_instance *i)
{
    return i->rings;
}

const struct vmm_stats *
vm_instance_stats(const struct vm_instance *i)
{
    return i->stats;
}
