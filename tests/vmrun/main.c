/*
 * main.c - vmrun: a virtual machine as an ordinary Linux process.
 *
 * The interpreter, guest memory, device models and loaders of vmm/ without a
 * monitor or a VMkernel, with COM1 on standard input and output.  It is slow,
 * and it is the reference for everything that is quick.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kernel/base/assert.h"
#include "vmrun/machine.h"

/* How it ended, for scripts. */
enum {
    EXIT_STOPPED = 0,       /* powered off, halted, or left by Ctrl-] */
    EXIT_WRONG = 1,         /* could not be started, or refused to go on */
    EXIT_LIMIT = 3,
    EXIT_RESET = 4,         /* --no-reset */
};

/* One fixed instant, so that runs by virtual time are alike. */
#define WALL_BASE       1577836800ull   /* 2020-01-01 00:00:00 UTC */

static struct machine machine;
static struct vm_options options;

void
assert_failed(const char *what, const char *file, unsigned line)
{
    fprintf(stderr, "vmrun: assertion failed: %s (%s:%u)\n", what, file, line);
    abort();
}

static void
power_on(struct machine *m)
{
    struct chipset_config config = {
        .wall_base = WALL_BASE * NSEC_PER_SEC, .tsc_hz = TSC_HZ,
        .memory_bytes = (uint64_t)options.memory_mb * MB(1),
        .serial[0] = { &tty_ops, &m->tty },
    };

    m->options = &options;
    if (options.is_wall)
        config.wall_base = (uint64_t)time(NULL) * NSEC_PER_SEC;
    if (!machine_init_memory(m, options.memory_mb * MB(1)))
        die("no %u MB of memory on this host", options.memory_mb);
    machine_init_cpuid(m);
    chipset_init(&m->chipset, &config, 0);
    m->chipset.vcpu = &m->vcpu;
    machine_set_a20(m, true);
    if (!machine_boot(m))
        die("%s: %s", options.kernel, m->boot.error);
}

static int
say_end(struct machine *m, enum machine_end end)
{
    switch (end) {
    case END_POWER_OFF:
        fprintf(stderr, "vmrun: powered off\n");
        return EXIT_STOPPED;
    case END_HALTED:
        fprintf(stderr, "vmrun: halted\n");
        return EXIT_STOPPED;
    case END_DETACHED:
        fprintf(stderr, "vmrun: left\n");
        return EXIT_STOPPED;
    case END_LIMIT:
        fprintf(stderr, "vmrun: stopped after %llu instructions\n",
                (unsigned long long)(m->executed + m->vcpu.instructions));
        return EXIT_LIMIT;
    case END_RESET:
        fprintf(stderr, "vmrun: %s\n", m->is_triple_fault ? "triple fault"
                                                           : "reset");
        return EXIT_RESET;
    default:
        fprintf(stderr, "vmrun: refused: %s\n", m->interp.refusal);
        return EXIT_WRONG;
    }
}

int
main(int argc, char **argv)
{
    struct machine *m = &machine;
    enum machine_end end;
    int code;

    options_read(&options, argc, argv);
    power_on(m);
    tty_init(&m->tty);
    end = machine_run(m);
    tty_close();
    code = say_end(m, end);
    if (options.wants_trace)
        machine_report_trace(m);
    if (code != EXIT_STOPPED)
        machine_report_state(m);
    if (options.wants_stats)
        machine_report_stats(m);
    return code;
}
