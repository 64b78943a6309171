/*
 * lapic.c - the local APIC (lapic.h).
 *
 * The same code serves xAPIC (registers 16 bytes apart in a page of memory)
 * and x2APIC (an MSR each, SDM 3A 10.12): read_reg and write_reg know the
 * difference, and so does send_ipi, since the command register became one of
 * 64 bits with a wider destination.
 *
 * All state is per processor in the APIC itself; ours is written once at
 * start.  Sending an IPI takes two writes in xAPIC mode, and masks interrupts
 * between them.
 */
#include "drivers/lapic.h"

#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/base/stats.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/cpuid.h"
#include "mm/mm.h"

enum lapic_reg {
    LAPIC_ID        = 0x020,
    LAPIC_VERSION   = 0x030,
    LAPIC_TPR       = 0x080,
    LAPIC_EOI       = 0x0b0,
    LAPIC_SVR       = 0x0f0,
    LAPIC_ESR       = 0x280,
    LAPIC_ICR_LOW   = 0x300,
    LAPIC_ICR_HIGH  = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0
};

/* Starting a processor: after INIT, and after each start-up IPI. */
#define INIT_DELAY_US   10000u
#define STARTUP_DELAY_US 200u
#define STARTUP_IPIS    2u

#define APIC_BASE_ADDR  BITS64(51, 12)
#define X2APIC_MSR      0x800u          /* + register offset / 16 */
#define X2APIC_SHIFT    4

#define ID_SHIFT        24              /* in xAPIC mode */
#define VERSION_ABSENT  0xffffffffu
#define SVR_ENABLE      BIT(8)
#define LVT_MASKED      BIT(16)
#define LVT_NMI         (4u << 8)
#define LVT_EXTINT      (7u << 8)
#define TIMER_DIVIDE_16 3u

#define ICR_FIXED       (0u << 8)
#define ICR_NMI         (4u << 8)
#define ICR_INIT        (5u << 8)
#define ICR_STARTUP     (6u << 8)
#define ICR_PENDING     BIT(12)
#define ICR_ASSERT      BIT(14)
#define ICR_LEVEL       BIT(15)
#define ICR_OTHERS      (3u << 18)      /* shorthand: all but self */

#define PENDING_LOOKS   100000u         /* some ms; delivery takes some us */
#define CALIBRATE_US    2000u
#define SAMPLES         8u
#define COUNT_MAX       UINT32_MAX
#define NS_PER_KHZ_TICK 1000000u

STAT(lapic, errors);
STAT(lapic, spurious);
STAT(lapic, ipis);

static void *regs;                      /* NULL in x2APIC mode */
static bool x2apic;
static bool extint;                     /* LINT0 brings the 8259's interrupts */
static uint32_t ticks_per_ns;           /* of the timer, times 2^32 */

static uint32_t
read_reg(enum lapic_reg reg)
{
    if (x2apic)
        return (uint32_t)rdmsr(X2APIC_MSR + (reg >> X2APIC_SHIFT));
    return mmio_read32((uint8_t *)regs + reg);
}

static void
write_reg(enum lapic_reg reg, uint32_t value)
{
    if (x2apic)
        wrmsr(X2APIC_MSR + (reg >> X2APIC_SHIFT), value);
    else
        mmio_write32((uint8_t *)regs + reg, value);
}

uint32_t
lapic_id(void)
{
    return x2apic ? read_reg(LAPIC_ID) : read_reg(LAPIC_ID) >> ID_SHIFT;
}

void
lapic_eoi(void)
{
    write_reg(LAPIC_EOI, 0);
}

/* --- Setting up ---------------------------------------------------------- */

/* Reading it takes a write first, which moves what was collected into it. */
static uint32_t
read_errors(void)
{
    write_reg(LAPIC_ESR, 0);
    return read_reg(LAPIC_ESR);
}

static void
on_error(struct trapframe *frame UNUSED)
{
    uint32_t errors = read_errors();

    STAT_INC(lapic, errors);
    log_debug(MOD_IRQ, "local APIC %u: errors=%#x", lapic_id(), errors);
    lapic_eoi();
}

/* Not acknowledged: nothing is in service (SDM 3A 10.9). */
static void
on_spurious(struct trapframe *frame UNUSED)
{
    STAT_INC(lapic, spurious);
}

void
lapic_enable(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);

    /* All processors in the mode of the boot processor. */
    base |= APIC_BASE_EN | (x2apic ? APIC_BASE_EXTD : 0);
    wrmsr(MSR_APIC_BASE, base);
    write_reg(LAPIC_SVR, SVR_ENABLE | VEC_SPURIOUS);
    write_reg(LAPIC_TPR, 0);
    write_reg(LAPIC_LVT_TIMER, VEC_TIMER);
    write_reg(LAPIC_TIMER_INITIAL, 0);
    write_reg(LAPIC_TIMER_DIVIDE, TIMER_DIVIDE_16);
    write_reg(LAPIC_LVT_LINT0, (base & APIC_BASE_BSP) && extint ?
                               LVT_EXTINT : LVT_MASKED);
    write_reg(LAPIC_LVT_LINT1, LVT_NMI);
    (void)read_errors();
    write_reg(LAPIC_LVT_ERROR, VEC_APIC_ERROR);
    /* What the firmware left in service would block everything below. */
    lapic_eoi();
}

status_t
lapic_init(bool virtual_wire)
{
    uint64_t base;

    if (!cpu_has(CPU_APIC))
        return TRACE_ERR(ERR_NO_DEVICE);
    base = rdmsr(MSR_APIC_BASE);
    x2apic = (base & APIC_BASE_EN) && (base & APIC_BASE_EXTD);
    extint = virtual_wire;
    if (!x2apic) {
        regs = mmio_map(make_maddr(base & APIC_BASE_ADDR), PAGE_SIZE);
        if (regs == NULL)
            return TRACE_ERR(ERR_NO_MEMORY);
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_EN);
        if (read_reg(LAPIC_VERSION) == VERSION_ABSENT)
            return TRACE_ERR(ERR_NO_DEVICE);
    }
    trap_set_handler(VEC_APIC_ERROR, on_error);
    trap_set_handler(VEC_SPURIOUS, on_spurious);
    lapic_enable();
    log_info(MOD_IRQ, "local APIC id=%u version=%#x%s", lapic_id(),
             read_reg(LAPIC_VERSION) & 0xff, x2apic ? " x2apic" : "");
    return OK;
}

/* --- Interrupts between processors --------------------------------------- */

/* Until the last one has left; xAPIC only, x2APIC queues them. */
static void
wait_sent(void)
{
    for (unsigned i = 0; i < PENDING_LOOKS; i++) {
        if (!(read_reg(LAPIC_ICR_LOW) & ICR_PENDING))
            return;
        cpu_pause();
    }
}

static void
send_ipi(uint32_t apic_id, uint32_t command)
{
    uint32_t flags = irq_save();

    STAT_INC(lapic, ipis);
    if (x2apic) {
        /* This write, unlike one to memory, does not order earlier stores. */
        atomic_fence();
        wrmsr(X2APIC_MSR + (LAPIC_ICR_LOW >> X2APIC_SHIFT),
              (uint64_t)apic_id << 32 | command);
    } else {
        wait_sent();
        write_reg(LAPIC_ICR_HIGH, apic_id << ID_SHIFT);
        write_reg(LAPIC_ICR_LOW, command);
    }
    irq_restore(flags);
}

static void
send_vector(unsigned apic_id, uint8_t vector)
{
    send_ipi(apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

static void
send_nmi_others(void)
{
    send_ipi(0, ICR_NMI | ICR_ASSERT | ICR_OTHERS);
}

/* INIT: the processor waits for a start-up IPI (SDM 3A 8.4.1). */
static void
park_processor(unsigned apic_id)
{
    send_ipi(apic_id, ICR_INIT | ICR_LEVEL | ICR_ASSERT);
    if (!x2apic) {
        wait_sent();
        /* The oldest APICs want the level taken back; others ignore it. */
        send_ipi(apic_id, ICR_INIT | ICR_LEVEL);
    }
    clock_delay_us(INIT_DELAY_US);
}

/* INIT, and then the start-up IPI twice: SDM 3A 8.4.4.1. */
static void
start_processor(unsigned apic_id, uint8_t page)
{
    park_processor(apic_id);
    for (unsigned i = 0; i < STARTUP_IPIS; i++) {
        send_ipi(apic_id, ICR_STARTUP | ICR_ASSERT | page);
        clock_delay_us(STARTUP_DELAY_US);
    }
}

const struct ipi_ops lapic_ipi = {
    .send = send_vector,
    .send_nmi_others = send_nmi_others,
    .eoi = lapic_eoi,
    .start = start_processor,
    .park = park_processor,
    .init_cpu = lapic_enable,
};

/* --- The timer ----------------------------------------------------------- */

static void
timer_start_ns(uint64_t ns)
{
    uint64_t ticks = (MIN(ns, UINT32_MAX) * ticks_per_ns) >> 32;

    write_reg(LAPIC_TIMER_INITIAL, (uint32_t)MAX(ticks, 1u));
}

static void
timer_stop(void)
{
    write_reg(LAPIC_TIMER_INITIAL, 0);
}

const struct timer_source lapic_timer = {
    .name = "local APIC",
    .start = timer_start_ns,
    .stop = timer_stop,
    .eoi = lapic_eoi,
};

/*
 * The timer's count and the TSC at the same time.  A reading that an SMI or the
 * host of a virtual machine cut in two took long: the quickest of some is
 * right.
 */
static uint32_t
sample_timer(uint64_t *tsc)
{
    uint64_t narrowest = UINT64_MAX;
    uint32_t count = 0;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = rdtsc();
        uint32_t now = read_reg(LAPIC_TIMER_CURRENT);
        uint64_t width = rdtsc() - before;

        if (width < narrowest) {
            narrowest = width;
            count = now;
            *tsc = before + width / 2;
        }
    }
    return count;
}

status_t
lapic_timer_calibrate(void)
{
    uint64_t tsc_first = 0, tsc_last = 0, ns;
    uint32_t first, ticks;

    write_reg(LAPIC_LVT_TIMER, LVT_MASKED | VEC_TIMER);
    write_reg(LAPIC_TIMER_INITIAL, COUNT_MAX);
    first = sample_timer(&tsc_first);
    clock_delay_us(CALIBRATE_US);
    ticks = first - sample_timer(&tsc_last);
    ns = clock_tsc_to_ns(tsc_last - tsc_first);
    timer_stop();
    write_reg(LAPIC_LVT_TIMER, VEC_TIMER);
    if (ticks == 0 || ticks >= ns)
        return TRACE_ERR(ERR_NO_DEVICE);
    ticks_per_ns = (uint32_t)(((uint64_t)ticks << 32) / ns);
    log_info(MOD_TIME, "local APIC timer at %u kHz",
             (uint32_t)((uint64_t)ticks * NS_PER_KHZ_TICK / ns));
    return OK;
}
