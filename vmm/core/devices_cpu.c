/*
 * devices_cpu.c - CPUID, model-specific registers and the time stamp of the
 * virtual CPU: vmm/guest_port.h for the monitor, without the ports.
 *
 * The vcpu's thread.
 */
#include "vmm/core/devices_int.h"

#include "kernel/x86/cpu.h"
#include "vmm/core/devices.h"
#include "vmm/cpuid.h"
#include "vmm/guest_port.h"
#include "vmm/msr.h"

static struct virtual_cpuid virtual_cpuid;

static void
host_cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out)
{
    struct cpuid_regs r;

    cpuid(leaf, subleaf, &r);
    *out = (struct cpuid_leaf){ r.eax, r.ebx, r.ecx, r.edx };
}

void
devices_cpu_init(const struct vmm_params *params)
{
    cpuid_init_virtual(&virtual_cpuid, host_cpuid, params->tsc_hz);
}

void
guest_cpuid(UNUSED struct vcpu *v, uint32_t leaf, uint32_t subleaf,
            struct cpuid_leaf *out)
{
    cpuid_read(&virtual_cpuid, leaf, subleaf, out);
}

bool
guest_msr_read(UNUSED struct vcpu *v, uint32_t msr, uint64_t *value)
{
    if (msr != MSR_ARCH_CAPABILITIES)
        return msr_read(msr, value);
    if (!cpuid_has_arch_capabilities(&virtual_cpuid))
        return false;
    *value = msr_arch_capabilities(rdmsr(MSR_ARCH_CAPABILITIES));
    return true;
}

bool
guest_msr_write(UNUSED struct vcpu *v, uint32_t msr, UNUSED uint64_t value)
{
    return msr_write(msr);
}

uint64_t
guest_machine_tsc(UNUSED struct vcpu *v)
{
    return devices_tsc();
}
