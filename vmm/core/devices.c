/*
 * devices.c - the VM's chipset in the monitor (devices.h): time passes for it
 * here, and ports lead to it.
 *
 * Virtual time is the TSC's, scaled.  The devices want to act at deadlines, and
 * COM1's back end wants the VMkernel called now and then: wake_at() is the
 * earliest of both, and stands in the shared page.  The VMkernel is called for
 * it only when its timer would come too late (vmm/wake_plan.h).
 *
 * The vcpu's thread; port accesses come from instructions, the rest from the
 * safe point.
 */
#include "vmm/core/devices.h"

#include "kernel/base/bits.h"
#include "kernel/base/time_scale.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "vmm/core/account.h"
#include "vmm/core/devices_int.h"
#include "vmm/core/memory.h"
#include "vmm/core/serial_rings.h"
#include "vmm/core/vmk.h"
#include "vmm/dev/chipset.h"
#include "vmm/guest_port.h"

#define REQUESTS_SERVED \
    (VMM_REQUEST_STOP | VMM_REQUEST_CONSOLE | VMM_REQUEST_TIMER)

static struct chipset chipset;
static struct serial_rings serial;
static struct time_scale scale;
static uint64_t start_tsc, latest;
static uint64_t hidden;             /* TSC cycles: the VM's clock lags */
static enum vmm_end end;            /* asked for by a port */
static bool is_interrupt_pending;   /* INTR, as of the last look_at_wire() */

/* --- Time ------------------------------------------------------------------*/

uint64_t
devices_tsc(void)
{
    return rdtsc() - hidden;
}

void
devices_hide_time(uint64_t cycles)
{
    hidden += cycles;
}

/* Another processor's TSC may be a little behind: time stands still then. */
uint64_t
devices_now(void)
{
    int64_t cycles = (int64_t)(devices_tsc() - start_tsc);

    if (cycles > 0)
        latest = MAX(latest, time_scale_ns(&scale, (uint64_t)cycles));
    return latest;
}

static uint64_t
wake_at(void)
{
    return MIN(chipset_next_deadline(&chipset), serial.call_at);
}

/* The next deadline to the shared page.  Would the timer come too late? */
static bool
plan_wake(void)
{
    uint64_t lag = time_scale_ns(&scale, hidden);
    uint64_t at = wake_at() < VMK_FOREVER - lag ? wake_at() + lag : VMK_FOREVER;
    uint32_t flags = irq_save();
    bool is_late;

    wake_plan_set(&vmm_shared->wake, at, latest + lag);
    is_late = wake_plan_is_late(&vmm_shared->wake);
    irq_restore(flags);
    return is_late;
}

/* Behind whatever may have moved the wire: it is asked for at each exit. */
static void
look_at_wire(void)
{
    is_interrupt_pending = chipset_is_interrupt_pending(&chipset);
}

/* --- The safe point --------------------------------------------------------*/

static void
serve_requests(void)
{
    uint32_t requests;

    if (atomic_load(&vmm_shared->requests) == 0)
        return;
    requests = atomic_and(&vmm_shared->requests, ~(uint32_t)REQUESTS_SERVED);
    if (requests & VMM_REQUEST_STOP)
        vmk_end(VMM_END_STOPPED, "stopped");
    if (requests & VMM_REQUEST_CONSOLE) {
        serial_rings_moved(&serial);
        chipset_serial_ready(&chipset, 0);
    }
}

/* The VMkernel takes all output, and gives what input there is. */
static void
call_console(void)
{
    vmk_console();
    serial_rings_called(&serial);
    chipset_serial_ready(&chipset, 0);
}

static void
let_time_pass(void)
{
    serve_requests();
    chipset_run(&chipset, devices_now());
    if (serial.call_at <= latest)
        call_console();
    look_at_wire();
}

void
devices_poll(void)
{
    let_time_pass();
    if (plan_wake())
        vmk_timer();
}

bool
devices_is_interrupt_pending(void)
{
    return is_interrupt_pending;
}

uint8_t
devices_acknowledge(void)
{
    uint8_t vector = chipset_acknowledge(&chipset);

    look_at_wire();
    return vector;
}

enum vmm_end
devices_take_end(void)
{
    enum vmm_end taken = end;

    end = VMM_END_COUNT;
    return taken;
}

/* Nobody types into a VM that does not listen: masked is for good. */
void
devices_halt(void)
{
    const struct guest_cpu *cpu = &chipset.vcpu->cpu;

    if ((cpu->eflags & EFLAGS_IF) == 0 && !cpu->pending_nmi) {
        if (serial.call_at != VDEV_NEVER)
            call_console();
        vmk_end(VMM_END_HALTED, "HLT with interrupts masked");
    }
    for (;;) {
        let_time_pass();
        if (devices_is_interrupt_pending() || cpu->pending_nmi)
            break;
        plan_wake();
        /* Nothing more comes for now: let it be seen. */
        if (serial.call_at != VDEV_NEVER)
            call_console();
        else
            vmk_halt();
    }
    if (plan_wake())
        vmk_timer();
}

/* --- Ports -----------------------------------------------------------------*/

static void
call_attention(enum attention why)
{
    atomic_or(&chipset.vcpu->attention, why);
}

static void
take_requests(void)
{
    uint32_t requests = chipset_take_requests(&chipset);

    if (requests & REQUEST_A20)
        memory_set_a20(chipset_is_a20_on(&chipset));
    if (requests & REQUEST_POWER_OFF)
        end = VMM_END_POWER_OFF;
    /* There is no firmware that could tell INIT# from RST#. */
    else if (requests & (REQUEST_INIT | REQUEST_RESET))
        end = VMM_END_RESET;
}

/* What an access has changed that the safe point must know. */
static void
follow_access(void)
{
    look_at_wire();
    if (is_interrupt_pending)
        call_attention(ATTENTION_INTERRUPT);
    if (plan_wake() || end != VMM_END_COUNT)
        call_attention(ATTENTION_STOP);
}

uint32_t
guest_port_in(UNUSED struct vcpu *v, uint16_t port, unsigned size)
{
    enum vmm_time before = account_switch(TIME_MONITOR);
    uint32_t value;

    chipset_run(&chipset, devices_now());
    value = chipset_port_in(&chipset, port, size);
    follow_access();
    account_switch(before);
    return value;
}

void
guest_port_out(UNUSED struct vcpu *v, uint16_t port, unsigned size,
               uint32_t value)
{
    enum vmm_time before = account_switch(TIME_MONITOR);

    chipset_run(&chipset, devices_now());
    chipset_port_out(&chipset, port, size, value);
    take_requests();
    follow_access();
    account_switch(before);
}

void
guest_fpu_error(UNUSED struct vcpu *v)
{
    chipset_fpu_error(&chipset);
    follow_access();
}

/* --- Power on --------------------------------------------------------------*/

void
devices_init(struct vcpu *v, const struct vmm_params *params)
{
    struct chipset_config config = {
        .wall_base = params->wall_base,
        .memory_bytes = (uint64_t)params->memory_pages * PAGE_SIZE,
        .tsc_hz = params->tsc_hz,
    };

    start_tsc = params->start_tsc;
    end = VMM_END_COUNT;
    time_scale_init(&scale, params->tsc_hz);
    serial_rings_init(&serial, vmm_rings, &chipset.clock);
    config.serial[0] = serial_rings_backend(&serial);
    chipset_init(&chipset, &config, devices_now());
    chipset.vcpu = v;
    chipset_set_up(&chipset);
    look_at_wire();
    devices_cpu_init(params);
    call_attention(ATTENTION_STOP);
}
