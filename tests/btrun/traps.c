/*
 * traps.c - signals while translated code runs: faults and requests to stop.
 *
 * The handler makes the guest's registers of the machine's by bt_recover(), and
 * returns to leave_guest with them, as if translated code had left by itself at
 * that instruction boundary.  A write to a watched page is stepped then; any
 * other fault is the guest's own and ends it by the same signal.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "bt/decode.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/options.h"
#include "tests/btrun/pages.h"

#define STRESS_STOP_NSEC 100000

void traps_handle(int number, siginfo_t *info, void *context);

static void
deadly(int number, const struct bt_state *state, const siginfo_t *info)
{
    struct sigaction action = { .sa_handler = SIG_DFL };

    engine_report();
    fprintf(stderr, "btrun: signal %d at %#x, address %p\n", number,
            state->eip, info->si_addr);
    sigaction(number, &action, NULL);
    kill(getpid(), number);
}

/* Bytes that the instruction at EIP writes; 0: that is hard to say. */
static uint32_t
size_of_write(uint32_t eip)
{
    struct insn insn;

    if (decode((const uint8_t *)eip, INSN_LENGTH_MAX,
               DECODE_32 | DECODE_PROTECTED, &insn) != DECODE_OK ||
        insn_repeats(&insn) || !insn_has_memory(&insn))
        return 0;
    return insn.mem_size;
}

void
traps_handle(int number, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    struct bt_state state = { .eip = (uint32_t)regs[REG_EIP],
                              .eflags = (uint32_t)regs[REG_EFL],
                              .eax = (uint32_t)regs[REG_EAX],
                              .ecx = (uint32_t)regs[REG_ECX],
                              .esp = (uint32_t)regs[REG_ESP] };
    bool is_stop = number == SIGVTALRM;

    if (!bt_recover(engine, &state)) {
        if (!is_stop)
            deadly(number, &state, info);
        return;
    }
    if (!is_stop && (number != SIGSEGV ||
                     !pages_open((uint32_t)info->si_addr,
                                 size_of_write(state.eip)))) {
        deadly(number, &state, info);
        return;
    }
    regs[REG_EFL] = (greg_t)state.eflags;
    regs[REG_EAX] = (greg_t)state.eax;
    regs[REG_ECX] = (greg_t)state.ecx;
    regs[REG_ESP] = (greg_t)state.esp;
    regs[REG_EIP] = (greg_t)leave_guest;
    engine_stop(state.eip, !is_stop);
}

/* Blocked unless the guest runs: it shall not cut system calls short. */
void
traps_allow_stop(bool is_allowed)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGVTALRM);
    sigprocmask(is_allowed ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* A timer by tick would stop too seldom. */
void
traps_start_timer(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGVTALRM };
    struct itimerspec period = { .it_interval.tv_nsec = STRESS_STOP_NSEC,
                                 .it_value.tv_nsec = STRESS_STOP_NSEC };
    timer_t timer;

    traps_allow_stop(false);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
        timer_settime(timer, 0, &period, NULL) != 0)
        die("no timer");
}

void
traps_start(void)
{
    static uint8_t stack[KB(64)];
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP,
                                   SIGVTALRM };
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK |
                                            SA_RESTART };

    action.sa_sigaction = signal_entry;
    sigfillset(&action.sa_mask);
    sigaltstack(&alternate, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        sigaction(numbers[i], &action, NULL);
    if (options.stress)
        traps_start_timer();
}
