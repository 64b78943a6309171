/*
 * site.c - what an indirect branch learns of where it goes.
 *
 * The guest's target is in ECX, ECX itself in its slot; what follows is the
 * site's *tail*, SITE_TAIL_SIZE bytes of the unit that are written twice:
 *
 *  learning    exit_arg = site; leave        its owner comes back by bt_entry()
 *
 *  predicted   lea   -t1(%ecx), %ecx         no flags change
 *              jecxz hit
 *              jmp   chain                   t2, t3, then generic
 *        hit:  mov   slots.ecx, %ecx
 *              jmp   unit at t1
 *
 *  generic     slots.target = ecx; ecx = (uint16_t)(ecx * 4)
 *              jmp   *lookup(%ecx)           a checked entry (chain.c), a miss
 *
 * The first SITE_SAMPLES targets decide which it becomes.  Most branches have
 * one target or few that matter: compared where the branch is, they take half
 * the instructions and nothing of the machine's indirect predictor.  Sites are
 * written to only if they run that often: where a write to a page of code is
 * dear, it is paid once for each.
 */
#include "bt/site.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"

#define SITE_SAMPLES    8
/*
 * Worth a prediction: so many of the samples went where it says.  Returns gain
 * even if half of them go on down the chain; jumps by tables with many targets
 * are better left to the machine's predictor.
 */
static const uint8_t hits_wanted[] = {
    [SITE_RETURN] = SITE_SAMPLES / 2,
    [SITE_BRANCH] = SITE_SAMPLES - 1,
};
#define SITE_HITS_MIN   2

#define SLOT_AT(bt, member) \
    ((bt)->env->slots_at + (uint32_t)offsetof(struct bt_slots, member))

/* Sizes of the parts of a predicted tail; checked where they are emitted. */
enum { LEA_SIZE = 6, JECXZ_SIZE = 2, JMP_SIZE = 5 };
#define HIT_OFFSET (LEA_SIZE + JECXZ_SIZE + JMP_SIZE)

static void
emit_padding(struct emitter *e, uint32_t end)
{
    static const uint8_t int3 = 0xcc;

    while (emit_here(e) < end)
        emit_bytes(e, &int3, sizeof(int3));
    ASSERT(emit_here(e) == end);
}

static void
emit_lookup(const struct bt *bt, struct emitter *e)
{
    emit_jmp_table(e, bt->env->tables_at +
                   (uint32_t)offsetof(struct bt_tables, lookup));
}

/* ECX to slots.target, outside of a tail. */
static void
save_target(struct bt *bt, struct emitter *e)
{
    tcache_add_point(bt, emit_here(e), POINT_ECX_PLUS, 0);
    emit_save_slot(e, GPR_ECX, SLOT_AT(bt, target));
    tcache_add_point(bt, emit_here(e), POINT_TARGET, 0);
}

void
site_emit_miss(struct bt *bt, struct emitter *e)
{
    save_target(bt, e);
    emit_jmp(e, bt->miss);
}

void
site_emit(struct bt *bt, struct emitter *e, enum site_kind kind)
{
    uint32_t n = bt->site_count++;
    uint32_t tail = emit_here(e);

    bt->sites[n] = (struct bt_site){ .tail = tail, .kind = kind };
    tcache_add_point(bt, tail, POINT_SITE, n);
    emit_set_slot(e, SLOT_AT(bt, exit_arg), n);
    emit_jmp(e, bt->learn);
    emit_padding(e, tail + SITE_TAIL_SIZE);
}

void
site_emit_learn(struct bt *bt, struct emitter *e)
{
    bt->learn = emit_here(e);
    tcache_add_point(bt, emit_here(e), POINT_ECX_PLUS, 0);
    emit_save_slot(e, GPR_ECX, SLOT_AT(bt, exit_eip));
    tcache_add_point(bt, emit_here(e), POINT_EXIT, 0);
    emit_set_slot(e, SLOT_AT(bt, exit_reason), BT_EXIT_SITE);
    emit_load_slot(e, GPR_ECX, SLOT_AT(bt, ecx));
    leave_emit(bt, e);
}

uint32_t
site_recover(const struct bt *bt, uint32_t n, uint32_t offset, uint32_t ecx)
{
    const struct bt_site *site = &bt->sites[n];

    if (offset == 0 || site->state == SITE_LEARNING)
        return ecx;
    if (site->state == SITE_GENERIC)
        return bt->env->slots->target;
    return site->target[0] + (offset < HIT_OFFSET ? ecx : 0);
}

/* An emitter for the site's tail in place. */
static struct emitter
tail_emitter(const struct bt *bt, const struct bt_site *site)
{
    uint8_t *start = bt->env->code + (site->tail - bt->env->code_at);

    return (struct emitter){
        .start = start, .next = start, .end = start + SITE_TAIL_SIZE,
        .address = site->tail, .slot_segment = bt->env->slot_segment,
    };
}

/* To the unit at EIP, all registers the guest's. */
static void
emit_hit(struct bt *bt, struct emitter *e, uint32_t eip)
{
    tcache_add_point(bt, emit_here(e), POINT_ECX, eip);
    emit_load_slot(e, GPR_ECX, SLOT_AT(bt, ecx));
    emit_jmp(e, tc_find(bt, eip)->entry);
}

/* The other targets, one after the other: ECX is target - targets[0]. */
static uint32_t
emit_chain(struct bt *bt, const uint32_t *targets, unsigned count)
{
    struct emitter e = tcache_emitter(bt);
    uint8_t *jumps[SITE_TARGETS];
    uint32_t last = targets[0];

    for (unsigned i = 1; i < count; i++) {
        tcache_add_point(bt, emit_here(&e), POINT_ECX_PLUS, last);
        emit_add(&e, GPR_ECX, last - targets[i]);
        last = targets[i];
        tcache_add_point(bt, emit_here(&e), POINT_ECX_PLUS, last);
        jumps[i] = emit_jecxz(&e);
    }
    tcache_add_point(bt, emit_here(&e), POINT_ECX_PLUS, last);
    emit_add(&e, GPR_ECX, last);
    save_target(bt, &e);
    emit_lookup(bt, &e);
    for (unsigned i = 1; i < count; i++) {
        emit_land(&e, jumps[i]);
        emit_hit(bt, &e, targets[i]);
    }
    tcache_commit(bt, &e);
    return e.address;
}

static void
become_predicted(struct bt *bt, struct bt_site *site, unsigned count)
{
    struct emitter e = tail_emitter(bt, site);
    uint32_t chain = emit_chain(bt, site->target, count);

    emit_add(&e, GPR_ECX, -site->target[0]);
    emit_jecxz_over(&e, JMP_SIZE);
    emit_jmp(&e, chain);
    ASSERT(emit_here(&e) == site->tail + HIT_OFFSET);
    emit_load_slot(&e, GPR_ECX, SLOT_AT(bt, ecx));
    emit_jmp(&e, tc_find(bt, site->target[0])->entry);
    emit_padding(&e, site->tail + SITE_TAIL_SIZE);
    site->state = SITE_PREDICTED;
    bt->stats.predicted_sites++;
}

static void
become_generic(struct bt *bt, struct bt_site *site)
{
    struct emitter e = tail_emitter(bt, site);

    emit_save_slot(&e, GPR_ECX, SLOT_AT(bt, target));
    emit_lookup(bt, &e);
    emit_padding(&e, site->tail + SITE_TAIL_SIZE);
    site->state = SITE_GENERIC;
    bt->stats.generic_sites++;
}

static void
swap_targets(struct bt_site *site, unsigned a, unsigned b)
{
    uint32_t target = site->target[a];
    uint8_t hits = site->hits[a];

    site->target[a] = site->target[b];
    site->hits[a] = site->hits[b];
    site->target[b] = target;
    site->hits[b] = hits;
}

/* The most frequent targets that are translated first; how many. */
static unsigned
rank_targets(struct bt *bt, struct bt_site *site, unsigned *hits)
{
    unsigned count = 0;

    *hits = 0;
    for (unsigned i = 0; i < SITE_TARGETS; i++) {
        unsigned best = i;

        for (unsigned j = i + 1; j < SITE_TARGETS; j++)
            if (site->hits[j] > site->hits[best])
                best = j;
        swap_targets(site, i, best);
        if (site->hits[i] < SITE_HITS_MIN ||
            tc_find(bt, site->target[i]) == NULL)
            break;
        *hits += site->hits[i];
        count++;
    }
    return count;
}

static void
add_sample(struct bt_site *site, uint32_t eip)
{
    site->samples++;
    for (unsigned i = 0; i < SITE_TARGETS; i++) {
        if (site->hits[i] == 0)
            site->target[i] = eip;
        if (site->target[i] == eip) {
            site->hits[i]++;
            return;
        }
    }
}

void
site_learn(struct bt *bt, uint32_t n, uint32_t eip)
{
    struct bt_site *site;
    unsigned count, hits;

    if (n >= bt->site_count)
        return;
    site = &bt->sites[n];
    if (site->state != SITE_LEARNING)
        return;
    add_sample(site, eip);
    if (site->samples < SITE_SAMPLES || !tcache_has_room(bt))
        return;
    count = rank_targets(bt, site, &hits);
    if (hits >= hits_wanted[site->kind])
        become_predicted(bt, site, count);
    else
        become_generic(bt, site);
}
