/*
 * stress.c - at random, forget what may be forgotten.
 *
 * Two bits of the seed choose a monitor that is short of something all the
 * time: the translation cache a fraction, the shadow near its least.  All else
 * happens at safe points, every so often; each kind has a share that goes with
 * what it costs, so that a guest still gets on.
 *
 * A generator of pseudo-random numbers (xorshift, 32 bits) from the seed.
 * Called by the main loop and, about to enter the guest, by the engines; no
 * locks.
 */
#include "vmm/core/stress.h"

#include "kernel/base/bits.h"
#include "vmm/core/bt_engine.h"
#include "vmm/core/fpu.h"
#include "vmm/core/memory.h"
#include "vmm/core/memory_int.h"
#include "vmm/core/vmk.h"
#include "vmm/mmu/guest_walk.h"

/* By two bits of the seed. */
#define SHORT_OF        3u
#define SHORT_OF_TC     0u
#define SHORT_OF_SHADOW 1u

/* What is left of the translator's room: with less it only translates. */
#define TC_PART         6u
/* The guest's page tables and a few more than what must be there. */
#define SHADOW_PAGES    (SHADOW_PAGES_MIN + 8)

/* One of so many: safe points with a disturbance, entries that are put off. */
#define DISTURB_PERIOD  256u
#define EXIT_PERIOD     16u

static uint32_t state;          /* 0: no stress */
static uint32_t memory_pages;

static uint32_t
random(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

/* --- What is disturbed -----------------------------------------------------*/

static void
flush(struct bt *bt, UNUSED uint32_t page)
{
    bt_flush(bt);
}

static void
unlink(struct bt *bt, UNUSED uint32_t page)
{
    bt_unlink_all(bt);
}

static void
disturb_flush(UNUSED struct vcpu *v)
{
    bt_engine_with(flush, 0);
}

static void
disturb_links(UNUSED struct vcpu *v)
{
    bt_engine_with(unlink, 0);
}

static void
disturb_page(UNUSED struct vcpu *v)
{
    bt_engine_with(bt_invalidate_page, random(memory_pages));
}

/* Where the guest is: there is likely to be something to forget. */
static void
disturb_code(struct vcpu *v)
{
    gla_t at = segment_linear(&v->cpu.segment[SEG_CS], v->cpu.eip);
    struct guest_mapping mapping;

    if (guest_walk_peek(v, at, GUEST_FETCH, &mapping))
        bt_engine_with(bt_invalidate_page,
                       (uint32_t)ppn_raw(gpa_to_ppn(mapping.at)));
}

static void
disturb_shadow(UNUSED struct vcpu *v)
{
    shadow_drop_all(memory_shadow());
}

static void
disturb_linear(UNUSED struct vcpu *v)
{
    memory_forget_linear();
}

/* Another address that the TLB forgets, which it may at any time. */
static void
disturb_tlb(UNUSED struct vcpu *v)
{
    memory_load_permanent();
}

static void
disturb_fpu(struct vcpu *v)
{
    fpu_sync(v);
    fpu_forget();
}

static void
disturb_audit(UNUSED struct vcpu *v)
{
    memory_audit();
}

static const struct {
    void (*disturb)(struct vcpu *v);
    unsigned share;
} table[] = {
    { disturb_flush, 1 },
    { disturb_links, 6 },
    { disturb_page, 20 },
    { disturb_code, 20 },
    { disturb_shadow, 1 },
    { disturb_linear, 20 },
    { disturb_tlb, 20 },
    { disturb_fpu, 11 },
    { disturb_audit, 1 },
};
#define SHARES  100u

/* --- When ------------------------------------------------------------------*/

void
stress_safe_point(struct vcpu *v)
{
    uint32_t left;

    if (LIKELY(state == 0) || random(DISTURB_PERIOD) != 0)
        return;
    left = random(SHARES);
    for (size_t n = 0; n < ARRAY_LEN(table); n++) {
        if (left < table[n].share) {
            table[n].disturb(v);
            return;
        }
        left -= table[n].share;
    }
}

bool
stress_wants_exit(void)
{
    return UNLIKELY(state != 0) && random(EXIT_PERIOD) == 0;
}

void
stress_translator(struct bt_env *env)
{
    if (state == 0 || (vmm_shared->params.stress & SHORT_OF) != SHORT_OF_TC)
        return;
    /* Between pages that the guest claims there is less anyway. */
    env->code_size = MAX(ROUND_DOWN(env->code_size / TC_PART, PAGE_SIZE),
                         (uint32_t)BT_CODE_MIN);
    env->tu_max /= TC_PART;
    env->point_max /= TC_PART;
    env->link_max /= TC_PART;
}

void
stress_init(struct vmm_params *params)
{
    state = params->stress;
    memory_pages = params->memory_pages;
    if (state != 0 && (params->stress & SHORT_OF) == SHORT_OF_SHADOW)
        params->shadow_pages = SHADOW_PAGES;
}
