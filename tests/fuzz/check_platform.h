/*
 * check_platform.h - the promises of drivers/platform.h, for fuzzers: whatever
 * the tables said, these hold.
 */
#ifndef TESTS_FUZZ_CHECK_PLATFORM_H
#define TESTS_FUZZ_CHECK_PLATFORM_H

#include <stdlib.h>

#include "drivers/platform.h"

#define REQUIRE(x)      do { if (!(x)) abort(); } while (0)

static inline void
check_cpus(const struct platform_info *info)
{
    unsigned enabled = 0;

    REQUIRE(info->cpu_count <= PLATFORM_CPU_MAX);
    for (unsigned i = 0; i < info->cpu_count; i++) {
        const struct platform_cpu *cpu = &info->cpus[i];

        REQUIRE(cpu->apic_id < PLATFORM_CPU_MAX);
        REQUIRE(cpu->nmi_lint <= 1 || cpu->nmi_lint == PLATFORM_LINT_NONE);
        for (unsigned j = 0; j < i; j++)
            REQUIRE(info->cpus[j].apic_id != cpu->apic_id);
        enabled += cpu->enabled;
    }
    REQUIRE(enabled >= 1);
}

static inline void
check_platform(const struct platform_info *info)
{
    const struct platform_power *power = &info->power;

    check_cpus(info);
    REQUIRE(info->ioapic_count <= PLATFORM_IOAPIC_MAX);
    for (unsigned i = 0; i < info->ioapic_count; i++) {
        REQUIRE(maddr_raw(info->ioapics[i].maddr) != 0);
        for (unsigned j = 0; j < i; j++)
            REQUIRE(info->ioapics[j].id != info->ioapics[i].id);
    }
    REQUIRE(info->pci_irq_count <= PLATFORM_PCI_IRQ_MAX);
    for (unsigned i = 0; i < info->pci_irq_count; i++)
        REQUIRE(info->pci_irqs[i].pin < 4 && info->pci_irqs[i].device < 32);
    REQUIRE(maddr_raw(info->lapic) != 0 &&
            maddr_raw(info->lapic) % PAGE_SIZE == 0);
    REQUIRE(power->s5_type_a <= 7 && power->s5_type_b <= 7);
    if (power->reset.space == SPACE_IO)
        REQUIRE(power->reset.address <= UINT16_MAX);
}

#endif
