/*
 * engine.c - the translator's surroundings, in each configuration.
 *
 *      ENGINE_AT   slots | tables, links | ...   TC
 *
 * All of that is at fixed addresses, because selectors with a base point there
 * (segments.c).  A process is flat, so what the TC's code executes in CS is at
 * the same address for reading and writing.
 */
#include "lockstep/config.h"

#include <string.h>
#include <sys/mman.h>

#include "bt/decode.h"
#include "kernel/base/addr.h"
#include "kernel/base/assert.h"
#include "lockstep/arena.h"

#define TABLES_AT       (ENGINE_AT + PAGE_SIZE)
#define LINK_MAX        4096u
#define TC_AT           (ENGINE_AT + KB(256))
#define TC_SIZE         KB(256)
#define TU_MAX          1024u
#define POINT_MAX       16384u

STATIC_ASSERT(TABLES_AT + sizeof(struct bt_tables) +
              LINK_MAX * sizeof(uint32_t) < TC_AT);

const struct config configs[CONFIG_COUNT] = {
    { "native", true, true, CALLOUT_JUMP, SEG_DS, SEGMENT_AS_IS,
      SEGMENT_AS_IS },
    { "user", false, true, CALLOUT_JUMP, SEG_DS, SEGMENT_AS_IS,
      SEGMENT_AS_IS },
    { "paging-jump", false, false, CALLOUT_JUMP, SEG_DS, SEGMENT_AS_IS,
      SEGMENT_AS_IS },
    { "paging-int", false, false, CALLOUT_INT, SEG_DS, SEGMENT_AS_DS,
      SEGMENT_AS_DS },
    { "segment-jump", false, false, CALLOUT_JUMP, SEG_GS, SEGMENT_AS_DS,
      SEGMENT_EMULATE },
    { "segment-int", false, false, CALLOUT_INT, SEG_GS, SEGMENT_EMULATE,
      SEGMENT_EMULATE },
};

struct bt_slots *engine_slots;

static struct bt_env env;
static struct bt *bt;

static const uint8_t *
fetch(UNUSED void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    *id = (eip - ARENA) / PAGE_SIZE;
    return arena_fetch(eip, (flags & BT_FETCH_UNWATCHED) == 0);
}

static void *
map(uint32_t at, size_t size)
{
    void *memory = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS |
                        (at != 0 ? MAP_FIXED_NOREPLACE : 0), -1, 0);

    ASSERT(memory != MAP_FAILED && (at == 0 || memory == (void *)at));
    return memory;
}

static void
set_env(const struct config *config, bool is_small)
{
    bool in_gs = config->slot_segment == SEG_GS;

    env = (struct bt_env){
        .is_user = config->is_user, .callout = config->callout,
        .callout_vector = CALLOUT_VECTOR,
        .slot_segment = config->slot_segment, .cs_rule = config->cs_rule,
        .gs_rule = config->gs_rule, .mode = DECODE_32 | DECODE_PROTECTED,
        .slots_at = in_gs ? 0 : ENGINE_AT,
        .tables_at = TABLES_AT - (in_gs ? ENGINE_AT : 0),
        .code_at = TC_AT, .code = (uint8_t *)TC_AT, .slots = engine_slots,
        .tables = (struct bt_tables *)TABLES_AT,
        .code_size = is_small ? BT_CODE_MIN : TC_SIZE,
        .tu_max = is_small ? BT_TU_MIN : TU_MAX,
        .point_max = is_small ? BT_POINT_MIN : POINT_MAX,
        .link_max = is_small ? BT_LINK_MIN : LINK_MAX,
        .fetch = fetch,
    };
}

struct bt *
engine_reset(const struct config *config, bool is_small)
{
    static void *memory;

    if (memory == NULL) {
        engine_slots = map(ENGINE_AT, TC_AT + TC_SIZE - ENGINE_AT);
        set_env(config, false);
        memory = map(0, bt_memory_size(&env));
    }
    bt = NULL;
    if (config->is_native)
        return NULL;
    memset(engine_slots, 0, sizeof(*engine_slots));
    set_env(config, is_small);
    env.tables->exit = (uint32_t)machine_exit;
    bt = bt_init(&env, memory);
    return bt;
}

/* The kernel's word for "INT n that user code may not": #GP(n * 8 + 2). */
bool
engine_is_callout(const struct config *config, const struct machine *m)
{
    enum { ERROR_OF_CALLOUT = CALLOUT_VECTOR * 8 + 2 };

    if (m->vector == MACHINE_LEFT)
        return config->callout == CALLOUT_JUMP;
    return config->callout == CALLOUT_INT && !config->is_native &&
           m->vector == VEC_GP && m->error == ERROR_OF_CALLOUT &&
           engine_has(m->eip);
}

bool
engine_has(uint32_t address)
{
    return bt != NULL && address - TC_AT < env.code_size;
}
