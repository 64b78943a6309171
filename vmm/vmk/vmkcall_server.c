/*
 * vmkcall_server.c - what a monitor asks for, done for it.
 *
 * One function for each call of vmm/vmkcall.def, through a table.  Arguments
 * are checked as a guest's would be: a call that makes no sense ends the VM, as
 * only a monitor that has gone wrong makes it.  They are read once, since what
 * is in the shared page is not ours.
 *
 * In the VM's world, interrupts on; only a physical interrupt is served with
 * interrupts masked, the way the processor left them.
 */
#include "kernel/base/bits.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/gdt.h"
#include "kernel/irq.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "vmm/vmk/instance_int.h"
#include "vmm/vmk/vm_memory.h"

struct call {
    uint32_t number;
    uint32_t arg[VMKCALL_ARGS];
};

/* The text in the shared page, cut to its room and to what can be printed. */
static void
take_text(const struct vm_instance *i, char text[VMM_TEXT_MAX])
{
    unsigned n;

    for (n = 0; n < VMM_TEXT_MAX - 1 && i->shared->text[n] != '\0'; n++) {
        char c = i->shared->text[n];

        text[n] = char_is_print(c) ? c : '?';
    }
    text[n] = '\0';
}

PRINTF_LIKE(2, 3)
static void
end_as_crashed(struct vm_instance *i, const char *format, ...)
{
    char text[VMM_TEXT_MAX];
    va_list args;

    va_start(args, format);
    format_buf_args(text, sizeof(text), format, args);
    va_end(args);
    vm_run_end(i, VMM_END_CRASHED, text);
}

/* --- The calls -------------------------------------------------------------*/

/* Vectors that the processor delivers from outside, to whoever runs. */
static bool
is_interrupt(uint32_t vector)
{
    return vector == VEC_NMI ||
           (vector >= VEC_DEVICE_FIRST && vector < VEC_GUEST_FIRST) ||
           (vector > VEC_GUEST_LAST && vector < VECTOR_COUNT);
}

/*
 * As if the interrupt had come here.  On the way out another world may get the
 * processor, as behind every interrupt.
 */
static void
serve_interrupt(struct vm_instance *i, const struct call *c)
{
    struct trapframe frame = {
        .vector = c->arg[0], .eip = (uint32_t)vm_instance_run,
        .cs = SEL_CODE, .ds = SEL_DATA, .es = SEL_DATA, .gs = SEL_PERCPU,
        .ebp = read_ebp(), .eflags = EFLAGS_FIXED | EFLAGS_IF
    };

    if (is_interrupt(c->arg[0]))
        trap_dispatch(&frame);
    else
        end_as_crashed(i, "the monitor met interrupt 0x%x", c->arg[0]);
}

static void
serve_halt(struct vm_instance *i, const struct call *c UNUSED)
{
    vm_run_sleep(i);
}

/* The timer is set before the monitor runs again, as ever. */
static void
serve_timer(struct vm_instance *i UNUSED, const struct call *c UNUSED)
{
}

static void
serve_page(struct vm_instance *i, const struct call *c)
{
    status_t status = vm_memory_back(i, make_ppn(c->arg[0]));

    i->shared->call.result = status == OK;
    if (status == ERR_RANGE)
        end_as_crashed(i, "the monitor wants page %05x, which is no memory",
                       c->arg[0]);
}

static void
serve_shadow_page(struct vm_instance *i, const struct call *c UNUSED)
{
    mpn_t mpn[SHADOW_PART_COUNT];

    i->shared->call.result = 0;
    if (i->shadow.pages / SHADOW_PART_COUNT >= i->params.shadow_pages)
        return;
    for (unsigned n = 0; n < SHADOW_PART_COUNT; n++) {
        if (page_list_alloc(&i->shadow, 0, &mpn[n]) != OK)
            return;
        i->shared->call.arg[n] = mpn_raw(mpn[n]);
    }
    i->shared->call.result = 1;
}

static void
serve_console(struct vm_instance *i, const struct call *c UNUSED)
{
    i->params.console(i->params.context);
}

static void
serve_log(struct vm_instance *i, const struct call *c)
{
    char text[VMM_TEXT_MAX];

    take_text(i, text);
    i->params.log(i->params.context,
                  (enum log_level)MIN(c->arg[0], (uint32_t)LOG_DEBUG), text);
}

static void
serve_end(struct vm_instance *i, const struct call *c)
{
    char text[VMM_TEXT_MAX];

    take_text(i, text);
    if (c->arg[0] < VMM_END_COUNT)
        vm_run_end(i, (enum vmm_end)c->arg[0], text);
    else
        end_as_crashed(i, "the monitor ended in no known way, %u",
                       c->arg[0]);
}

typedef void (*serve_t)(struct vm_instance *i, const struct call *c);

static const serve_t servers[VMKCALL_COUNT] = {
    [VMKCALL_INTERRUPT] = serve_interrupt,
    [VMKCALL_HALT] = serve_halt,
    [VMKCALL_TIMER] = serve_timer,
    [VMKCALL_PAGE] = serve_page,
    [VMKCALL_SHADOW_PAGE] = serve_shadow_page,
    [VMKCALL_CONSOLE] = serve_console,
    [VMKCALL_LOG] = serve_log,
    [VMKCALL_END] = serve_end,
};

void
vmkcall_serve(struct vm_instance *i)
{
    const struct vmkcall_frame *frame = &i->shared->call;
    struct call c = { .number = frame->number };

    memcpy(c.arg, frame->arg, sizeof(c.arg));
    if (c.number == VMKCALL_INTERRUPT)
        serve_interrupt(i, &c);
    sti();
    if (c.number >= VMKCALL_COUNT)
        end_as_crashed(i, "the monitor made call %u, which there is not",
                       c.number);
    else if (c.number != VMKCALL_INTERRUPT)
        servers[c.number](i, &c);
}
