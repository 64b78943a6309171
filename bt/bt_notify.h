/*
 * bt_notify.h - what the surroundings tell the translator: code that changes,
 * instructions that fault.
 *
 * Guest pages have names, which env->fetch() gave.  The surroundings watch each
 * page that was fetched from, for writes by anybody, and tell of them before
 * the guest goes on.  At that time no address of the TC is in use: who is told
 * of a write by translated code has recovered the guest's state first.
 */
#ifndef BT_BT_NOTIFY_H
#define BT_BT_NOTIFY_H

#include "kernel/base/types.h"

struct bt;

/* The guest page ID changed or may have: forget what came from it. */
void bt_invalidate_page(struct bt *bt, uint32_t id);

enum bt_written {
    BT_WRITTEN_NOTHING,     /* no code was there; go on watching the page */
    BT_WRITTEN_DROPPED,     /* some was dropped; go on watching */
    BT_WRITTEN_UNWATCH,     /* need not be watched until it is fetched again
                               without BT_FETCH_UNWATCHED */
};

/*
 * The guest writes, or has just written, SIZE bytes at OFFSET of page ID.  On a
 * page that is written to often, code will check itself instead.
 */
enum bt_written bt_page_written(struct bt *bt, uint32_t id, uint32_t offset,
                                uint32_t size);

/*
 * The copied instruction at EIP faulted, and its owner had to emulate it.  If
 * that goes on, it becomes an EMULATE exit.
 */
void bt_note_fault(struct bt *bt, uint32_t eip);

/*
 * The instruction at EIP was emulated after an EMULATE exit; for nothing,
 * unless WAS_NEEDED.  Any EIP may be told.
 */
void bt_note_emulated(struct bt *bt, uint32_t eip, bool was_needed);

#endif
