/*
 * smp.c - calls from one processor to the others.
 *
 * One call is in flight at a time.  The caller keeps interrupts on while it
 * waits, for its turn and for the others to finish, so two processors that
 * call each other both make progress; it may not hold a spinlock, or one of
 * the others might spin on it with interrupts masked and never answer.
 */
#include "kernel/smp.h"

#include "kernel/base/addr.h"
#include "kernel/base/assert.h"
#include "kernel/base/stats.h"
#include "kernel/irq.h"
#include "kernel/panic.h"
#include "kernel/preempt.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "kernel/x86/paging.h"

/* From so many pages on, dropping everything is cheaper than page by page. */
#define FLUSH_ALL_PAGES 32u

STAT(smp, calls);
STAT(smp, resched_ipis);

static const struct ipi_ops *ops;
static uint32_t stopping;

static struct {
    uint32_t busy;              /* a call is in flight */
    void (*fn)(void *arg);
    void *arg;
    uint32_t pending;           /* processors that have not finished */
} call;

void
smp_set_ipi_ops(const struct ipi_ops *ipi_ops)
{
    ops = ipi_ops;
}

const struct ipi_ops *
smp_ipi_ops(void)
{
    return ops;
}

static void
on_call(struct trapframe *frame UNUSED)
{
    ops->eoi();
    call.fn(call.arg);
    atomic_sub(&call.pending, 1);
}

/* The work is done on the way out of the interrupt: PERCPU(resched). */
static void
on_resched(struct trapframe *frame UNUSED)
{
    ops->eoi();
    PERCPU(resched) = true;
}

/*
 * Another processor's panic, or else hardware that gave up, or a person at the
 * NMI button who wants to know where a hung machine hangs: report.
 */
static void
on_nmi(struct trapframe *frame)
{
    while (atomic_load(&stopping) != 0)
        hlt();
    panic_trap(frame);
}

void
smp_init(void)
{
    trap_set_handler(VEC_IPI_CALL, on_call);
    trap_set_handler(VEC_IPI_RESCHED, on_resched);
    trap_set_handler(VEC_NMI, on_nmi);
}

void
smp_resched(unsigned cpu)
{
    if (cpu == PERCPU(cpu)) {
        PERCPU(resched) = true;
        return;
    }
    STAT_INC(smp, resched_ipis);
    ops->send(percpu_get(cpu)->apic_id, VEC_IPI_RESCHED);
}

void
smp_call_others(void (*fn)(void *arg), void *arg)
{
    unsigned count;

    /* What the caller has written, a processor that comes later sees. */
    atomic_fence();
    if (cpu_count() == 1)
        return;
    ASSERT(read_eflags() & EFLAGS_IF);
    preempt_disable();
    while (atomic_exchange(&call.busy, 1) != 0)
        cpu_pause();
    STAT_INC(smp, calls);
    /* Once: one that comes online in between has not been counted. */
    count = cpu_count();
    call.fn = fn;
    call.arg = arg;
    atomic_store(&call.pending, count - 1);
    for (unsigned i = 0; i < count; i++)
        if (i != PERCPU(cpu))
            ops->send(percpu_get(i)->apic_id, VEC_IPI_CALL);
    while (atomic_load(&call.pending) != 0)
        cpu_pause();
    atomic_store(&call.busy, 0);
    preempt_enable();
}

struct flush_range {
    uint32_t linear;
    unsigned pages;
};

void
tlb_flush_all(void)
{
    /* There are no global pages: mm/pagetable.c. */
    write_cr3(read_cr3());
}

static void
flush_local(void *arg)
{
    const struct flush_range *r = arg;

    if (r->pages >= FLUSH_ALL_PAGES) {
        tlb_flush_all();
        return;
    }
    for (unsigned i = 0; i < r->pages; i++)
        invlpg(r->linear + i * PAGE_SIZE);
}

/* Without a break: the others must be those that have not flushed yet. */
void
tlb_shootdown(uint32_t linear, unsigned pages)
{
    struct flush_range range = { linear, pages };

    preempt_disable();
    flush_local(&range);
    smp_call_others(flush_local, &range);
    preempt_enable();
}

void
smp_stop_others(void)
{
    atomic_store(&stopping, 1);
    if (ops != NULL && cpu_count() > 1)
        ops->send_nmi_others();
}
