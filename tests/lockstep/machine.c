/*
 * machine.c - signals as the way into and out of code under test.
 *
 * The first trap after machine_enter() is ours (machine_trap) and loads the
 * registers; the next signal ends the run.  A signal at any other time is this
 * program's own fault and goes to whoever handled it before us.
 *
 * One thread; the handler runs on a stack of its own, because the code under
 * test has any ESP.  Linux: arch/x86 signal frames of 32-bit processes.
 */
#include "lockstep/machine.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernel/base/assert.h"

#define USEC_PER_SEC    1000000u
#define SIGNAL_STACK    KB(64)
/* Flags that the kernel adds to a signal's frame. */
#define FLAGS_OF_FRAME  (EFLAGS_RF | EFLAGS_TF)

void machine_handle(int number, siginfo_t *info, void *context);

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP,
                               SIGVTALRM };
static struct sigaction previous[ARRAY_LEN(signals)];
static struct machine *current;         /* NULL: C code runs */
static bool is_running;                 /* current's registers are loaded */
static pid_t thread;                    /* the one of all this */
static gregset_t host;

static const uint8_t greg_of_gpr[GPR_NONE] = {
    REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI,
};
static const uint8_t greg_of_segment[SEG_NONE] = {
    REG_ES, REG_CS, REG_SS, REG_DS, REG_FS, REG_GS,
};

static void
load(greg_t *g)
{
    memcpy(host, g, sizeof(host));
    for (unsigned n = 0; n < GPR_NONE; n++)
        g[greg_of_gpr[n]] = (greg_t)current->gpr[n];
    for (unsigned n = 0; n < SEG_NONE; n++)
        g[greg_of_segment[n]] = current->segment[n];
    g[REG_EIP] = (greg_t)current->eip;
    g[REG_EFL] = (greg_t)(current->eflags | EFLAGS_IF | EFLAGS_FIXED);
    is_running = true;
}

static void
store(const greg_t *g)
{
    struct machine *m = current;

    for (unsigned n = 0; n < GPR_NONE; n++)
        m->gpr[n] = (uint32_t)g[greg_of_gpr[n]];
    for (unsigned n = 0; n < SEG_NONE; n++)
        m->segment[n] = (uint16_t)g[greg_of_segment[n]];
    m->eip = (uint32_t)g[REG_EIP];
    m->eflags = (uint32_t)g[REG_EFL] & ~FLAGS_OF_FRAME;
    m->vector = (uint32_t)g[REG_TRAPNO];
    m->error = (uint32_t)g[REG_ERR];
}

/* Not ours: as if we had never been asked; it happens again. */
static void
give_back(int number)
{
    for (size_t n = 0; n < ARRAY_LEN(signals); n++)
        if (signals[n] == number)
            sigaction(number, &previous[n], NULL);
}

/* The timer's signal may go to another thread, or find no guest. */
static bool
is_untimely(int number)
{
    return number == SIGVTALRM && (!is_running || gettid() != thread);
}

void
machine_handle(int number, siginfo_t *info, void *context)
{
    mcontext_t *frame = &((ucontext_t *)context)->uc_mcontext;
    greg_t *g = frame->gregs;

    (void)info;
    if (is_untimely(number))
        return;
    if (!is_running) {
        if (current != NULL && (uint32_t)g[REG_EIP] == (uint32_t)machine_trap)
            load(g);
        else
            give_back(number);
        return;
    }
    store(g);
    current->cr2 = (uint32_t)frame->cr2;
    if (number == SIGVTALRM)
        current->vector = MACHINE_LATE;
    else if (current->eip == (uint32_t)machine_exit)
        current->vector = MACHINE_LEFT;
    is_running = false;
    current = NULL;
    memcpy(g, host, sizeof(host));
    g[REG_EIP] = (greg_t)machine_return;
}

void
machine_run(struct machine *m)
{
    ASSERT(current == NULL);
    current = m;
    machine_enter(m);
}

void
machine_start(uint16_t segment[SEG_NONE], uint32_t late_usec)
{
    static uint8_t stack[SIGNAL_STACK];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    const struct timeval period = { .tv_sec = late_usec / USEC_PER_SEC,
                                    .tv_usec = late_usec % USEC_PER_SEC };
    const struct itimerval timer = { period, period };
    union {
        void (*entry)(void);
        void (*handler)(int, siginfo_t *, void *);
    } u = { .entry = machine_signal };
    struct sigaction action = { .sa_sigaction = u.handler,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK |
                                            SA_RESTART };

    __asm__("mov %%gs, %0" : "=r"(machine_host_gs));
    thread = gettid();
    sigfillset(&action.sa_mask);
    sigaltstack(&alternate, NULL);
    for (size_t n = 0; n < ARRAY_LEN(signals); n++)
        sigaction(signals[n], &action, &previous[n]);
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
    __asm__("mov %%es, %0\n\tmov %%cs, %1\n\tmov %%ss, %2\n\t"
            "mov %%ds, %3\n\tmov %%fs, %4\n\tmov %%gs, %5"
            : "=m"(segment[SEG_ES]), "=m"(segment[SEG_CS]),
              "=m"(segment[SEG_SS]), "=m"(segment[SEG_DS]),
              "=m"(segment[SEG_FS]), "=m"(segment[SEG_GS]));
}
