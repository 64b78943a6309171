/*
 * fake_native.h - one instruction on the real CPU, in a 32-bit program.
 *
 * The pages at NATIVE_BASE hold a frame of registers, code that loads them,
 * the instruction, and code that stores them again.  An exception, a
 * breakpoint behind a branch included, comes back as a signal.
 */
#ifndef TESTS_UNIT_FAKE_NATIVE_H
#define TESTS_UNIT_FAKE_NATIVE_H

#include "kernel/base/types.h"
#include "vmm/vcpu.h"

#define NATIVE_BASE     0x68000000u
#define NATIVE_SIZE     0x00010000u
#define NATIVE_CODE     (NATIVE_BASE + 0x1800)  /* where instructions are */
#define NATIVE_DATA     (NATIVE_BASE + 0x4000)  /* for the test, to the end */
#define NATIVE_FAULT    (NATIVE_BASE + 0xc000)  /* no access from here */

struct native_frame {
    uint8_t fpu[FXSAVE_SIZE], host_fpu[FXSAVE_SIZE];
    uint32_t gpr[GPR_NONE];
    uint32_t eflags, eip, host_esp;
    uint32_t fs;                    /* selector */
    /* A signal ended it: as the kernel reports it. */
    uint32_t has_fault, vector, error, cr2;
};

/* NULL in a 64-bit program.  The frame stays where it is. */
struct native_frame *native_frame(void);

/* Again, if someone else (cmocka) took the signals over meanwhile. */
void native_catch_signals(void);

/* Base, limit and type of FS from here on. */
void native_set_fs(const struct guest_segment *fs);

/*
 * Run CODE.  If IS_BRANCH, what follows it is breakpoints, and the frame's
 * eip says where it went; else going on behind it costs no signal.
 */
void native_run(const uint8_t *code, unsigned size, bool is_branch);

#endif
