/*
 * cpuid.c - CPUID of vmrun's processor: the monitor's policy (vmm/cpuid.h) over
 * a host that is the table cpuid.def.
 */
#include "vmm/cpuid.h"
#include "vmrun/machine.h"

#define TEXT4(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
     (uint32_t)(d) << 24)

static const struct {
    uint32_t leaf, subleaf;
    struct cpuid_leaf registers;
} host_leaves[] = {
#define HOST(leaf, subleaf, eax, ebx, ecx, edx) \
    { leaf, subleaf, { eax, ebx, ecx, edx } },
#include "vmrun/cpuid.def"
#undef HOST
};

static void
host(uint32_t leaf, uint32_t subleaf, struct cpuid_leaf *out)
{
    *out = (struct cpuid_leaf){ .eax = 0 };
    for (size_t n = 0; n < ARRAY_LEN(host_leaves); n++)
        if (host_leaves[n].leaf == leaf && host_leaves[n].subleaf == subleaf)
            *out = host_leaves[n].registers;
}

void
machine_init_cpuid(struct machine *m)
{
    cpuid_init_virtual(&m->cpuid, host, TSC_HZ);
}

void
guest_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf,
            struct cpuid_leaf *out)
{
    cpuid_read(&machine_of(v)->cpuid, leaf, subleaf, out);
}
