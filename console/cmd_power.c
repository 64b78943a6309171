/*
 * cmd_power.c - `reboot` and `poweroff`.
 *
 * The person is told before, and all output has left the machine: there may be
 * no later.  Run in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "drivers/console.h"
#include "drivers/power.h"
#include "kernel/x86/cpu.h"

void
cmd_reboot(const struct args *args UNUSED)
{
    output_print("Restarting.\n");
    console_flush();
    power_reset();
}

void
cmd_poweroff(const struct args *args)
{
    uint32_t flags;

    output_print("Switching off.\n");
    console_flush();
    flags = irq_save();
    power_off();
    irq_restore(flags);
    output_error(args->command, "this machine cannot be switched off by "
                 "software: use its switch");
}
