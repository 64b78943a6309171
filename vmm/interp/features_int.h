/*
 * features_int.h - what the virtual CPUID shows, and what follows from it.
 */
#ifndef VMM_INTERP_FEATURES_INT_H
#define VMM_INTERP_FEATURES_INT_H

#include "vmm/interp/interp_int.h"

enum feature {
#define FEATURE(name, leaf, reg, bit) FEATURE_##name,
#include "vmm/interp/features.def"
    FEATURE_COUNT
};

bool feature_is_shown(struct vcpu *v, enum feature feature);

/* May instructions of ROW be executed?  Asked once, when one is decoded. */
bool feature_allows_row(struct vcpu *v, unsigned row);

/* The bits of CR4 that depend on a feature that is not shown. */
uint32_t feature_absent_cr4(struct vcpu *v);

#endif
