/*
 * linux_signal.c - the guest's signals, without handlers.
 *
 * A handler would run untranslated, so it never runs: the signal then does what
 * it does by default.  What a program asks to be ignored is ignored, and what
 * it asks back is what it set.  Signals that are faults, and the one that
 * stops the guest under --stress, stay btrun's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "kernel/base/bits.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/linux.h"

#define SIGNAL_COUNT 65
#define SET_SIZE 8              /* bytes of the kernel's set of signals */

/* The kernel's own layout. */
struct action {
    uint32_t handler, flags, restorer;
    uint32_t mask[SET_SIZE / sizeof(uint32_t)];
};

static struct action actions[SIGNAL_COUNT];

static bool
is_ours(uint32_t signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
           signal == SIGFPE || signal == SIGTRAP || signal == SIGVTALRM;
}

uint32_t
linux_sigaction(const uint32_t *args)
{
    uint32_t signal = args[LINUX_ARG1];
    const struct action *new = (const struct action *)args[LINUX_ARG2];
    struct action *old = (struct action *)args[LINUX_ARG3], was, plain;
    uint32_t call[LINUX_ARG_COUNT] = {
        SYS_rt_sigaction, signal, (uint32_t)&plain, 0, SET_SIZE,
    };

    if (signal == 0 || signal >= SIGNAL_COUNT)
        return (uint32_t)-EINVAL;
    was = actions[signal];
    if (new != NULL) {
        actions[signal] = *new;
        plain = (struct action){ .handler = new->handler };
        if (new->handler != (uint32_t)SIG_IGN)
            plain.handler = (uint32_t)SIG_DFL;
        if (!is_ours(signal))
            host_syscall(call);
    }
    if (old != NULL)
        *old = was;
    return 0;
}

static void
remove_ours(uint32_t *set)
{
    for (uint32_t signal = 1; signal <= 32; signal++)
        if (is_ours(signal))
            set[0] &= ~BIT(signal - 1);
}

uint32_t
linux_sigprocmask(const uint32_t *args)
{
    uint32_t set[SET_SIZE / sizeof(uint32_t)], result;
    uint32_t call[LINUX_ARG_COUNT];

    memcpy(call, args, sizeof(call));
    if (args[LINUX_ARG2] != 0 && args[LINUX_ARG4] == SET_SIZE) {
        memcpy(set, (const void *)args[LINUX_ARG2], SET_SIZE);
        remove_ours(set);
        call[LINUX_ARG2] = (uint32_t)set;
    }
    result = host_syscall(call);
    /* One of them is blocked right now, for reasons of our own. */
    if (result == 0 && args[LINUX_ARG3] != 0)
        remove_ours((uint32_t *)args[LINUX_ARG3]);
    return result;
}
