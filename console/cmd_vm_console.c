/*
 * cmd_vm_console.c - `vm console`: the person at a VM's first serial port.
 *
 * Two worlds, so that neither has to look whether there is something to do: the
 * shell's writes what the guest says, another gives the guest what is typed.
 * Bytes pass as they are but for Ctrl-], which ends it.  Meanwhile log lines
 * stay in the log.
 */
#include "console/mirror.h"
#include "console/output.h"
#include "console/vm_commands.h"
#include "drivers/console.h"
#include "kernel/clock.h"
#include "sched/world.h"
#include "vmm/vmk/vm_console.h"
#include "vmm/vmk/vm_power.h"

#define DETACH      '\035'          /* Ctrl-] */
#define PIECE_SIZE  512u
#define END_WAIT_NS (10 * NSEC_PER_SEC)

struct session {
    struct vm_console *console;
    bool has_left;              /* set by the world of input, before it ends */
};

static void
input_world(void *arg)
{
    struct session *session = arg;
    char c;

    while (console_read(&c, WAIT_FOREVER) == OK) {
        if (c == DETACH) {
            session->has_left = true;
            vm_console_leave(session->console);
            return;
        }
        (void)vm_console_input(session->console, (uint8_t)c);
    }
}

/* Show output until the VM is off or the person leaves. */
static void
show_output(struct vm_console *console)
{
    uint8_t piece[PIECE_SIZE];
    uint64_t lost;
    size_t size;

    while ((size = vm_console_read(console, piece, sizeof(piece), &lost)) > 0) {
        if (lost > 0)
            output_print("\n[%llu bytes not shown]\n",
                         (unsigned long long)lost);
        if (!output_begin())
            return;
        console_write((const char *)piece, size);
        output_end();
    }
}

/* Say in which state the VM is left, or how it came to its end. */
static void
tell_end(struct vm *vm, bool has_left)
{
    char state[VM_STATE_SIZE];
    struct vm_info info;

    /* Its port goes a moment before it is off itself. */
    if (!has_left)
        vm_wait_off(vm, clock_now() + END_WAIT_NS);
    vm_get_info(vm, &info);
    output_print("\n[%s: %s]\n", info.name, vm_state_text(state, &info));
}

void
vm_cmd_console(struct vm *vm, const struct args *args UNUSED)
{
    struct session session = { .console = vm_get_console(vm) };
    const struct world_params params = {
        .name = "vm console", .fn = input_world, .arg = &session,
        .is_system = true
    };
    struct world *input;
    struct vm_info info;

    vm_get_info(vm, &info);
    if (info.state <= VM_OFF)
        output_print("VM %s is off; this it printed last:\n", info.name);
    else
        output_print("Serial port of VM %s; Ctrl-] leaves.\n", info.name);
    vm_console_attach(session.console);
    if (world_create(&params, &input) != OK) {
        vm_console_detach(session.console);
        output_error("vm", "no memory for another world");
        return;
    }
    mirror_hold(true);
    show_output(session.console);
    world_kill(input);
    world_join(input);
    vm_console_detach(session.console);
    tell_end(vm, session.has_left);
    mirror_hold(false);
}
