/*
 * cpuid.c - makes the virtual CPUID of the host's (cpuid.h).
 *
 * The host is asked only for leaves that it has: beyond its last one, some
 * processors answer with another's content.
 */
#include "vmm/cpuid.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define LEAF_RANGE          BITS(31, 16)    /* each has its own maximum */
#define LEAF_EXTENDED       0x80000000u
#define LEAF_BASIC_LAST     0x00000007u
#define LEAF_EXTENDED_LAST  0x80000008u
#define LEAF_HYPERVISOR_LAST 0x40000010u

#define MODEL_HYPERVISOR    BIT(31)         /* of ECX */
#define STRUCTURED_ARCH_CAPABILITIES BIT(29) /* of EDX */
/* Physical addresses of 36 bits, linear ones of 32; one core. */
#define ADDRESS_BITS        (36u | 32u << 8)

#define TEXT4(a, b, c, d) \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | \
     (uint32_t)(d) << 24)

struct policy {
    uint32_t leaf, subleaf;
    struct cpuid_leaf pass;
};

static const struct policy policies[CPUID_ROW_COUNT] = {
#define PASS(name, leaf, subleaf, eax, ebx, ecx, edx) \
    [CPUID_ROW_##name] = { leaf, subleaf, { eax, ebx, ecx, edx } },
#define OURS(name, leaf) [CPUID_ROW_##name] = { leaf, 0, { .eax = 0 } },
#include "vmm/cpuid.def"
};

/* Leaves that are the same for all subleaves, which most are. */
static bool
has_subleaves(uint32_t leaf)
{
    return leaf == policies[CPUID_ROW_CACHE_0].leaf ||
           leaf == policies[CPUID_ROW_STRUCTURED].leaf;
}

/* The last leaf of LEAF's range, or something below it: there is none. */
static uint32_t
host_last(cpuid_host_t *host, uint32_t leaf)
{
    struct cpuid_leaf first;

    host(leaf & LEAF_RANGE, 0, &first);
    return (first.eax ^ leaf) & LEAF_RANGE ? 0 : first.eax;
}

static void
pass(const struct policy *p, cpuid_host_t *host, struct cpuid_leaf *row)
{
    *row = (struct cpuid_leaf){ .eax = 0 };
    if (host_last(host, p->leaf) < p->leaf)
        return;
    host(p->leaf, p->subleaf, row);
    row->eax &= p->pass.eax;
    row->ebx &= p->pass.ebx;
    row->ecx &= p->pass.ecx;
    row->edx &= p->pass.edx;
}

static void
add_ours(struct virtual_cpuid *c, cpuid_host_t *host, uint64_t tsc_hz)
{
    c->row[CPUID_ROW_BASIC].eax = MIN(host_last(host, 0), LEAF_BASIC_LAST);
    c->row[CPUID_ROW_MODEL].ecx |= MODEL_HYPERVISOR;
    c->row[CPUID_ROW_HYPERVISOR] = (struct cpuid_leaf){
        LEAF_HYPERVISOR_LAST, TEXT4('V', 'M', 'w', 'a'),
        TEXT4('r', 'e', 'V', 'M'), TEXT4('w', 'a', 'r', 'e') };
    /* There is no local APIC whose bus would have a rate. */
    c->row[CPUID_ROW_TIMING] = (struct cpuid_leaf){
        .eax = (uint32_t)(tsc_hz / 1000) };
    if (host_last(host, LEAF_EXTENDED) < LEAF_EXTENDED)
        return;
    c->row[CPUID_ROW_EXTENDED].eax = LEAF_EXTENDED_LAST;
    c->row[CPUID_ROW_ADDRESSES] = (struct cpuid_leaf){ .eax = ADDRESS_BITS };
}

void
cpuid_init_virtual(struct virtual_cpuid *c, cpuid_host_t *host,
                   uint64_t tsc_hz)
{
    for (size_t n = 0; n < CPUID_ROW_COUNT; n++)
        pass(&policies[n], host, &c->row[n]);
    add_ours(c, host, tsc_hz);
}

void
cpuid_read(const struct virtual_cpuid *c, uint32_t leaf, uint32_t subleaf,
           struct cpuid_leaf *out)
{
    if (!has_subleaves(leaf))
        subleaf = 0;
    for (size_t n = 0; n < CPUID_ROW_COUNT; n++) {
        if (policies[n].leaf == leaf && policies[n].subleaf == subleaf) {
            *out = c->row[n];
            return;
        }
    }
    *out = (struct cpuid_leaf){ .eax = 0 };
}

bool
cpuid_has_arch_capabilities(const struct virtual_cpuid *c)
{
    return (c->row[CPUID_ROW_STRUCTURED].edx &
            STRUCTURED_ARCH_CAPABILITIES) != 0;
}
