/*
 * msr.c - model-specific registers, by the table msr.def (msr.h).
 *
 * Looked up one by one: there are few, and kernels touch them once, when they
 * start.
 */
#include "vmm/msr.h"

#include "kernel/base/bits.h"

/*
 * RDCL_NO, SKIP_L1DFL_VMENTRY, MDS_NO, PSCHANGE_MC_NO, TAA_NO: what is not
 * there.  What a register would have to be written for is not passed on.
 */
#define ARCH_CAPABILITIES_SAFE \
    (BIT64(0) | BIT64(3) | BIT64(5) | BIT64(6) | BIT64(8))

enum write_effect { REFUSED, IGNORED };

static const struct {
    uint32_t number;
    enum write_effect write;
    uint64_t value;
} msrs[] = {
#define MSR(number, name, value, write) { number, write, value },
#include "vmm/msr.def"
#undef MSR
};

bool
msr_read(uint32_t msr, uint64_t *value)
{
    for (size_t n = 0; n < ARRAY_LEN(msrs); n++) {
        if (msrs[n].number == msr) {
            *value = msrs[n].value;
            return true;
        }
    }
    return false;
}

bool
msr_write(uint32_t msr)
{
    for (size_t n = 0; n < ARRAY_LEN(msrs); n++)
        if (msrs[n].number == msr)
            return msrs[n].write == IGNORED;
    return false;
}

uint64_t
msr_arch_capabilities(uint64_t host)
{
    return host & ARCH_CAPABILITIES_SAFE;
}
