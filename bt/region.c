/*
 * region.c - a look ahead: where do the branches of this stretch of code go?
 *
 * Compilers lay code out well: loops contiguous, what is likely in line.  The
 * translator keeps their layout if it knows, before it translates, where units
 * will begin.  So a batch starts with a quick pass over the instructions that
 * follow its entry, which notes the targets of direct jumps among them; units
 * end there.  Without it, a loop would be found by its backward jump, in the
 * middle of a unit, and be translated twice and in two pieces.
 *
 * Nothing depends on what is found but speed: bytes may be data, targets may
 * lie within instructions.  One page only.
 */
#include "bt/xlate_int.h"

/* The number of EIP, or the next free one. */
static unsigned
find(const struct region *r, uint32_t eip)
{
    unsigned i = 0;

    while (i < r->count && r->targets[i] != eip)
        i++;
    return i;
}

static void
add_target(struct region *r, uint32_t eip, uint32_t from)
{
    unsigned i = find(r, eip);

    if (i == REGION_TARGET_MAX)
        return;
    r->targets[i] = eip;
    r->is_loop[i] |= eip <= from;
    if (i == r->count)
        r->count++;
}

bool
region_is_target(const struct region *r, uint32_t eip)
{
    return find(r, eip) < r->count;
}

bool
region_is_loop(const struct region *r, uint32_t eip)
{
    unsigned i = find(r, eip);

    return i < r->count && r->is_loop[i];
}

/* The first target at or behind EIP; 0 if there is none. */
static uint32_t
next_target(const struct region *r, uint32_t eip)
{
    uint32_t best = 0;

    for (unsigned i = 0; i < r->count; i++)
        if (r->targets[i] >= eip && (best == 0 || r->targets[i] < best))
            best = r->targets[i];
    return best;
}

/* Does nothing come after an instruction of this class? */
static bool
is_barrier(enum opcode_class class)
{
    return class == CLASS_JMP || class == CLASS_JMP_IND ||
           class == CLASS_RET || class == CLASS_JMP_FAR ||
           class == CLASS_RET_FAR || class == CLASS_IRET ||
           class == CLASS_UNDEFINED;
}

static bool
is_jump(enum opcode_class class)
{
    return class == CLASS_JCC || class == CLASS_LOOP || class == CLASS_JMP;
}

void
region_scan(struct region *r, struct bt *bt, uint32_t eip)
{
    uint32_t last = eip | PAGE_MASK;
    struct source source;

    *r = (struct region){ .start = eip, .end = eip };
    if (!smc_fetch(bt, eip, BT_FETCH_GUESS, &source))
        return;
    for (unsigned i = 0; i < REGION_INSN_MAX; i++) {
        struct insn insn;
        uint32_t target;

        if (decode(source.page + (eip & PAGE_MASK),
                   MIN(last - eip + 1, INSN_LENGTH_MAX), bt->code.mode,
                   &insn) != DECODE_OK)
            break;
        target = insn_target(&insn, eip);
        if (is_jump(insn_opcode(&insn)->class) && target >= r->start &&
            target <= last)
            add_target(r, target, eip);
        eip += insn.length;
        if (is_barrier(insn_opcode(&insn)->class))
            eip = next_target(r, eip);
        if (eip == 0 || eip > last)
            break;
        r->end = eip;
    }
}
