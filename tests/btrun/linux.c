/*
 * linux.c - the guest's system calls: forwarded, but for those about memory,
 * signals and processes.
 *
 * Guest addresses are the process's own, so almost all calls go to the kernel
 * as they are.  Kept back: brk (btrun has the process's own), what maps memory
 * (pages.c must know), signal handlers (they would run untranslated), threads,
 * and /proc/self/exe.  fork() and what amounts to it work: the child is a copy
 * that goes on in its copy of the translation cache.
 */
#include "tests/btrun/linux.h"

#include <asm/ldt.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/base/addr.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/interpret.h"
#include "tests/btrun/options.h"
#include "tests/btrun/pages.h"

#define ERROR_LIMIT ((uint32_t)-4095)

static uint32_t break_start, break_end;

static bool
is_error(uint32_t result)
{
    return result >= ERROR_LIMIT;
}

void
linux_set_break(uint32_t address)
{
    break_start = break_end = address;
}

static uint32_t
do_brk(uint32_t wanted)
{
    uint32_t old = ROUND_UP(break_end, PAGE_SIZE);
    uint32_t new = ROUND_UP(wanted, PAGE_SIZE);

    if (wanted < break_start)
        return break_end;
    if (new > old && mmap((void *)old, new - old, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                          -1, 0) == MAP_FAILED)
        return break_end;
    if (new > old)
        pages_set(old, new - old, PROT_READ | PROT_WRITE);
    if (new < old) {
        munmap((void *)new, old - new);
        pages_set(new, old - new, 0);
    }
    break_end = wanted;
    return wanted;
}

static uint32_t
do_mmap(const uint32_t *args)
{
    uint32_t result = host_syscall(args);

    if (!is_error(result))
        pages_set(result, args[LINUX_ARG2], args[LINUX_ARG3]);
    return result;
}

/* mprotect() and munmap() */
static uint32_t
do_protect(const uint32_t *args, uint32_t prot)
{
    uint32_t result = host_syscall(args);

    if (!is_error(result))
        pages_set(args[LINUX_ARG1], args[LINUX_ARG2], prot);
    return result;
}

static uint32_t
do_mremap(const uint32_t *args)
{
    uint32_t result = host_syscall(args);

    if (!is_error(result)) {
        pages_set(args[LINUX_ARG1], args[LINUX_ARG2], 0);
        pages_set(result, args[LINUX_ARG3], PROT_READ | PROT_WRITE);
    }
    return result;
}

/* A fork was the RESULT: a child has no timer yet. */
static uint32_t
forked(uint32_t result)
{
    if (result == 0 && options.stress)
        traps_start_timer();
    return result;
}

/* A new process with a copy of everything, whatever was asked for. */
static uint32_t
do_clone(uint32_t *args)
{
    uint32_t stack = args[LINUX_ARG2], result;

    if (args[LINUX_ARG1] & CLONE_THREAD)
        return (uint32_t)-ENOSYS;
    args[LINUX_ARG1] &= ~(uint32_t)(CLONE_VM | CLONE_VFORK);
    args[LINUX_ARG2] = 0;
    result = forked(host_syscall(args));
    if (result == 0 && stack != 0)
        guest.gpr[GPR_ESP] = stack;
    return result;
}

/* The kernel chooses the entry and tells it in the structure. */
static uint32_t
do_set_thread_area(const uint32_t *args)
{
    const struct user_desc *wanted = (const struct user_desc *)args[LINUX_ARG1];
    uint32_t result = host_syscall(args);

    if (!is_error(result))
        interpret_set_segment(wanted->entry_number, wanted->base_addr);
    return result;
}

static uint32_t
do_readlink(const uint32_t *args)
{
    const char *path = (const char *)args[LINUX_ARG1];
    char whole[PATH_MAX];
    uint32_t size;

    if (strcmp(path, "/proc/self/exe") != 0)
        return host_syscall(args);
    if (realpath(options.program, whole) == NULL)
        return (uint32_t)-ENOENT;
    size = MIN((uint32_t)strlen(whole), args[LINUX_ARG3]);
    memcpy((void *)args[LINUX_ARG2], whole, size);
    return size;
}

static uint32_t
forward(const uint32_t *args)
{
    uint32_t result = host_syscall(args);

    /* The kernel may have met a page that we watch. */
    if (result == (uint32_t)-EFAULT && pages_unwatch_all())
        result = host_syscall(args);
    return result;
}

static uint32_t
serve(uint32_t *args)
{
    switch (args[LINUX_NR]) {
    case SYS_brk:
        return do_brk(args[LINUX_ARG1]);
    case SYS_mmap2:
        return do_mmap(args);
    case SYS_munmap:
        return do_protect(args, 0);
    case SYS_mprotect:
        return do_protect(args, args[LINUX_ARG3]);
    case SYS_mremap:
        return do_mremap(args);
    case SYS_fork:
    case SYS_vfork:
        args[LINUX_NR] = SYS_fork;
        return forked(host_syscall(args));
    case SYS_clone:
        return do_clone(args);
    case SYS_clone3:
        return (uint32_t)-ENOSYS;
    case SYS_set_thread_area:
        return do_set_thread_area(args);
    case SYS_readlink:
        return do_readlink(args);
    case SYS_execve:
        return linux_execve(args);
    case SYS_rt_sigaction:
        return linux_sigaction(args);
    case SYS_rt_sigprocmask:
        return linux_sigprocmask(args);
    case SYS_signal:
    case SYS_sigaction:
    case SYS_sigprocmask:
    case SYS_sigaltstack:
        return 0;
    case SYS_exit_group:
    case SYS_exit:
        engine_report();
        return host_syscall(args);
    default:
        return forward(args);
    }
}

void
linux_syscall(void)
{
    uint32_t args[LINUX_ARG_COUNT] = {
        guest.gpr[GPR_EAX], guest.gpr[GPR_EBX], guest.gpr[GPR_ECX],
        guest.gpr[GPR_EDX], guest.gpr[GPR_ESI], guest.gpr[GPR_EDI],
        guest.gpr[GPR_EBP],
    };

    guest.gpr[GPR_EAX] = serve(args);
}

/* The machine's answer without what we do not translate: VEX and friends. */
void
linux_cpuid(void)
{
    enum { LEAF_FEATURES = 1, LEAF_EXTENDED = 7, LEAF_MAX = 7,
           EXT_ERMS = BIT(9) };
    const uint32_t no_ecx = BIT(12) | BIT(26) | BIT(27) | BIT(28) | BIT(29);
    uint32_t leaf = guest.gpr[GPR_EAX], *gpr = guest.gpr;

    __asm__("cpuid" : "=a"(gpr[GPR_EAX]), "=b"(gpr[GPR_EBX]),
            "=c"(gpr[GPR_ECX]), "=d"(gpr[GPR_EDX])
            : "a"(leaf), "c"(gpr[GPR_ECX]));
    if (leaf == 0)
        gpr[GPR_EAX] = MIN(gpr[GPR_EAX], (uint32_t)LEAF_MAX);
    if (leaf == LEAF_FEATURES)
        gpr[GPR_ECX] &= ~no_ecx;
    if (leaf == LEAF_EXTENDED) {
        gpr[GPR_EBX] &= EXT_ERMS;
        gpr[GPR_ECX] = gpr[GPR_EDX] = gpr[GPR_EAX] = 0;
    }
}
