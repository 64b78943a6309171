/*
 * vm_params.c - what a configuration means (vm_params.h).
 *
 * Shares by name are those of the field: 500, 1000 and 2000 for each virtual
 * processor.  Minimum and maximum are in percent of one processor.
 *
 * Called by who starts a VM, and by its world at each reset; no locks.
 */
#include "vmm/vmk/vm_params.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define PERMILLE_PER_PERCENT    10u
#define PERCENT_ALL             100u
#define PAGES_PER_MB            (MB(1) / PAGE_SIZE)
#define CPUS_MAX                32u     /* bits of an affinity */
#define DECIMAL                 10u

/*
 * Shadow tables for one guest page in 32: a guest rarely has more than that
 * many tables in use, and each costs two machine pages when it is.
 */
#define GUEST_PAGES_PER_SHADOW  32u
#define SHADOW_PAGES_LEAST      256u

static unsigned
shares_of(const struct vmx *vmx)
{
    static const unsigned by_word[] = {
        WORLD_SHARES_NORMAL / 2, WORLD_SHARES_NORMAL, WORLD_SHARES_NORMAL * 2
    };
    unsigned word = vmx_word(vmx, "sched.cpu.shares");

    return word < ARRAY_LEN(by_word) ? by_word[word]
                                     : vmx_uint(vmx, "sched.cpu.shares");
}

/* "0,2,3" as bits; false: something else. */
static bool
read_affinity(const char *text, uint32_t *affinity)
{
    *affinity = 0;
    for (;; text++) {
        unsigned cpu = 0;

        if (!char_is_digit(*text))
            return false;
        while (char_is_digit(*text) && cpu < CPUS_MAX)
            cpu = cpu * DECIMAL + (unsigned)(*text++ - '0');
        if (cpu >= CPUS_MAX)
            return false;
        *affinity |= BIT(cpu);
        if (*text != ',')
            return *text == '\0';
    }
}

bool
vm_world_params(const struct vmx *vmx, struct world_params *params)
{
    const char *affinity = vmx_text(vmx, "sched.cpu.affinity");
    uint32_t max = vmx_uint(vmx, "sched.cpu.max");

    params->shares = shares_of(vmx);
    params->min_permille = vmx_uint(vmx, "sched.cpu.min") *
                           PERMILLE_PER_PERCENT;
    params->max_permille = max < PERCENT_ALL ? max * PERMILLE_PER_PERCENT : 0;
    params->affinity = 0;
    return vmx_is_same_key(affinity, "all") ||
           read_affinity(affinity, &params->affinity);
}

void
vm_instance_params(const struct vmx *vmx, struct vm_instance_params *params)
{
    uint32_t pages = vmx_uint(vmx, "memsize") * PAGES_PER_MB;

    params->memory_pages = pages;
    params->shadow_pages = MAX(pages / GUEST_PAGES_PER_SHADOW,
                               SHADOW_PAGES_LEAST);
    params->engine = (enum vmm_engine)vmx_word(vmx, "vm.engine");
    params->stress = vmx_uint(vmx, "vm.stress");
    params->misread = vmx_uint(vmx, "vm.misread");
    params->audit = vmx_uint(vmx, "vm.audit");
}
