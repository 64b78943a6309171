/*
 * inspect.c - the translator's units, seen from outside.
 *
 * Nothing here is needed to run a guest, and nothing changes: traces and tests
 * ask.  Units carry their entry in the TC but not where they end, since nobody
 * else wants to know; the next entry tells.
 */
#include "bt/bt_inspect.h"

#include "bt/bt_int.h"

/* The unit with the lowest entry from FROM on, or NULL. */
static const struct bt_tu *
first_from(const struct bt *bt, uint32_t from)
{
    const struct bt_tu *found = NULL;

    for (uint32_t n = 0; n < bt->tu_count; n++) {
        const struct bt_tu *tu = &bt->tus[n];

        if (!tu->is_dropped && tu->entry >= from &&
            (found == NULL || tu->entry < found->entry))
            found = tu;
    }
    return found;
}

bool
bt_find_unit(const struct bt *bt, uint32_t from, struct bt_unit_info *info)
{
    const struct bt_tu *tu = first_from(bt, from), *next;

    if (tu == NULL)
        return false;
    next = first_from(bt, tu->entry + 1);
    *info = (struct bt_unit_info){
        .eip = tu->eip, .length = tu->length, .at = tu->entry,
        .size = (next == NULL ? bt_code_end(bt) : next->entry) - tu->entry,
    };
    return true;
}

uint32_t
bt_code_end(const struct bt *bt)
{
    return bt->env->code_at + bt->code_used;
}
