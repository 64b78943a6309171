/*
 * tcache.c - the translation cache as a space: who has which part of it.
 *
 *      | miss routine | batch | batch | ...          free |
 *      0              ^shared_code                 ^code_used    code_size
 *
 * A batch is built in scratch memory and copied here once; nothing behind
 * code_used has ever run since the last flush.  When a batch might not fit in
 * one of the tables, all is flushed: that is cheap beside what retranslating
 * one by one would cost in bookkeeping, and it is rare.
 *
 * The owner flushes only inside bt_entry() and bt_step(), when no address of
 * the TC is in use.
 */
#include "bt/bt_int.h"

#include "bt/site.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"

#define CODE_ALIGNMENT 16u

/* There are fewer indirect branches than links, and fewer pages than units. */
#define LINKS_PER_SITE  4u
#define UNITS_PER_PAGE  16u
STATIC_ASSERT(BATCH_UNIT_MAX < BT_LINK_MIN / LINKS_PER_SITE);

static uint32_t
hash_size(const struct bt_env *env)
{
    return BIT(log2_round_up(env->tu_max));
}

static uint32_t
page_hash_size(const struct bt_env *env)
{
    return hash_size(env) / UNITS_PER_PAGE;
}

static uint32_t
site_max(const struct bt_env *env)
{
    return env->link_max / LINKS_PER_SITE;
}

size_t
bt_memory_size(const struct bt_env *env)
{
    return sizeof(struct bt) + env->tu_max * sizeof(struct bt_tu) +
           tc_span_max(env) * sizeof(struct bt_span) +
           env->link_max * sizeof(struct bt_link) +
           site_max(env) * sizeof(struct bt_site) +
           env->point_max * sizeof(struct point) +
           (hash_size(env) + page_hash_size(env)) * sizeof(uint32_t);
}

static void
carve(struct bt *bt)
{
    const struct bt_env *env = bt->env;

    bt->tus = (struct bt_tu *)(bt + 1);
    bt->spans = (struct bt_span *)(bt->tus + env->tu_max);
    bt->links = (struct bt_link *)(bt->spans + tc_span_max(env));
    bt->sites = (struct bt_site *)(bt->links + env->link_max);
    bt->points = (struct point *)(bt->sites + site_max(env));
    bt->hash = (uint32_t *)(bt->points + env->point_max);
    bt->page_hash = bt->hash + hash_size(env);
    bt->hash_mask = hash_size(env) - 1;
    bt->page_mask = page_hash_size(env) - 1;
}

/* What is left of a lookup that found nothing: slots.target has no unit. */
static void
emit_miss(struct bt *bt, struct emitter *e)
{
    const struct bt_env *env = bt->env;
    uint32_t slots = env->slots_at;

    bt->miss = emit_here(e);
    tcache_add_point(bt, bt->miss, POINT_TARGET, 0);
    emit_load_slot(e, GPR_ECX, slots + offsetof(struct bt_slots, target));
    emit_save_slot(e, GPR_ECX, slots + offsetof(struct bt_slots, exit_eip));
    emit_load_slot(e, GPR_ECX, slots + offsetof(struct bt_slots, ecx));
    emit_set_slot(e, slots + offsetof(struct bt_slots, exit_reason),
                  BT_EXIT_MISS);
    leave_emit(bt, e);
}

struct bt *
bt_init(const struct bt_env *env, void *memory)
{
    struct bt *bt = memory;
    struct emitter e;

    ASSERT(env->code_size >= BT_CODE_MIN && env->tu_max >= BT_TU_MIN &&
           env->point_max >= BT_POINT_MIN && env->link_max >= BT_LINK_MIN &&
           env->code_size <= POINT_OFFSET_LIMIT);
    memset(bt, 0, sizeof(*bt));
    bt->env = env;
    bt->code = (struct bt_code){ .mode = env->mode, .limit = UINT32_MAX };
    carve(bt);
    e = tcache_emitter(bt);
    emit_miss(bt, &e);
    site_emit_learn(bt, &e);
    leave_emit_shared(bt, &e);
    tcache_commit(bt, &e);
    bt->shared_code = bt->code_used;
    bt->shared_points = bt->point_count;
    bt_flush(bt);
    bt->stats = (struct bt_stats){ 0 };
    return bt;
}

void
bt_flush(struct bt *bt)
{
    bt->stats.flushes++;
    bt->code_used = bt->shared_code;
    bt->point_count = bt->shared_points;
    bt->tu_count = 0;
    bt->span_count = 0;
    bt->link_count = NO_LINK + 1;
    bt->site_count = 0;
    for (uint32_t i = 0; i <= bt->hash_mask; i++)
        bt->hash[i] = NO_TU;
    for (uint32_t i = 0; i <= bt->page_mask; i++)
        bt->page_hash[i] = NO_TU;
    for (uint32_t i = 0; i < tc_span_max(bt->env); i++)
        bt->spans[i].tu = NO_TU;
    bt_unlink_all(bt);
}

bool
tcache_has_room(const struct bt *bt)
{
    const struct bt_env *env = bt->env;

    return env->code_size - bt->code_used >= SCRATCH_SIZE + CODE_ALIGNMENT &&
           env->tu_max - bt->tu_count >= BATCH_UNIT_MAX &&
           tc_span_max(env) - bt->span_count >= BATCH_UNIT_MAX &&
           env->link_max - bt->link_count >= FIXUP_MAX + BATCH_UNIT_MAX + 1 &&
           site_max(env) - bt->site_count >= BATCH_UNIT_MAX &&
           env->point_max - bt->point_count >= UNIT_POINT_MAX;
}

uint32_t
tcache_next(const struct bt *bt)
{
    return bt->env->code_at + bt->code_used;
}

struct emitter
tcache_emitter(struct bt *bt)
{
    return (struct emitter){
        .start = bt->scratch, .next = bt->scratch,
        .end = bt->scratch + SCRATCH_SIZE, .address = tcache_next(bt),
        .slot_segment = bt->env->slot_segment,
    };
}

void
tcache_commit(struct bt *bt, const struct emitter *e)
{
    size_t size = (size_t)(e->next - e->start);

    ASSERT(!e->is_full && size <= bt->env->code_size - bt->code_used);
    memcpy(bt->env->code + bt->code_used, e->start, size);
    bt->code_used = ROUND_UP(bt->code_used + (uint32_t)size, CODE_ALIGNMENT);
    bt->stats.bytes += size;
}

/* Does the last point say the same of OFFSET? */
static bool
run_goes_on(const struct bt *bt, uint32_t offset, uint32_t eip)
{
    const struct point *last;

    if (bt->point_count == 0)
        return false;
    last = &bt->points[bt->point_count - 1];
    return (last->at & (POINT_KIND | POINT_SHADOW)) == POINT_RUN &&
           eip - last->eip == offset - FIELD_GET(last->at, POINT_AT_OFFSET);
}

void
tcache_add_point(struct bt *bt, uint32_t address, enum point_kind kind,
                 uint32_t eip)
{
    uint32_t offset = address - bt->env->code_at;

    ASSERT(bt->point_count < bt->env->point_max);
    if (kind == POINT_RUN && run_goes_on(bt, offset, eip))
        return;
    bt->points[bt->point_count++] = (struct point){
        .at = FIELD_SET((uint32_t)kind, POINT_AT_OFFSET, offset),
        .eip = eip,
    };
}

const struct bt_stats *
bt_get_stats(const struct bt *bt)
{
    return &bt->stats;
}
