/*
 * interrupts.c - I/O APICs and local APIC if the machine has them and they
 * work, else the 8259 pair; the local APIC's timer, else the PIT's.
 *
 *      has            device lines        timer        between processors
 *      both APICs     I/O APICs           local APIC   local APIC
 *      local APIC     8259 by LINT0       local APIC   local APIC
 *      neither        8259                PIT          (one processor)
 */
#include "drivers/interrupts.h"

#include "drivers/ioapic.h"
#include "drivers/lapic.h"
#include "drivers/pic.h"
#include "drivers/pit.h"
#include "kernel/base/log.h"
#include "kernel/smp.h"
#include "kernel/timer.h"
#include "kernel/x86/cpuid.h"

#define IOAPIC_SIZE     PAGE_SIZE

/* Tables may lie: registers that would be in RAM are not touched. */
static bool
is_ram(const struct memory_map *map, maddr_t base)
{
    uint64_t start = maddr_raw(base);

    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_range *r = &map->ranges[i];

        if (r->kind != MEMORY_RESERVED && start < r->base + r->length &&
            r->base < start + IOAPIC_SIZE)
            return true;
    }
    return false;
}

/* Whether at least one I/O APIC is in service. */
static bool
add_ioapics(const struct platform_info *p, const struct memory_map *map)
{
    for (unsigned i = 0; i < p->ioapic_count; i++) {
        const struct platform_ioapic *io = &p->ioapics[i];
        status_t status = ERR_INVALID;

        if (!is_ram(map, io->maddr))
            status = ioapic_add(io->maddr, io->gsi_base);
        if (status != OK)
            log_warn(MOD_IRQ, "I/O APIC at " PRI_maddr " refused: %s",
                     maddr_raw(io->maddr), status_text(status));
    }
    return ioapic_count() > 0;
}

static void
use_ioapics(const struct platform_info *p)
{
    if (p->has_imcr)
        pic_disconnect();
    irq_set_chip(&ioapic_chip);
    for (unsigned i = 0; i < PLATFORM_ISA_IRQS; i++)
        if (p->isa_irqs[i].connected)
            irq_set_isa_route(i, p->isa_irqs[i].gsi, p->isa_irqs[i].mode);
    log_info(MOD_IRQ, "%u I/O APIC%s with %u lines", ioapic_count(),
             ioapic_count() == 1 ? "" : "s", ioapic_line_count());
}

static void
use_pic(void)
{
    irq_set_chip(&pic_chip);
    log_info(MOD_IRQ, "8259 pair");
}

/* The local APIC's services; whether it is there and works. */
static bool
start_lapic(bool virtual_wire)
{
    if (lapic_init(virtual_wire) != OK)
        return false;
    PERCPU(apic_id) = lapic_id();
    smp_set_ipi_ops(&lapic_ipi);
    return true;
}

static status_t
start_pit(void)
{
    status_t status = pit_timer_init();

    if (status == OK)
        timer_start(&pit_timer);
    return status;
}

status_t
interrupts_init(const struct platform_info *platform,
                const struct memory_map *map, bool use_apic)
{
    bool apic = use_apic && cpu_has(CPU_APIC);
    bool io, local;

    /* First: a line that the 8259s still assert when LINT0 is masked would
     * stay pending in the processor for ever. */
    pic_init();
    io = apic && add_ioapics(platform, map);
    local = apic && start_lapic(!io);
    if (io && local)
        use_ioapics(platform);
    else
        use_pic();
    if (local && lapic_timer_calibrate() == OK) {
        timer_start(&lapic_timer);
        return OK;
    }
    return start_pit();
}
