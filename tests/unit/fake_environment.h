/*
 * fake_environment.h - modes in which an instruction can be tried: real,
 * virtual-8086, 16- and 32-bit protected mode, privilege, paging.
 *
 * Each is memory with descriptor tables, page tables, stacks, and a stub: code
 * that goes there from flat 32-bit code at CPL 0.  Whatever executes the stub
 * (interpreter, another emulator) gets into the same state without a way to
 * set hidden registers.
 */
#ifndef TESTS_UNIT_FAKE_ENVIRONMENT_H
#define TESTS_UNIT_FAKE_ENVIRONMENT_H

#include "kernel/base/types.h"
#include "vmm/vcpu.h"

/* Where things are: physical, and linear, too. */
#define ENV_MEMORY      0x60000u
#define ENV_GDT         0x1000u
#define ENV_LDT         0x2000u
#define ENV_TSS         0x3000u
#define ENV_IDT         0x0000u         /* and the vectors of real mode */
#define ENV_TABLES      0x4000u         /* page tables: 3 pages, ... */
#define ENV_PTES        0x6000u         /* ... of which this is the last */
#define ENV_LARGE_2     0x400000u       /* linear: all memory again, in a ... */
#define ENV_LARGE_PAE   0x200000u       /* ... large page, with the 2nd PDE */
#define ENV_STUB        0x10000u
#define ENV_FLUSH       0x10300u        /* mov %cr3,%eax; mov %eax,%cr3 */
#define ENV_CODE        0x20000u
#define ENV_STACK       0x30000u
#define ENV_DATA        0x40000u
#define ENV_RANGE       0x10000u        /* of each of the last three */
/* Where the instruction is, and the stack pointer: in their segments. */
#define ENV_EIP         0x0800u
#define ENV_ESP         0x7000u

enum env_selector {
    ENV_SEL_STUB = 0x08, ENV_SEL_FLAT = 0x10, ENV_SEL_CS = 0x18,
    ENV_SEL_SS = 0x20, ENV_SEL_DS = 0x28, ENV_SEL_ES = 0x30,
    ENV_SEL_FS = 0x38, ENV_SEL_GS = 0x40, ENV_SEL_TSS = 0x48,
    ENV_SEL_LDT = 0x50, ENV_SEL_STUB16 = 0x58, ENV_SEL_DATA16 = 0x60,
    ENV_SEL_FREE = 0x68,                /* from here on: the test's */
    ENV_GDT_SIZE = 0x100, ENV_LDT_SIZE = 0x40,
    ENV_IDT_SIZE = 0x800,
};

enum env_paging { PAGING_NONE, PAGING_2_LEVEL, PAGING_PAE };

/* All false: 16-bit protected mode with segments of 64 KB. */
struct environment {
    const char *name;
    bool is_real, is_v86, is_flat, is_code32, is_stack32;
    unsigned cpl, iopl;
    enum env_paging paging;
    uint32_t cr0;                       /* CR0_WP or 0 */
};

#define ENVIRONMENTS    14
extern const struct environment environments[ENVIRONMENTS];

/* Make MEMORY what the stub needs; all else in it is 0. */
void environment_build(const struct environment *env, uint8_t *memory);

/* V at the stub.  Paging is on already, if it is to be. */
void environment_start(const struct environment *env, struct vcpu *v);

/* Has V, executing the stub, arrived? */
bool environment_is_reached(const struct environment *env,
                            const struct vcpu *v);

/* Where the second PDE is, and the linear address of its page. */
uint32_t environment_large_pde(const struct environment *env);
uint32_t environment_large_page(const struct environment *env);

/* 0 where segments are flat. */
uint32_t environment_base(const struct environment *env, unsigned segment);

#endif
