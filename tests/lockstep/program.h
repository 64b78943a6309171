/*
 * program.h - a random guest program, and what is around it in the arena.
 *
 * A program is a list of *atoms*, runs of instructions that belong together:
 * one that sets a register up and the one that uses it.  Every atom can be
 * replaced by NOPs without moving the others, which is how a failing program
 * is made small.  A fault goes on at the next atom.
 */
#ifndef TESTS_LOCKSTEP_PROGRAM_H
#define TESTS_LOCKSTEP_PROGRAM_H

#include "lockstep/arena.h"
#include "lockstep/config.h"
#include "unit/random.h"

#define ATOMS_MAX       160u
#define ATOM_SIZE_MAX   96u
#define JUMPS           32u
#define SITES_MAX       64u

struct atom {
    uint32_t at;
    uint32_t size;
};

/* What happens to a program besides what it does. */
struct treatment {
    uint64_t seed;
    bool is_small_tc;       /* flushes are frequent */
    bool forgets;           /* flush, unlink, invalidate at random */
    bool hides;             /* pages fault once */
    bool stops;             /* at random TC addresses */
    bool steps;             /* compare at every TC address */
    bool single;            /* some instructions by bt_step() */
    bool interrupts;
    bool by_idt;            /* faults go through the guest's IDT */
    unsigned stop_at;       /* a machine instruction, counted; 0: none */
    unsigned turns;         /* at most so many; 0: the usual number */
};

struct program {
    uint64_t seed;
    const struct config *config;
    uint8_t code[CODE_SIZE];
    unsigned count;
    struct atom atoms[ATOMS_MAX];
    bool is_hot;            /* loops go round often: branches learn */
    uint32_t start, end;    /* it is done when it comes to `end` */
    uint32_t gpr[GPR_NONE], eflags;
    uint32_t jumps[JUMPS];  /* at JUMPS_AT: each goes to a later atom */
    unsigned site_count;    /* immediates in the code that may change */
    uint32_t sites[SITES_MAX];
    struct treatment treatment;
};

/* Data that programs know of, in the first page of data. */
#define WORD_RESUME     PAGE_AT(TABLE_PAGE)         /* where a fault goes on */
#define GDT_AT          (PAGE_AT(TABLE_PAGE) + 0x100)
#define WORD_COUNT      (PAGE_AT(TABLE_PAGE) + 4)   /* interrupts so far */
#define COUNTERS_AT     DATA_AT                     /* of loops: 64 words */
#define JUMPS_AT        (DATA_AT + 256)             /* addresses to jump to */
#define POINTERS_AT     (DATA_AT + 384)             /* far pointers */
#define FREE_AT         (DATA_AT + 1024)            /* for anybody */

/* --- generate.c ------------------------------------------------------------*/
void program_generate(struct program *p, const struct config *config,
                      uint64_t seed);

/* --- guest.c: the guest's surroundings -------------------------------------*/
/* Selectors of kernels. */
enum kernel_selector {
    KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, KERNEL_CODE2 = 0x18,
    KERNEL_DATA2 = 0x20, KERNEL_SMALL = 0x28, KERNEL_CONST = 0x30,
    KERNEL_DOWN = 0x38, KERNEL_ABSENT = 0x40, KERNEL_LDT = 0x48,
    KERNEL_TSS = 0x50, KERNEL_GATE = 0x58, KERNEL_END = 0x60,
};
#define VECTOR_IRQ      0x20
/* Fill both memories and both vcpus. */
void guest_reset(const struct program *p);

/* --- listing.c -------------------------------------------------------------*/
void program_print(const struct program *p);
/* Drop what can be dropped while FAILS still does. */
void program_shrink(struct program *p, bool (*fails)(const struct program *));

#endif
