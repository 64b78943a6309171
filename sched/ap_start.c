/*
 * ap_start.c - starts the other processors.
 *
 * One at a time: allocate what it needs, send INIT and start-up interrupts
 * (SDM 3A 8.4), and wait until it says hello.  The two sides meet in one word:
 *
 *      AP_STARTED --- the processor ----> AP_ALIVE
 *      AP_STARTED --- we give it up ----> AP_GIVEN_UP, where it halts
 *
 * so a late riser never runs on a stack that was given away; and it gets
 * another INIT, for the page where it would begin is soon used otherwise.  Then
 * both compare their time stamp counters; a processor whose counter is off gets
 * an offset, for clock_now() must be the same everywhere.
 */
#include "kernel/ap_trampoline.h"
#include "kernel/base/assert.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/gdt.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"
#include "mm/mm_init.h"
#include "sched/sched.h"
#include "sched/sched_int.h"

#define ANSWER_US       1000000u        /* patience for one processor */
#define POLL_US         100u
#define DF_STACK_PAGES  1u
#define SYNC_ROUNDS     8u

enum ap_state { AP_STARTED, AP_ALIVE, AP_GIVEN_UP };

/* All that one processor is given. */
struct ap {
    uint32_t state;
    uint8_t *stack;
    uint8_t *df_stack;
    struct percpu percpu;
    struct world idle;
    struct tss tss, df_tss;
    struct segdesc gdt[GDT_ENTRIES];
};

/* The comparison of time stamps: each round is asked for, then answered. */
static struct {
    uint32_t asked, answered;
    uint64_t ap_tsc;
} sync;

static void
sync_answer(void)
{
    for (uint32_t round = 1; round <= SYNC_ROUNDS; round++) {
        while (atomic_load(&sync.asked) != round)
            cpu_pause();
        sync.ap_tsc = rdtsc();
        atomic_store(&sync.answered, round);
    }
}

/*
 * How far the other counter is behind ours.  Each round tells that it was read
 * between two readings of ours; any offset that agrees with all rounds is as
 * good as any other, so 0 if that does.
 */
static uint64_t
sync_measure(void)
{
    int64_t least = INT64_MIN;
    int64_t most = INT64_MAX;

    for (uint32_t round = 1; round <= SYNC_ROUNDS; round++) {
        uint64_t start = rdtsc();

        atomic_store(&sync.asked, round);
        while (atomic_load(&sync.answered) != round)
            cpu_pause();
        least = MAX(least, (int64_t)(start - sync.ap_tsc));
        most = MIN(most, (int64_t)(rdtsc() - sync.ap_tsc));
    }
    if (least <= 0 && most >= 0)
        return 0;
    return (uint64_t)(least + (most - least) / 2);
}

/* First C code of a new processor, on its own stack, interrupts masked. */
static void
ap_main(void *arg)
{
    struct ap *ap = arg;

    gdt_load_cpu(&ap->percpu, ap->df_stack + DF_STACK_PAGES * PAGE_SIZE);
    trap_load_idt();
    if (!atomic_compare_exchange(&ap->state, AP_STARTED, AP_ALIVE))
        for (;;)
            hlt();
    sync_answer();
    while (!atomic_load(&ap->percpu.may_run))
        cpu_pause();
    smp_ipi_ops()->init_cpu();
    sched_adopt_cpu(&ap->idle, ap->stack);
    percpu_set_online(&ap->percpu);
    atomic_fence();             /* online first, then the flush */
    tlb_flush_all();
    sched_idle();
}

static void
free_ap(struct ap *ap)
{
    if (ap->stack != NULL)
        kva_free(ap->stack, STACK_PAGES);
    if (ap->df_stack != NULL)
        kva_free(ap->df_stack, DF_STACK_PAGES);
    heap_free(ap);
}

static struct ap *
alloc_ap(unsigned cpu, unsigned apic_id)
{
    struct ap *ap = heap_alloc_zero(sizeof(*ap));

    if (ap == NULL)
        return NULL;
    ap->stack = kva_alloc(STACK_PAGES, OWNER_STACKS);
    ap->df_stack = kva_alloc(DF_STACK_PAGES, OWNER_STACKS);
    if (ap->stack == NULL || ap->df_stack == NULL) {
        free_ap(ap);
        return NULL;
    }
    ap->percpu.cpu = cpu;
    ap->percpu.apic_id = apic_id;
    ap->percpu.gdt = ap->gdt;
    ap->percpu.tss = &ap->tss;
    ap->percpu.df_tss = &ap->df_tss;
    return ap;
}

/* Put the code and AP's parameters where the start-up interrupt points. */
static void
fill_trampoline(maddr_t where, struct ap *ap)
{
    uint8_t *page = direct_ptr(where);
    uint32_t base = (uint32_t)maddr_raw(where);
    uint32_t code = (uint32_t)(ap_trampoline_protected - ap_trampoline_start);
    struct paging_registers paging;
    struct ap_params params = {
        .gdt = {
            [1] = SEGDESC_PAGES(0, SEG_LIMIT_4GB,
                                SEG_CODE | SEG_CODE_R | SEG_ACCESSED, 0),
            [2] = SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED,
                                0),
        },
        .gdtr = { sizeof(params.gdt) - 1, base + AP_PARAMS_OFFSET },
        .protected_eip = base + code, .protected_cs = SEL_CODE,
        .esp = (uint32_t)ap->stack + STACK_SIZE,
        .entry = (uint32_t)ap_main, .arg = (uint32_t)ap
    };

    mm_get_paging_registers(&paging);
    params.cr0 = paging.cr0;
    params.cr3 = paging.cr3;
    params.cr4 = paging.cr4;
    params.efer = paging.efer;
    memcpy(page, ap_trampoline_start,
           (size_t)(ap_trampoline_end - ap_trampoline_start));
    memcpy(page + AP_PARAMS_OFFSET, &params, sizeof(params));
}

/* Whether the processor came to life. */
static bool
wake_ap(maddr_t trampoline, struct ap *ap)
{
    smp_ipi_ops()->start(ap->percpu.apic_id,
                         (uint8_t)mpn_raw(maddr_to_mpn(trampoline)));
    for (unsigned us = 0; us < ANSWER_US; us += POLL_US) {
        if (atomic_load(&ap->state) == AP_ALIVE)
            return true;
        clock_delay_us(POLL_US);
    }
    if (!atomic_compare_exchange(&ap->state, AP_STARTED, AP_GIVEN_UP))
        return true;
    smp_ipi_ops()->park(ap->percpu.apic_id);
    return false;
}

static void
welcome_ap(struct ap *ap)
{
    uint32_t flags = irq_save();

    atomic_store(&sync.asked, 0);
    ap->percpu.tsc_offset = PERCPU(tsc_offset) + sync_measure();
    irq_restore(flags);
    atomic_store(&ap->percpu.may_run, true);
    while (!atomic_load(&ap->percpu.online))
        cpu_pause();
    if (ap->percpu.tsc_offset != 0)
        log_info(MOD_CPU, "CPU %u: time stamp counter off by %lld cycles",
                 ap->percpu.cpu, (long long)ap->percpu.tsc_offset);
}

static void
start_processor(maddr_t trampoline, unsigned apic_id)
{
    struct ap *ap = alloc_ap(cpu_count(), apic_id);

    if (ap == NULL) {
        log_error(MOD_CPU, "no memory for the processor with APIC id %u",
                  apic_id);
        return;
    }
    fill_trampoline(trampoline, ap);
    if (wake_ap(trampoline, ap))
        welcome_ap(ap);
    else    /* what it was given stays allocated: it may still come */
        log_warn(MOD_CPU, "the processor with APIC id %u does not start",
                 apic_id);
}

void
sched_start_processors(const uint8_t *apic_ids, unsigned count)
{
    maddr_t trampoline = mm_low_page();

    if (smp_ipi_ops() == NULL || count <= 1)
        return;
    if (maddr_raw(trampoline) == 0) {
        log_error(MOD_CPU, "no page below 640 KB to start processors with");
        return;
    }
    mm_map_identity_page(trampoline);
    for (unsigned i = 0; i < count && cpu_count() < CPU_MAX; i++)
        if (apic_ids[i] != PERCPU(apic_id))
            start_processor(trampoline, apic_ids[i]);
    mm_unmap_identity_page(trampoline);
    if (count > CPU_MAX)
        log_warn(MOD_CPU, "only %u of %u processors are used", CPU_MAX,
                 count);
}
