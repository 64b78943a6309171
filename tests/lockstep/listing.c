/*
 * listing.c - a failing program made small, and shown.
 */
#include <stdio.h>
#include <string.h>

#include "bt/decode.h"
#include "bt/disasm.h"
#include "lockstep/program.h"

#define NOP     0x90
#define MODE    (DECODE_32 | DECODE_PROTECTED)

static bool
is_dropped(const struct program *p, const struct atom *atom)
{
    for (uint32_t n = 0; n < atom->size; n++)
        if (p->code[atom->at - CODE_AT + n] != NOP)
            return false;
    return true;
}

static void
print_atom(const struct program *p, const struct atom *atom)
{
    uint32_t at = atom->at, end = atom->at + atom->size;

    while (at < end) {
        const uint8_t *bytes = p->code + (at - CODE_AT);
        char text[DISASM_TEXT_MAX] = "undefined";
        struct insn insn;

        if (decode(bytes, end - at, MODE, &insn) == DECODE_OK)
            disasm(&insn, at, text, sizeof(text));
        else
            insn.length = (uint8_t)(end - at);
        printf("  %08x %-44s", at, text);
        for (unsigned n = 0; n < insn.length; n++)
            printf(" %02x", bytes[n]);
        putchar('\n');
        at += insn.length;
    }
}

void
program_print(const struct program *p)
{
    const struct treatment *t = &p->treatment;

    printf("  --config %s --seed %llu%s%s%s%s%s%s%s%s\n", p->config->name,
           (unsigned long long)p->seed, t->is_small_tc ? ", small" : "",
           t->forgets ? ", forgets" : "", t->hides ? ", hides" : "",
           t->stops ? ", stops" : "", t->steps ? ", steps" : "",
           t->single ? ", single" : "", t->interrupts ? ", interrupts" : "",
           t->by_idt ? ", by IDT" : "");
    for (unsigned n = 0; n < GPR_NONE; n++)
        printf("  gpr[%u] %08x%s", n, p->gpr[n], n % 4 == 3 ? "\n" : "");
    for (unsigned n = 0; n < p->count; n++)
        if (!is_dropped(p, &p->atoms[n]))
            print_atom(p, &p->atoms[n]);
}

/* Without atoms FIRST to FIRST + COUNT - 1: does it still fail? */
static bool
try_without(struct program *p, unsigned first, unsigned count,
            bool (*fails)(const struct program *))
{
    static struct program before;
    bool any = false;

    before = *p;
    for (unsigned n = first; n < MIN(first + count, p->count); n++) {
        struct atom *atom = &p->atoms[n];

        if (atom->at == p->end || is_dropped(p, atom))
            continue;
        memset(p->code + (atom->at - CODE_AT), NOP, atom->size);
        any = true;
    }
    if (any && fails(p))
        return true;
    *p = before;
    return false;
}

/* Without one of the treatments. */
static void
simplify(struct program *p, bool *flag, bool (*fails)(const struct program *))
{
    if (!*flag)
        return;
    *flag = false;
    if (!fails(p))
        *flag = true;
}

void
program_shrink(struct program *p, bool (*fails)(const struct program *))
{
    struct treatment *t = &p->treatment;
    bool *flags[] = { &t->is_small_tc, &t->forgets, &t->hides, &t->stops,
                      &t->steps, &t->single, &t->interrupts, &t->by_idt };
    bool again = true;

    for (size_t n = 0; n < ARRAY_LEN(flags); n++)
        simplify(p, flags[n], fails);
    while (again) {
        again = false;
        for (unsigned size = p->count; size > 0; size /= 2)
            for (unsigned n = 0; n < p->count; n += size)
                again |= try_without(p, n, size, fails);
    }
}
