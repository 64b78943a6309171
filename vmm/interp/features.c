/*
 * features.c - an instruction that the virtual CPUID does not show is #UD.
 *
 * CPUID is the owner's (guest_cpuid()) and stays the same for the life of a
 * virtual machine, so that what is found here can be kept with a decoded
 * instruction.  The tables are features.def.
 *
 * Called by the vcpu's thread; no locks.  SDM 2A "CPUID".
 */
#include "vmm/interp/features_int.h"

#include "vmm/guest_port.h"

#define LEAF_EXTENDED   BIT(31)         /* each range has its own maximum */

struct feature_place {
    uint32_t leaf;
    uint8_t reg;            /* offset in struct cpuid_leaf */
    uint8_t bit;
};

static const struct feature_place places[] = {
#define FEATURE(name, leaf, reg, bit) \
    [FEATURE_##name] = { leaf, offsetof(struct cpuid_leaf, reg), bit },
#include "vmm/interp/features.def"
};

struct feature_rows {
    uint16_t first, last;
    uint8_t feature;
};

static const struct feature_rows feature_rows[] = {
#define ROWS(feature, first, last) { first, last, FEATURE_##feature },
#include "vmm/interp/features.def"
};

struct feature_cr4 {
    uint32_t bits;
    uint8_t feature;
};

static const struct feature_cr4 feature_cr4[] = {
#define CR4(feature, bits) { bits, FEATURE_##feature },
#include "vmm/interp/features.def"
};

bool
feature_is_shown(struct vcpu *v, enum feature feature)
{
    const struct feature_place *place = &places[feature];
    struct cpuid_leaf leaf;
    const uint8_t *reg = (const uint8_t *)&leaf + place->reg;

    guest_cpuid(v, place->leaf & LEAF_EXTENDED, 0, &leaf);
    if (leaf.eax < place->leaf)
        return false;
    guest_cpuid(v, place->leaf, 0, &leaf);
    return (*(const uint32_t *)(const void *)reg & BIT(place->bit)) != 0;
}

bool
feature_allows_row(struct vcpu *v, unsigned row)
{
    for (size_t n = 0; n < ARRAY_LEN(feature_rows); n++)
        if (row >= feature_rows[n].first && row <= feature_rows[n].last)
            return feature_is_shown(v, feature_rows[n].feature);
    return true;
}

uint32_t
feature_absent_cr4(struct vcpu *v)
{
    uint32_t absent = 0;

    for (size_t n = 0; n < ARRAY_LEN(feature_cr4); n++)
        if (!feature_is_shown(v, feature_cr4[n].feature))
            absent |= feature_cr4[n].bits;
    return absent;
}
