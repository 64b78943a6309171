/*
 * vmk.c - see vmk.h.
 *
 * There is one call frame, and any call may be cut short before it has filled
 * it in: by an interrupt, which is a call, too.  So the frame is filled in, and
 * read again, with interrupts masked, as the world switch wants them anyway.
 *
 * The processor is the VMkernel's meanwhile, and other monitors may have run:
 * what a world switch does not keep, the FPU's state, is saved before each.
 */
#include "vmm/core/vmk.h"

#include "kernel/base/format.h"
#include "kernel/x86/cpu.h"
#include "vmm/core/account.h"
#include "vmm/core/event_log.h"
#include "vmm/core/fpu.h"
#include "vmm/core/world_switch.h"

static struct vmkcall_frame
vmkcall(enum vmkcall number, uint32_t a, uint32_t b)
{
    struct vmkcall_frame *frame = &vmm_shared->call;
    uint32_t flags = irq_save();
    enum vmm_time before = account_switch(
        number == VMKCALL_HALT ? TIME_IDLE : TIME_VMK);
    struct vmkcall_frame answer;

    event_note(NOTE_VMKCALL, number, a, b);
    vmm_stats->vmkcalls[number]++;
    *frame = (struct vmkcall_frame){ .number = number, .arg = { a, b } };
    fpu_leave();
    world_switch_leave();
    fpu_return(vmm_shared->is_fpu_kept != 0);
    answer = *frame;
    account_switch(before);
    irq_restore(flags);
    return answer;
}

void
vmk_interrupt(unsigned vector)
{
    vmkcall(VMKCALL_INTERRUPT, vector, 0);
}

void
vmk_halt(void)
{
    vmkcall(VMKCALL_HALT, 0, 0);
}

void
vmk_timer(void)
{
    vmkcall(VMKCALL_TIMER, 0, 0);
}

void
vmk_console(void)
{
    vmkcall(VMKCALL_CONSOLE, 0, 0);
}

bool
vmk_page(uint32_t ppn, bool is_write)
{
    return vmkcall(VMKCALL_PAGE, ppn, is_write).result != 0;
}

bool
vmk_shadow_page(uint32_t *table, uint32_t *links)
{
    struct vmkcall_frame answer = vmkcall(VMKCALL_SHADOW_PAGE, 0, 0);

    *table = answer.arg[0];
    *links = answer.arg[1];
    return answer.result != 0;
}

/* The text is shared like the frame: an interrupt leaves it alone. */
void
vmk_log(enum log_level level, const char *format, va_list args)
{
    uint32_t flags = irq_save();

    format_buf_args(vmm_shared->text, VMM_TEXT_MAX, format, args);
    vmkcall(VMKCALL_LOG, level, 0);
    irq_restore(flags);
}

/* The VMkernel does not come back; if it did, it would be asked again. */
void
vmk_end(enum vmm_end how, const char *format, ...)
{
    va_list args;

    cli();
    va_start(args, format);
    format_buf_args(vmm_shared->text, VMM_TEXT_MAX, format, args);
    va_end(args);
    for (;;)
        vmkcall(VMKCALL_END, how, 0);
}
