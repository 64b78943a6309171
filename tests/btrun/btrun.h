/*
 * btrun.h - what the files of btrun share.
 *
 * btrun runs one 32-bit Linux program, its guest, in its own process and under
 * the translator: guest memory is the process's, at the addresses the program
 * asked for; btrun itself is linked far above.  Guest registers live in
 * `guest` while btrun's own code runs, in the machine's registers otherwise.
 */
#ifndef TESTS_BTRUN_BTRUN_H
#define TESTS_BTRUN_BTRUN_H

#include <signal.h>

#include "bt/bt.h"

struct guest {
    uint32_t gpr[8];        /* enum gpr */
    uint32_t eip, eflags;
    uint32_t gs;
    uint32_t unused;
    uint8_t fpu[512] ALIGNED(16);
};

/* Offsets that enter.S knows. */
STATIC_ASSERT(offsetof(struct guest, eip) == 32);
STATIC_ASSERT(offsetof(struct guest, eflags) == 36);
STATIC_ASSERT(offsetof(struct guest, gs) == 40);
STATIC_ASSERT(offsetof(struct guest, fpu) == 48);

extern struct guest guest;

/* --- enter.S -------------------------------------------------------------- */
void enter_guest(uint32_t at);
void leave_guest(void);             /* a jump target, not to be called */
void signal_entry(int number, siginfo_t *info, void *context);
uint32_t host_syscall(const uint32_t args[7]);
extern uint32_t host_vsyscall, host_gs;

/* --- engine.c: the translator and its memory -------------------------------*/
extern struct bt *engine;
void engine_start(void);
NORETURN void engine_run(void);
void engine_report(void);
/* From a trap handler: the guest stops at EIP, to be stepped or to go on. */
#define STEP_WANTED UINT32_MAX
void engine_stop(uint32_t eip, bool step);

/* --- traps.c -------------------------------------------------------------- */
void traps_start(void);
/* --stress: stop the guest now and then.  Children do not inherit that. */
void traps_start_timer(void);
void traps_allow_stop(bool is_allowed);

/* --- load.c --------------------------------------------------------------- */
void load_program(void);            /* sets guest.eip and ESP */

/* --- main.c --------------------------------------------------------------- */
NORETURN PRINTF_LIKE(1, 2) void die(const char *format, ...);

#endif
