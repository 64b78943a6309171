/*
 * fpu.c - see fpu.h.
 *
 *      loaded      is_newer
 *      NULL        -           all images are true; the registers are nobody's
 *      V           false       V's image and the registers are the same
 *      V           true        V's image is old: its code ran with CR0.TS = 0
 *
 * CR0.TS is 1 when the registers are nobody's, and FXSAVE and FXRSTOR are #NM
 * under it, so each use of our own begins with use().  They leave out XMM
 * registers and MXCSR under CR4.OSFXSR = 0, as which a guest may run (SDM 3A
 * 13.1.4, SDM 2A FXSAVE).
 *
 * Others change bits of CR0, and bring all of them back: it is read at each
 * write.  CR4 is ours alone.  A world switch brings both back as they were.
 */
#include "vmm/core/fpu.h"

#include "kernel/x86/cpu.h"
#include "kernel/x86/cpuid.h"
#include "vmm/core/fpu_int.h"
#include "vmm/core/vmk.h"

#define CR0_ON      (CR0_MP | CR0_NE | CR0_TS)
#define CR0_OFF     (CR0_EM | CR0_AM)
/* While we use the FPU; native_exec() promises #XM rather than #UD. */
#define CR4_OURS    (CR4_OSFXSR | CR4_OSXMMEXCPT)

static struct vcpu *loaded;
static bool is_newer;
static bool is_trapping;        /* CR0.TS */
static uint32_t cr4, cr4_available, mxcsr_mask;
static uint32_t cr4_always;     /* the guest has it, and does not see it */

static void
load_cr4(uint32_t value)
{
    if (value == cr4)
        return;
    cr4 = value;
    write_cr4(value);
}

static void
set_trapping(bool is_wanted)
{
    if (is_wanted == is_trapping)
        return;
    is_trapping = is_wanted;
    if (is_wanted)
        write_cr0(read_cr0() | CR0_TS);
    else
        clts();
}

/* The next fpu_prepare() gives the guest what it wants again. */
static void
use(void)
{
    set_trapping(false);
    load_cr4(cr4 | (CR4_OURS & cr4_available));
}

/* The bits of CR4_GUEST that the processor has. */
static uint32_t
available_cr4(void)
{
    static const struct {
        enum cpu_feature feature;
        uint32_t bits;
    } table[] = {
        { CPU_TSC, CR4_TSD },
        { CPU_DE, CR4_DE },
        { CPU_FXSR, CR4_OSFXSR },
        { CPU_SSE, CR4_OSXMMEXCPT },
    };
    uint32_t bits = 0;

    for (size_t n = 0; n < ARRAY_LEN(table); n++)
        if (cpu_has(table[n].feature))
            bits |= table[n].bits;
    return bits;
}

void
fpu_init(void)
{
    static uint8_t image[FXSAVE_SIZE] ALIGNED(16);

    cpuid_init();
    cr4_available = available_cr4();
    if (vmm_shared->params.engine == ENGINE_LOCKSTEP)
        cr4_always = CR4_TSD;   /* its clock is not the machine's */
    cr4 = read_cr4();
    is_trapping = true;
    write_cr0((read_cr0() & ~(uint32_t)CR0_OFF) | CR0_ON);
    use();
    fxsave(image);
    mxcsr_mask = fx_mxcsr_mask(image);
}

/* --- Where the state is ----------------------------------------------------*/

static void
save(void)
{
    if (loaded == NULL || !is_newer)
        return;
    use();
    fxsave(loaded->cpu.fpu);
    is_newer = false;
}

/* What was loaded before is not lost, and nothing of it is left behind. */
static void
load(struct vcpu *v)
{
    if (loaded == v)
        return;
    save();
    use();
    x87_clear_pointers();
    fx_make_loadable(v->cpu.fpu, mxcsr_mask);
    fxrstor(v->cpu.fpu);
    loaded = v;
    is_newer = false;
}

void
fpu_prepare(struct vcpu *v)
{
    bool is_usable = loaded == v && (v->cpu.cr0 & (CR0_TS | CR0_EM)) == 0;

    load_cr4(cr4_for_guest(cr4, v->cpu.cr4 | cr4_always, cr4_available));
    set_trapping(!is_usable);
    is_newer |= is_usable;
}

bool
fpu_on_nm(struct vcpu *v)
{
    uint32_t flags;

    if (v->cpu.cr0 & (CR0_TS | CR0_EM))
        return false;
    flags = irq_save();
    load(v);
    irq_restore(flags);
    return true;
}

void
fpu_leave(void)
{
    save();
}

void
fpu_return(bool is_kept)
{
    if (!is_kept)
        loaded = NULL;
}

void
fpu_sync(struct vcpu *v)
{
    uint32_t flags = irq_save();

    if (loaded == v)
        save();
    irq_restore(flags);
}

void
fpu_forget(void)
{
    loaded = NULL;
}

/* --- For native_exec() -----------------------------------------------------*/

void
fpu_lend(struct vcpu *v)
{
    load(v);
    use();
}

void
fpu_take_back(struct vcpu *v)
{
    use();
    fxsave(v->cpu.fpu);
    loaded = NULL;
}
