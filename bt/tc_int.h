/*
 * tc_int.h - translation units, by guest address and by page: tc_lookup.c.
 *
 * A unit is known by its number.  It is on one page, or, one in 250, goes on in
 * a second one; refs name what of it is on which, and are chained by page.
 */
#ifndef BT_TC_INT_H
#define BT_TC_INT_H

#include "kernel/base/types.h"

struct bt;
struct bt_env;

#define NO_TU UINT32_MAX

/* Small, for there are many: half of the translator's memory. */
struct bt_tu {
    uint32_t eip;
    uint32_t entry;         /* address in the TC */
    uint32_t check_link;    /* where its checked entry goes on a mismatch */
    uint32_t stub_link;     /* of the stub that a dropped one leads to */
    uint32_t page;          /* id, of the first byte's */
    uint32_t next_hash;     /* a number of a unit, NO_TU at the end */
    uint32_t next_page;     /* a ref (tc_lookup.c), likewise */
    uint16_t source;        /* self-checking: from entry to the bytes; or 0 */
    uint8_t length;         /* of the guest's bytes it depends on */
    bool is_dropped : 1;
    bool is_published : 1;  /* its checked entry is in its bucket */
};
STATIC_ASSERT(sizeof(struct bt_tu) == 32);

/* The rest of a unit that goes on in a second page. */
struct bt_span {
    uint32_t tu;            /* its number; NO_TU: free */
    uint32_t page, next_page;
};

struct bt_tu *tc_find(const struct bt *bt, uint32_t eip);
/* A new unit at EIP, not yet found; may have been dropped earlier. */
struct bt_tu *tc_add(struct bt *bt, uint32_t eip, unsigned length,
                     const uint32_t page[2]);
void tc_remove(struct bt *bt, struct bt_tu *tu);
/* The id of the page that TU's byte at OFFSET is on. */
uint32_t tc_page_at(const struct bt *bt, const struct bt_tu *tu,
                    uint32_t offset);

/* What of a unit is on one page. */
struct tc_part {
    struct bt_tu *tu;       /* NULL: it is gone */
    uint32_t page, offset, size;
    uint32_t next;
};
/* The first ref of a page id's bucket, which other pages may share. */
uint32_t tc_page_first(const struct bt *bt, uint32_t id);
struct tc_part tc_part_of(const struct bt *bt, uint32_t ref);

uint32_t tc_span_max(const struct bt_env *env);

#endif
