/*
 * cpuid.h - what the processors of this machine are and can.
 *
 * Read once on the boot processor; all processors are taken to be alike, which
 * is what every multiprocessor specification asks for.
 */
#ifndef KERNEL_X86_CPUID_H
#define KERNEL_X86_CPUID_H

#include "kernel/base/types.h"

enum cpu_feature {
#define CPU_FEATURE(name, leaf, reg, bit, text) CPU_##name,
#include "kernel/x86/cpu_features.def"
#undef CPU_FEATURE
    CPU_FEATURE_COUNT
};

struct cpu_model {
    char vendor[13];            /* "GenuineIntel" */
    char brand[49];             /* "" on CPUs without a brand string */
    unsigned family, model, stepping;
    unsigned physical_bits;     /* width of a machine address */
};

/* Ask the running processor.  Before anything else here. */
void cpuid_init(void);

bool cpu_has(enum cpu_feature feature);
const char *cpu_feature_name(enum cpu_feature feature);
const struct cpu_model *cpu_model(void);

#endif
