/*
 * fake_code.c - see fake_code.h.
 */
#include "unit/fake_code.h"

#include <stdlib.h>
#include <string.h>

#include "bt/decode.h"
#include "kernel/base/assert.h"

enum { X86_MOV_TO_RM = 0x89, X86_MOV_FROM_RM = 0x8b, X86_MOVZX_0F = 0x0f,
       X86_MOVZX_BYTE = 0xb6, X86_LEA = 0x8d, X86_JECXZ = 0xe3,
       X86_JMP = 0xe9, X86_NOP = 0x90, ECX_DISP32 = 0x0d,
       PREFIX_CS = 0x2e, PREFIX_DS = 0x3e, PREFIX_GS = 0x65 };

struct fake_code fake;

/* Which memory is at each linear page. */
static const unsigned memory_of[CODE_PAGES] = { 0, 1, 2, 0, 0, 3 };

static const struct bt_env shapes[CODE_SHAPES] = {
    { .is_user = true, .slot_segment = SEG_DS },
    { .is_user = false, .slot_segment = SEG_GS, .callout = CALLOUT_INT,
      .callout_vector = 0x31, .cs_rule = SEGMENT_AS_DS,
      .gs_rule = SEGMENT_EMULATE },
    { .is_user = false, .slot_segment = SEG_GS, .cs_rule = SEGMENT_EMULATE,
      .gs_rule = SEGMENT_AS_DS },
    { .is_user = true, .slot_segment = SEG_DS, .callout = CALLOUT_INT,
      .callout_vector = 0x31, .cs_rule = SEGMENT_AS_DS },
};

bool
fake_code_is_there(uint32_t eip)
{
    uint32_t page = eip / CODE_PAGE - CODE_GUEST / CODE_PAGE;

    return page < CODE_PAGES && page != CODE_HOLE;
}

static unsigned
memory_at(uint32_t eip)
{
    ASSERT(fake_code_is_there(eip));
    return memory_of[(eip - CODE_GUEST) / CODE_PAGE];
}

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    ASSERT(context == NULL);
    if (!fake_code_is_there(eip))
        return NULL;
    if (!(flags & BT_FETCH_UNWATCHED)) {
        fake.watching_fetches++;
        fake.is_watched[memory_at(eip)] = true;
    }
    *id = CODE_ID + memory_at(eip);
    return fake.memory[memory_at(eip)];
}

void
fake_code_start(unsigned shape, unsigned scale)
{
    struct bt_env *env = &fake.env;

    memset(&fake, 0, sizeof(fake));
    memset(fake.memory, X86_NOP, sizeof(fake.memory));
    *env = shapes[shape];
    env->mode = DECODE_32 | DECODE_PROTECTED;
    env->code_size = BT_CODE_MIN * scale;
    env->tu_max = BT_TU_MIN * scale;
    env->point_max = BT_POINT_MIN * scale;
    env->link_max = BT_LINK_MIN * scale;
    fake.tc = calloc(1, env->code_size);
    env->slots_at = CODE_SLOTS_AT;
    env->tables_at = 0x20000;
    env->code_at = CODE_AT;
    env->code = fake.tc;
    env->slots = &fake.slots;
    env->tables = calloc(1, sizeof(*env->tables) +
                            env->link_max * sizeof(uint32_t));
    env->fetch = fetch;
    fake.bt = bt_init(env, calloc(1, bt_memory_size(env)));
}

void
fake_code_stop(void)
{
    free(fake.bt);
    free(fake.tc);
    free(fake.env.tables);
}

uint8_t *
fake_code_byte(uint32_t eip)
{
    return &fake.memory[memory_at(eip)][eip % CODE_PAGE];
}

void
fake_code_put(uint32_t eip, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *fake_code_byte(eip + (uint32_t)i) = bytes[i];
}

const uint8_t *
fake_code_tc(uint32_t at)
{
    ASSERT(at >= CODE_AT && at - CODE_AT < fake.env.code_size);
    return fake.tc + (at - CODE_AT);
}

uint32_t
fake_code_word(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Behind mov %ecx, slots.ecx, if then code is read through CS or DS. */
static const uint8_t *
skip_save(const uint8_t *p)
{
    bool is_ds = fake.env.cs_rule == SEGMENT_AS_DS;

    if (fake.env.slot_segment == SEG_GS && *p++ != PREFIX_GS)
        return NULL;
    if (p[0] != X86_MOV_TO_RM || p[1] != ECX_DISP32 ||
        fake_code_word(p + 2) !=
            CODE_SLOTS_AT + offsetof(struct bt_slots, ecx))
        return NULL;
    p += 6;
    if (p[0] != (is_ds ? PREFIX_DS : PREFIX_CS))
        return NULL;
    return (p[1] == X86_MOV_FROM_RM && p[2] == ECX_DISP32) ||
           (p[1] == X86_MOVZX_0F && p[3] == ECX_DISP32) ? p : NULL;
}

/* Are these the first bytes of the unit at AT that the load at P is for? */
static bool
loads_own_code(const uint8_t *p, uint32_t at)
{
    struct bt_state s = { .eip = at };

    return bt_recover(fake.bt, &s) &&
           fake_code_word(p + (p[1] == X86_MOVZX_0F ? 4 : 3)) == s.eip;
}

/* One comparison at *P, which moves behind it; is it equal? */
static bool
run_compare(const uint8_t **p)
{
    unsigned size = 4;
    uint32_t value = 0, eip;

    (*p)++;
    if (*(*p)++ == X86_MOVZX_0F)
        size = *(*p)++ == X86_MOVZX_BYTE ? 1 : 2;
    eip = fake_code_word(*p + 1);
    *p += 5;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)*fake_code_byte(eip + i) << (8 * i);
    ASSERT((*p)[0] == X86_LEA);
    value += fake_code_word(*p + 2);
    *p += 6;
    ASSERT((*p)[0] == X86_JECXZ);
    return value == 0;
}

enum fake_check
fake_code_check(uint32_t at, const uint8_t **behind)
{
    const uint8_t *p = skip_save(fake_code_tc(at));
    bool has_prefix = fake.env.slot_segment == SEG_GS;

    *behind = fake_code_tc(at);
    if (p == NULL || !loads_own_code(p, at))
        return CHECK_NONE;
    for (;;) {
        if (!run_compare(&p))
            return CHECK_FAILS;
        p += 2 + p[1];
        if (p[-5] == X86_JMP && (p[0] == PREFIX_CS || p[0] == PREFIX_DS))
            continue;
        ASSERT(p[has_prefix] == X86_MOV_FROM_RM);
        *behind = p + has_prefix + 6;
        return CHECK_PASSES;
    }
}
