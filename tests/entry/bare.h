/*
 * bare.h - the monitor's entry code alone on a machine.
 *
 * The program is at 2 MB, linear is physical, and ring 3 may use all of it; the
 * pages from VMM_UPPER up are there as the monitor knows them, for ring 0 only.
 * Instead of a VMkernel there are a few lines that note what it was told.
 *
 * "Guest" code is snippets of assembly in ring 3, on flat segments.
 */
#ifndef TESTS_ENTRY_BARE_H
#define TESTS_ENTRY_BARE_H

#include "guest/report.h"
#include "vmm/core/guest_enter.h"

/* Assembly that ends in a trap; TEXT is one string. */
#define CODE(name, text)                                                  \
    extern const char name[];                                             \
    __asm__(".pushsection .text\n" #name ":\n" text "\n.popsection")

/* Selectors of ring 3; BARE_ABSENT's segment is not present. */
#define BARE_CODE       (VMM_SEL_BT | 3)
#define BARE_DATA       (VMM_SEL_BT_DS | 3)
#define BARE_ABSENT     (VMM_SEL_BT_FS | 3)
#define BARE_TIMER      0x30            /* the PIT's vector */

struct vmm_said {
    unsigned interrupts, last;          /* vmk_interrupt() */
    char end[512];                      /* vmk_end() */
};
extern struct vmm_said said;

/* guest_frame for CODE; registers have values that can be told apart. */
void bare_frame(const char *code);

/* ... and go there. */
void bare_run(const char *code);

/* Is guest_frame as that trap leaves it? */
void bare_check(const char *name, unsigned vector, uint32_t error,
                const char *eip);

/* Interrupts from the PIT, a thousand a second, or none. */
void bare_timer(bool is_on);

/* CRASH ends in vmk_end(): what did that say?  Then all is made anew. */
const char *bare_crash(void (*crash)(void));

/* Leave out what this emulator does wrong: "gentle" in the command line. */
bool bare_is_gentle(void);

void topic_enter(void);
void topic_refuse(void);
void topic_stack16(void);
void topic_interrupts(void);
void topic_native(void);
void topic_fpu(void);
void topic_crash(void);

#endif
