/*
 * lockstep_pages.h - the guest pages that a stay in translated code has written
 * to.
 *
 * In lockstep no guest page may be written to until this has been told, which
 * is when the shadow asks for the page, or a window onto it is opened.  In a
 * stay its contents are saved then.  Behind the stay the two change places:
 *
 *      STAY        memory: translated code's   saved: as they were before
 *      REPLAY      memory: the interpreter's   saved: translated code's
 *
 * The vcpu's thread.
 */
#ifndef VMM_CORE_LOCKSTEP_PAGES_H
#define VMM_CORE_LOCKSTEP_PAGES_H

#include "kernel/base/addr.h"
#include "vmm/mmu/shadow.h"

enum lockstep_phase {
    LOCKSTEP_OFF,           /* all that follows is never called */
    LOCKSTEP_OUTSIDE,       /* of translated code: what is written is let be */
    LOCKSTEP_STAY,
    LOCKSTEP_REPLAY,
};

/* Read-only outside of lockstep.c. */
extern enum lockstep_phase lockstep_phase;

/*
 * The shadow asks for PAGE of the store.  *IS_WRITABLE may become false.
 * PMAP_BLOCK: the stay has written so much that it must end first, and will.
 */
enum pmap_result lockstep_pages_ask(uint32_t page, enum pmap_intent intent,
                                    bool *is_writable);

/* The monitor is about to write to PAGE. */
void lockstep_pages_note(uint32_t page);

/* No page may be written to any more. */
void lockstep_pages_begin(void);

/* To LOCKSTEP_REPLAY.  False: more pages than there is room for. */
MUST_CHECK bool lockstep_pages_swap(void);

/* A byte that differs, or whatever else does. */
struct lockstep_difference {
    const char *what;
    uint32_t which, found, expected;
};

/*
 * Is what the interpreter has left the same?  Accessed and dirty bits of guest
 * tables may differ: the translator fetches what may never run.
 */
MUST_CHECK bool lockstep_pages_are_same(struct lockstep_difference *d);

/* SIZE bytes at AT do not matter: take translated code's. */
void lockstep_pages_take(gla_t at, uint32_t size);

/*
 * Translated code's contents are the memory's again.  The A and D bits that the
 * interpreter has set may go: what it knew of these entries is forgotten.
 */
void lockstep_pages_keep(void);

#endif
