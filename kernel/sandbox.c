/*
 * sandbox.c - asks the CPU whether it checks segment limits at the access.
 *
 * Code in ring 1 (sandbox_probe.S) reads first inside and then beyond the end
 * of a data segment that was cut short; page tables allow both.  A CPU that
 * checks raises #GP at the second read (SDM 3A 5.3); QEMU's TCG lets it pass
 * and meets the #UD behind it.  A fault anywhere else means that ring 1 itself
 * does not work as it should, and paging, which every CPU checks, is taken.
 */
#include "kernel/sandbox.h"

#include "kernel/base/log.h"
#include "kernel/gdt.h"
#include "kernel/image.h"
#include "kernel/percpu.h"
#include "kernel/sandbox_int.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"

#define RING1_STACK_SIZE 256u
#define TRAP_STACK_SIZE  2048u
#define SHORT_LIMIT_SHIFT 12

enum visit_result { VISIT_STOPPED, VISIT_PASSED, VISIT_FAILED };

static uint8_t ring1_stack[RING1_STACK_SIZE] ALIGNED(16);
static uint8_t trap_stack[TRAP_STACK_SIZE] ALIGNED(16);
static uint32_t saved_esp;
static enum sandbox mode = SANDBOX_PAGING;

/* Both #GP and #UD of the visit end here, in ring 0 on trap_stack. */
static void
on_probe_trap(struct trapframe *frame)
{
    enum visit_result result = VISIT_FAILED;

    if (frame->vector == VEC_GP && frame->eip == (uint32_t)sandbox_outside)
        result = VISIT_STOPPED;
    else if (frame->vector == VEC_UD && frame->eip == (uint32_t)sandbox_end)
        result = VISIT_PASSED;
    sandbox_return(saved_esp, result);
}

static enum visit_result
visit_ring1(void)
{
    struct percpu *cpu = this_cpu();
    uint32_t flags = irq_save();
    enum visit_result result;
    /* The segment ends with the page that holds the end of our text. */
    uint32_t limit = (uint32_t)text_end >> SHORT_LIMIT_SHIFT;

    cpu->gdt[SEL_RING1_SHORT >> SEL_INDEX_SHIFT] = (struct segdesc)
        SEGDESC_PAGES(0, limit, SEG_DATA_W | SEG_ACCESSED, 1);
    cpu->tss->esp0 = (uint32_t)(trap_stack + TRAP_STACK_SIZE);
    trap_set_handler(VEC_GP, on_probe_trap);
    trap_set_handler(VEC_UD, on_probe_trap);
    result = sandbox_visit(&saved_esp, ring1_stack + RING1_STACK_SIZE,
                           (uint32_t)&saved_esp);
    trap_set_handler(VEC_GP, NULL);
    trap_set_handler(VEC_UD, NULL);
    write_ds(SEL_DATA);
    irq_restore(flags);
    return result;
}

void
sandbox_init(enum sandbox override)
{
    enum visit_result result = visit_ring1();
    const char *reason =
        result == VISIT_STOPPED ? "the CPU enforces segment limits" :
        result == VISIT_PASSED ? "the CPU does not enforce segment limits" :
        "ring 1 does not work";

    mode = result == VISIT_STOPPED ? SANDBOX_SEGMENT : SANDBOX_PAGING;
    if (override == SANDBOX_SEGMENT && mode != SANDBOX_SEGMENT)
        log_warn(MOD_SANDBOX, "vmm.sandbox=segment is unsafe here: %s",
                 reason);
    if (override != SANDBOX_AUTO) {
        mode = override;
        reason = "vmm.sandbox= on the command line";
    }
    log_info(MOD_SANDBOX, "%s (%s)",
             mode == SANDBOX_SEGMENT ? "segment" : "paging", reason);
}

enum sandbox
sandbox_mode(void)
{
    return mode;
}
