/*
 * cpuid.h - what CPUID tells a guest: a part of what the host's says.
 *
 * User code runs directly and so executes the host's CPUID, which in most
 * machines cannot be prevented.  The virtual CPU is therefore the host's, with
 * its vendor, family and model, less what we do not virtualise: no feature is
 * shown that interpreter and translator cannot do, nor one that the host has
 * not.  cpuid.def is the policy.
 *
 * It is worked out once and does not change while a VM exists.  Pure.
 */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include "kernel/base/types.h"
#include "vmm/guest_port.h"

enum cpuid_row {
#define PASS(name, leaf, subleaf, eax, ebx, ecx, edx) CPUID_ROW_##name,
#define OURS(name, leaf) CPUID_ROW_##name,
#include "vmm/cpuid.def"
    CPUID_ROW_COUNT
};

struct virtual_cpuid {
    struct cpuid_leaf row[CPUID_ROW_COUNT];
};

/* Executes the CPUID instruction, or pretends to. */
typedef void cpuid_host_t(uint32_t leaf, uint32_t subleaf,
                          struct cpuid_leaf *out);

/* TSC_HZ is what the hypervisor's leaf says of the time stamp's rate. */
void cpuid_init_virtual(struct virtual_cpuid *c, cpuid_host_t *host,
                        uint64_t tsc_hz);

/* A leaf that does not exist reads as 0. */
void cpuid_read(const struct virtual_cpuid *c, uint32_t leaf,
                uint32_t subleaf, struct cpuid_leaf *out);

/* Shown: whether MSR_ARCH_CAPABILITIES exists. */
bool cpuid_has_arch_capabilities(const struct virtual_cpuid *c);

#endif
