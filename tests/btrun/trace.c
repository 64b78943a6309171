/*
 * trace.c - --trace: each unit as it is made, to standard error.
 *
 *      btrun: unit 080497b0, 17 bytes: 31 bytes at f61c2040
 *      080497b0  mov ecx, ebp                    f61c2040  mov ecx, ebp
 *      080497b2  call 0x8049740                  f61c2042  push 0x80497b7
 *                                                f61c2047  jmp 0xf61c2080
 *
 * Which instruction of the guest's an address of the TC belongs to is what
 * bt_recover() says of it: whoever stops there is before that instruction.
 * Out-of-line code of the batch follows its last unit.
 */
#include "tests/btrun/trace.h"

#include <stdio.h>

#include "bt/bt_inspect.h"
#include "bt/decode.h"
#include "bt/disasm.h"

#define TEXT_WIDTH  40
#define GUEST_WIDTH (8 + 2 + TEXT_WIDTH)

/* The instruction at AT as text; returns its length, at least 1. */
static unsigned
show(const struct bt_env *env, uint32_t at, char *text)
{
    struct insn insn;

    if (decode((const uint8_t *)at, INSN_LENGTH_MAX, env->mode, &insn) ==
        DECODE_OK) {
        disasm(&insn, at, text, DISASM_TEXT_MAX);
        return insn.length;
    }
    snprintf(text, DISASM_TEXT_MAX, "byte %#x", *(const uint8_t *)at);
    return 1;
}

/* One guest instruction, without the end of the line; returns the next. */
static uint32_t
print_guest(const struct bt_env *env, uint32_t eip)
{
    char text[DISASM_TEXT_MAX];
    unsigned length = show(env, eip, text);

    fprintf(stderr, "%08x  %-*s", eip, TEXT_WIDTH, text);
    return eip + length;
}

/* Where the guest is when the machine is at AT. */
static uint32_t
guest_at(const struct bt *bt, const struct bt_env *env, uint32_t at)
{
    struct bt_slots slots = *env->slots;
    struct bt_state state = { .eip = at };
    bool is_known = bt_recover(bt, &state);

    *env->slots = slots;
    return is_known ? state.eip : 0;
}

static void
print_unit(const struct bt *bt, const struct bt_env *env,
           const struct bt_unit_info *unit)
{
    uint32_t next = unit->eip, end = unit->eip + unit->length;

    fprintf(stderr, "btrun: unit %08x, %u bytes: %u bytes at %08x\n",
            unit->eip, unit->length, unit->size, unit->at);
    for (uint32_t at = unit->at; at < unit->at + unit->size;) {
        uint32_t eip = guest_at(bt, env, at);
        char text[DISASM_TEXT_MAX];
        unsigned length = show(env, at, text);
        bool is_new = eip >= next && eip < end;

        /* What left no code has no line of its own on the right. */
        while (is_new && next < eip) {
            next = print_guest(env, next);
            fputc('\n', stderr);
        }
        if (is_new)
            next = print_guest(env, next);
        else
            fprintf(stderr, "%*s", GUEST_WIDTH, "");
        fprintf(stderr, "  %08x  %s\n", at, text);
        at += length;
    }
    while (next < end) {
        next = print_guest(env, next);
        fputc('\n', stderr);
    }
}

void
trace_new_units(struct bt *bt, const struct bt_env *env)
{
    static uint32_t shown;
    static uint64_t flushes;
    struct bt_unit_info unit;

    if (shown == 0 || bt_get_stats(bt)->flushes != flushes)
        shown = env->code_at;
    flushes = bt_get_stats(bt)->flushes;
    while (bt_find_unit(bt, shown, &unit)) {
        print_unit(bt, env, &unit);
        shown = unit.at + 1;
    }
}
