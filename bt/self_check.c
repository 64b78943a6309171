/*
 * self_check.c - units that look whether they are still right.
 *
 * On pages that are written to all the time, a unit begins by comparing the
 * guest's bytes with those it came from, which a copy behind the exit keeps:
 *
 *      entry:  mov   %ecx, slots.ecx
 *              mov   %cs:eip, %ecx         (%ds: where code is data, too)
 *              lea   -bytes(%ecx), %ecx    no flags change
 *              jecxz 1f
 *              jmp   fail
 *           1: ...the next four bytes...
 *              jecxz ok
 *      fail:   mov   slots.ecx, %ecx
 *              exit CHANGED; the copy
 *      ok:     mov   slots.ecx, %ecx
 *
 * The guest's flags are alive at the exit: what is there now may read them.
 * CS is readable where it is the guest's own, and DS flat where it serves
 * instead.  If a check reads something else after all, smc.c gives it up.
 *
 * A CPU executes what the instruction before has stored, so such a unit ends
 * behind the first one that may write, and the next looks again.  It is on one
 * page, but for a single instruction on two, and reads its bytes in order: a
 * fault there is one that the fetch would have had.
 */
#include "bt/near_int.h"

#include "kernel/base/string.h"

enum { PREFIX_CS = 0x2e, PREFIX_DS = 0x3e, X86_MOV_FROM_RM = 0x8b,
       X86_MOVZX_0F = 0x0f, X86_MOVZX_BYTE = 0xb6, X86_MOVZX_WORD = 0xb7,
       MODRM_ECX_DISP32 = 0x0d };

#define JMP_SIZE    5
#define WORD        4u
#define COMPARE_MAX (SELF_CHECK_MAX / WORD)

/* A check in the making. */
struct check {
    struct xlate *x;
    uint8_t bytes[SELF_CHECK_MAX];
    unsigned count;                 /* of comparisons emitted */
    uint8_t *fails[COMPARE_MAX];    /* their rel32 fields, to be filled in */
};

bool
self_check_is_possible(const struct bt *bt)
{
    if (bt->env->cs_rule == SEGMENT_AS_DS)
        return code_is_flat(bt) && bt->code.base == 0;
    return bt->env->cs_rule == SEGMENT_AS_IS;
}

/* --- What may write ------------------------------------------------------- */

static const bool pushes[OPERATION_COUNT] = {
    [OPERATION_push] = true, [OPERATION_pusha] = true,
    [OPERATION_enter] = true,
};

/* Classes whose columns tell all; of the rest, the worst is thought. */
static const bool is_plain[OPCODE_CLASS_COUNT] = {
    [CLASS_IDENT] = true, [CLASS_X87] = true, [CLASS_MMX] = true,
    [CLASS_SSE] = true, [CLASS_STRING] = true, [CLASS_JCC] = true,
    [CLASS_LOOP] = true, [CLASS_JMP] = true, [CLASS_JMP_IND] = true,
    [CLASS_RET] = true,
};

bool
insn_may_write(const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);
    bool is_register = (op->form & FORM_MODRM) != 0 && !insn_has_memory(insn);

    if (!is_plain[op->class] || pushes[op->operation])
        return true;
    return (op->mem_access & ACCESS_W) != 0 && !is_register;
}

/* --- Emitting ------------------------------------------------------------- */

/* ECX = the SIZE bytes of guest code at EIP, zero-extended. */
static void
emit_load_code(struct xlate *x, uint32_t eip, unsigned size)
{
    const uint8_t prefix = x->bt->env->cs_rule == SEGMENT_AS_DS ? PREFIX_DS
                                                                : PREFIX_CS;
    const uint8_t word[] = { prefix, X86_MOV_FROM_RM, MODRM_ECX_DISP32 };
    const uint8_t part[] = { prefix, X86_MOVZX_0F,
                             size == 1 ? X86_MOVZX_BYTE : X86_MOVZX_WORD,
                             MODRM_ECX_DISP32 };
    const uint8_t address[] = { (uint8_t)eip, (uint8_t)(eip >> 8),
                                (uint8_t)(eip >> 16), (uint8_t)(eip >> 24) };

    if (size == WORD)
        emit_bytes(&x->e, word, sizeof(word));
    else
        emit_bytes(&x->e, part, sizeof(part));
    emit_bytes(&x->e, address, sizeof(address));
}

/* ECX = 0 if SIZE bytes at OFFSET are what they were. */
static void
compare(struct check *c, uint32_t offset, unsigned size)
{
    struct emitter *e = &c->x->e;
    uint32_t value = 0;

    if (c->count > 0) {
        emit_jecxz_over(e, JMP_SIZE);
        emit_jmp(e, 0);
        c->fails[c->count - 1] = e->next - WORD;
    }
    c->count++;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)c->bytes[offset + i] << (8 * i);
    emit_load_code(c->x, c->x->unit.eip + offset, size);
    emit_add(e, GPR_ECX, -value);
}

/* Bytes FROM to TO - 1 of the unit, all on one page; the last word overlaps. */
static void
compare_run(struct check *c, uint32_t from, uint32_t to)
{
    uint32_t at = from;

    while (at < to) {
        unsigned size = to - at >= 2 ? 2 : 1;

        if (to - from >= WORD) {
            at = MIN(at, to - WORD);
            size = WORD;
        }
        compare(c, at, size);
        at += size;
    }
}

static void
gather(struct check *c)
{
    const struct unit *unit = &c->x->unit;
    uint32_t at = 0;

    for (unsigned i = 0; at < unit->length; i++) {
        memcpy(c->bytes + at, unit->bytes[i], unit->insns[i].length);
        at += unit->insns[i].length;
    }
}

/* All comparisons that fail go on here. */
static void
emit_fail(struct check *c, struct bt_tu *tu)
{
    struct emitter *e = &c->x->e;

    for (unsigned i = 0; i + 1 < c->count; i++) {
        struct emitter field = *e;

        field.next = c->fails[i];
        emit_rel32(&field, emit_here(e));
    }
    emit_load_slot(e, GPR_ECX, SLOT(c->x, ecx));
    xlate_exit(c->x, BT_EXIT_CHANGED, tu->eip);
    tu->source = (uint16_t)(emit_here(e) - tu->entry);
    emit_bytes(e, c->bytes, tu->length);
}

void
self_check_emit(struct xlate *x, struct bt_tu *tu)
{
    struct check c = { .x = x };
    uint32_t first = MIN((uint32_t)tu->length,
                         PAGE_SIZE - (tu->eip & PAGE_MASK));
    uint8_t *ok;

    if (tu->length == 0)
        return;
    gather(&c);
    xlate_point(x, POINT_AT, tu->eip);
    emit_save_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    xlate_point(x, POINT_ECX, tu->eip);
    compare_run(&c, 0, first);
    compare_run(&c, first, tu->length);
    ok = emit_jecxz(&x->e);
    emit_fail(&c, tu);
    emit_land(&x->e, ok);
    xlate_point(x, POINT_ECX, tu->eip);
    emit_load_slot(&x->e, GPR_ECX, SLOT(x, ecx));
    x->bt->stats.checking_units++;
    x->bt->stats.checking_bytes += tu->length;
}

/* --- The copy ------------------------------------------------------------- */

static const uint8_t *
copy_of(const struct bt *bt, const struct bt_tu *tu)
{
    return bt->env->code + (tu->entry + tu->source - bt->env->code_at);
}

uint32_t
self_check_compare(const struct bt *bt, const struct bt_tu *tu)
{
    const struct bt_env *env = bt->env;
    const uint8_t *copy = copy_of(bt, tu), *page = NULL;
    uint32_t id;

    for (uint32_t i = 0; i < tu->length; i++) {
        uint32_t eip = tu->eip + i;

        if (page == NULL || (eip & PAGE_MASK) == 0)
            page = env->fetch(env->context, eip, BT_FETCH_UNWATCHED, &id);
        if (page == NULL || page[eip & PAGE_MASK] != copy[i])
            return i;
    }
    return tu->length;
}

uint32_t
self_check_insn_at(const struct bt *bt, const struct bt_tu *tu,
                   uint32_t offset)
{
    const uint8_t *copy = copy_of(bt, tu);
    uint32_t at = 0;

    for (;;) {
        struct insn insn;
        enum decode_result result = decode(copy + at, tu->length - at,
                                           bt->code.mode, &insn);

        if (result != DECODE_OK || at + insn.length > offset)
            return tu->eip + at;
        at += insn.length;
    }
}
