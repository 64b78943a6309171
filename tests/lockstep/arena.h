/*
 * arena.h - two guests' memory: the one that the CPU reaches, and a copy.
 *
 * The *subject* runs under the engine that is tested, with its memory at ARENA
 * in this process; the *reference* runs under the interpreter, on a copy.  Both
 * see the same addresses and the same rights of pages.  Behind the subject's
 * back its pages may be less accessible than that: watched for writes, because
 * code was translated from them, or taken away for a moment (arena_hide).
 */
#ifndef TESTS_LOCKSTEP_ARENA_H
#define TESTS_LOCKSTEP_ARENA_H

#include "vmm/interp/interp.h"
#include "vmm/vcpu.h"

/* Pages of the arena; between the areas nothing is there. */
#define ARENA           0x10000000u
#define CODE_PAGE       1u
#define CODE_PAGES      4u
#define DATA_PAGE       6u
#define DATA_PAGES      6u
#define CONST_PAGE      12u             /* read-only, behind data */
#define STACK_PAGE      14u
#define STACK_PAGES     2u
#define TABLE_PAGE      17u             /* descriptor tables */
#define HANDLER_PAGE    18u             /* code of interrupt handlers */
#define ARENA_PAGES     20u
#define ARENA_SIZE      (ARENA_PAGES * PAGE_SIZE)

#define PAGE_AT(page)   (ARENA + (page) * PAGE_SIZE)
#define CODE_AT         PAGE_AT(CODE_PAGE)
#define CODE_SIZE       (CODE_PAGES * PAGE_SIZE)
#define DATA_AT         PAGE_AT(DATA_PAGE)
#define DATA_SIZE       (DATA_PAGES * PAGE_SIZE)
#define STACK_AT        PAGE_AT(STACK_PAGE)
#define STACK_TOP       PAGE_AT(STACK_PAGE + STACK_PAGES)

struct side {
    struct vcpu v;
    struct interp interp;
    uint8_t *memory;            /* ARENA_SIZE bytes */
    bool is_subject;
    /* What the machine around it has seen and answered. */
    uint32_t reads;             /* of ports and time */
    uint64_t writes;            /* a hash of all to ports */
};

extern struct side subject, reference;

struct bt;

/* Once, before all others. */
void arena_start(void);

/* All pages zero and writable, nothing watched; BT: whom to tell, or NULL. */
void arena_reset(struct bt *bt);
/* The subject's memory is complete: copy it, and give pages their rights. */
void arena_seal(void);

/* The arena's page that AT is in may be fetched from; watch it if asked. */
const uint8_t *arena_fetch(uint32_t at, bool is_watched);

/* Watch SIZE bytes of the subject's that are not code; false: not there. */
bool arena_watch(uint32_t at, uint32_t size);

/*
 * The subject's access to AT trapped: was the page only watched, or hidden?
 * Then it is hidden no more.
 */
enum arena_trap { TRAP_TRUE, TRAP_WATCHED, TRAP_HIDDEN };
enum arena_trap arena_trap(uint32_t at, bool is_write);
/* Let the page be written by whatever comes; its code is forgotten. */
void arena_unwatch(uint32_t at);

/* Take the data and stack pages in MASK away until they are touched. */
void arena_hide(uint32_t mask);

/* What the subject has in this range is right, where both may write it. */
void arena_copy_back(uint32_t at, uint32_t size);

/* A device writes VALUE to both memories; the translator is told. */
void arena_write_both(uint32_t at, uint32_t value);

/* Both memories the same? */
bool arena_same(uint32_t *where);

#endif
