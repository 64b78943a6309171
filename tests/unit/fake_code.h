/*
 * fake_code.h - a guest's code for the translator: five pages and a hole.
 *
 * Two of the pages are the same memory.  Nothing runs; what the translator
 * made is looked at, and self-checks are evaluated by a little machine that
 * knows their instructions.
 */
#ifndef TESTS_UNIT_FAKE_CODE_H
#define TESTS_UNIT_FAKE_CODE_H

#include "bt/bt.h"

#define CODE_PAGE       4096u
#define CODE_GUEST      0x400000u       /* the guest's first page */
#define CODE_PAGES      6u              /* linear */
#define CODE_HOLE       4u              /* the one that is not there */
#define CODE_MEMORIES   4u
#define CODE_ID         100u            /* of memory 0 */
#define CODE_AT         0x10000000u     /* the TC */
#define CODE_SLOTS_AT   0x1000u
#define CODE_SHAPES     4u

struct fake_code {
    uint8_t memory[CODE_MEMORIES][CODE_PAGE];
    bool is_watched[CODE_MEMORIES];
    unsigned watching_fetches;
    uint8_t *tc;
    struct bt_slots slots;
    struct bt_env env;
    struct bt *bt;
};
extern struct fake_code fake;

/* Surroundings number SHAPE, capacities SCALE times the least ones. */
void fake_code_start(unsigned shape, unsigned scale);
void fake_code_stop(void);

bool fake_code_is_there(uint32_t eip);
uint8_t *fake_code_byte(uint32_t eip);
void fake_code_put(uint32_t eip, const uint8_t *bytes, size_t size);
#define PUT_CODE(eip, ...)                                  \
    fake_code_put(eip, (const uint8_t[]){ __VA_ARGS__ },    \
                  sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* The translated code at address AT. */
const uint8_t *fake_code_tc(uint32_t at);
uint32_t fake_code_word(const uint8_t *p);

/* The self-check at AT; *BEHIND is where it goes on if it passes. */
enum fake_check { CHECK_NONE, CHECK_PASSES, CHECK_FAILS };
enum fake_check fake_code_check(uint32_t at, const uint8_t **behind);

#endif
