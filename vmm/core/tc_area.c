/*
 * tc_area.c - see tc_area.h.
 *
 *      claims (vmm/mmu) -> which pages        tc_layout -> what lies where
 *
 * A guest that maps its tables by a PDE of their own claims a page here for
 * each PDE, and another set of them for each process.  So pages are avoided as
 * long as that leaves room, also while nobody claims them.
 *
 * The pages themselves stay where they are; they have one place in linear space
 * each, and only their rights in the two views change.  The permanent root can
 * write to all of them.  Nothing here runs in the segment sandbox.
 *
 * Called by the vcpu's thread; no locks.
 */
#include "vmm/core/tc_area.h"

#include "kernel/base/assert.h"
#include "kernel/base/bitmap.h"
#include "kernel/base/string.h"
#include "vmm/core/memory.h"
#include "vmm/core/tc_layout.h"
#include "vmm/seg/seg.h"

#define VIEW_TABLE(view) \
    ((pte_t *)(VMM_VIEW_TABLES_AT + ((view) - VIEW_KERNEL) * PAGE_SIZE))

/* What stays of an entry when its rights change. */
#define ENTRY_KEPT      (PTE_ADDR | PTE_P | PTE_A)

static struct tc_layout layout;
static uint32_t avoided[BITMAP_WORDS(TC_PAGES)];
static bool is_paging, is_none;
static pte_t no_execute;                /* 0: this processor has no NX */

static void
set_rights(enum shadow_view view, uint32_t first, uint32_t count, pte_t rights)
{
    pte_t *entry = VIEW_TABLE(view);

    for (uint32_t n = first; n < first + count; n++)
        entry[n] = (entry[n] & ENTRY_KEPT) | rights;
}

/* User code reaches none of them; the monitor writes to the slots. */
static void
set_all_rights(void)
{
    const pte_t data = PTE_RW | PTE_D | no_execute;

    set_rights(VIEW_KERNEL, 0, TC_PAGES, no_execute);
    set_rights(VIEW_USER, 0, TC_PAGES, no_execute);
    set_rights(VIEW_KERNEL, layout.code, layout.code_pages, PTE_US);
    set_rights(VIEW_KERNEL, layout.slots + 1, TC_TABLE_PAGES,
               PTE_US | no_execute);
    set_rights(VIEW_KERNEL, layout.slots, 1, PTE_US | data);
    set_rights(VIEW_USER, layout.slots, 1, data);
}

void
tc_area_place(struct bt_env *env)
{
    uint32_t slots = VMM_TC_AT + layout.slots * PAGE_SIZE;

    env->code_at = VMM_TC_AT + layout.code * PAGE_SIZE;
    env->code = (uint8_t *)env->code_at;
    env->code_size = layout.code_pages * PAGE_SIZE;
    env->slots = (struct bt_slots *)slots;
    env->slots_at = 0;
    env->tables = (struct bt_tables *)(slots + PAGE_SIZE);
    env->tables_at = PAGE_SIZE;
    if (!is_paging)
        return;
    set_all_rights();
    seg_place_slots(slots);
}

/* A layout around all that was ever claimed, or around what is claimed now. */
static bool
choose(const uint32_t *claimed)
{
    struct tc_layout next;

    for (size_t n = 0; n < ARRAY_LEN(avoided); n++)
        avoided[n] |= claimed[n];
    if (!tc_layout_choose(avoided, &next)) {
        memcpy(avoided, claimed, sizeof(avoided));
        if (!tc_layout_choose(avoided, &next))
            return false;
    }
    layout = next;
    return true;
}

bool
tc_area_check(void (*move)(void))
{
    const uint32_t *claimed = is_paging ? memory_claims() : NULL;

    if (LIKELY(claimed == NULL) ||
        (!is_none && tc_layout_is_free(&layout, claimed)))
        return !is_none;
    is_none = !choose(claimed);
    if (!is_none)
        move();
    return !is_none;
}

void
tc_area_init(const struct vmm_params *params)
{
    const pte_t *upper = (const pte_t *)VMM_TABLE_AT;

    is_paging = params->sandbox == VMM_SANDBOX_PAGING;
    no_execute = upper[pt_index(VMM_SHARED_AT)] & PTE_NX;
    if (!tc_layout_choose(avoided, &layout))
        NOT_REACHED();
}
