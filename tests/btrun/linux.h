/*
 * linux.h - the guest's system calls, and what else it asks of Linux.
 */
#ifndef TESTS_BTRUN_LINUX_H
#define TESTS_BTRUN_LINUX_H

#include "kernel/base/types.h"

/* A system call's number and its arguments, as host_syscall() takes them. */
enum {
    LINUX_NR, LINUX_ARG1, LINUX_ARG2, LINUX_ARG3, LINUX_ARG4, LINUX_ARG5,
    LINUX_ARG6, LINUX_ARG_COUNT
};

/* The one that the guest's registers ask for. */
void linux_syscall(void);
/* Behind the program's data. */
void linux_set_break(uint32_t address);
/* CPUID's answer into the guest's registers. */
void linux_cpuid(void);

/* exec.c */
uint32_t linux_execve(const uint32_t *args);

/* linux_signal.c: each takes the arguments of the call of that name. */
uint32_t linux_sigaction(const uint32_t *args);
uint32_t linux_sigprocmask(const uint32_t *args);

#endif
