/*
 * cpuid.c - CPUID of vmrun's processor, by the table cpuid.def.
 */
#include "vmm/guest_port.h"
#include "vmrun/machine.h"

#define TEXT4(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
     (uint32_t)(d) << 24)

/* FPU DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT CLFSH MMX FXSR SSE SSE2. */
#define EDX_FEATURES \
    (BIT(0) | BITS(6, 2) | BIT(8) | BIT(11) | BIT(13) | BITS(16, 15) | \
     BIT(19) | BITS(26, 23))

struct leaf {
    uint32_t number;
    struct cpuid_leaf registers;
};

static const struct leaf leaves[] = {
#define LEAF(leaf, eax, ebx, ecx, edx) { leaf, { eax, ebx, ecx, edx } },
#include "vmrun/cpuid.def"
#undef LEAF
};

void
guest_cpuid(struct vcpu *v, uint32_t leaf, uint32_t subleaf,
            struct cpuid_leaf *out)
{
    (void)v;
    (void)subleaf;
    *out = (struct cpuid_leaf){ .eax = 0 };
    for (size_t n = 0; n < ARRAY_LEN(leaves); n++)
        if (leaves[n].number == leaf)
            *out = leaves[n].registers;
}
