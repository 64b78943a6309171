/*
 * string_ops.c - MOVS, CMPS, STOS, LODS, SCAS, and how REP repeats them.
 *
 * Each iteration is complete in itself: registers are as the CPU leaves them,
 * so a fault or an interrupt between two iterations finds EIP at the
 * instruction and a count that says what is left.  One call does at most
 * BATCH iterations, and looks at v->attention after each; all calls but the
 * last leave EIP where it is.  A fault restores the flags.  Runs of MOVS and
 * STOS that stay in one page and go upwards are done in one piece.
 *
 * Called through the table of operations; no locks.  SDM 2 "REP".
 */
#include "vmm/interp/string_int.h"

#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "vmm/interp/alu_int.h"

#define BATCH   256
#define FILL    256     /* bytes */

static struct place
index_place(const struct interp *i, unsigned gpr)
{
    return (struct place){ PLACE_REG, insn_of(i)->addr_size, (uint8_t)gpr, 0 };
}

struct mem
string_source(const struct interp *i, unsigned size)
{
    return (struct mem){ insn_of(i)->segment,
                         register_read(i, index_place(i, GPR_ESI)), size };
}

struct mem
string_target(const struct interp *i, unsigned size)
{
    return (struct mem){ SEG_ES, register_read(i, index_place(i, GPR_EDI)),
                         size };
}

void
string_advance(struct interp *i, unsigned gpr, uint32_t size)
{
    struct place place = index_place(i, gpr);
    uint32_t value = register_read(i, place);

    register_write(i, place, has_flag(i, EFLAGS_DF) ? value - size
                                                    : value + size);
}

/* Does the repetition end behind this iteration, its count aside? */
static bool
is_last(const struct interp *i)
{
    const struct insn *insn = insn_of(i);

    if ((insn_opcode(insn)->attr & A_REPZ) == 0)
        return false;
    return has_flag(i, EFLAGS_ZF) == ((insn->prefixes & PFX_REPNE) != 0);
}

/*
 * Part of it is done; come back for the rest.  RF: an event in between sees it
 * set, and no breakpoint on the instruction counts again (SDM 3B 17.3.1.1).
 */
static bool
pause_here(struct interp *i)
{
    i->next_eip = cpu_of(i)->eip;
    set_flags(i, EFLAGS_RF, EFLAGS_RF);
    return true;
}

bool
string_repeat(struct interp *i, string_iteration_t *iterate)
{
    struct place counter = index_place(i, GPR_ECX);
    uint32_t flags = cpu_of(i)->eflags;
    uint32_t count;

    if (!insn_repeats(insn_of(i)))
        return iterate(i, 1) != 0;
    for (unsigned n = 0; n < BATCH; n++) {
        uint32_t done;

        count = register_read(i, counter);
        if (count == 0)
            return true;
        done = iterate(i, count);
        if (done == 0) {
            cpu_of(i)->eflags = flags;
            return false;
        }
        register_write(i, counter, count - done);
        if (count == done || is_last(i))
            return true;
        if (atomic_load(&i->vcpu->attention) != 0 || has_flag(i, EFLAGS_TF) ||
            i->hits != 0)
            break;
    }
    return pause_here(i);
}

/* How many elements from AT upwards are in its page, at most COUNT. */
static uint32_t
elements_in_page(gla_t at, uint32_t size, uint32_t count)
{
    return MIN(count, (PAGE_SIZE - (gla_raw(at) & PAGE_MASK)) / size);
}

/*
 * How many of COUNT elements at M can be done at once: more than one only if
 * they go upwards, in one page, and inside the segment and its offsets.
 */
static uint32_t
run_length(struct interp *i, const struct mem *m, uint32_t count)
{
    const struct guest_cpu *cpu = cpu_of(i);
    const struct guest_segment *s = &cpu->segment[m->segment];
    uint32_t top = low_bytes(UINT32_MAX, insn_of(i)->addr_size);

    if ((cpu->eflags & (EFLAGS_DF | EFLAGS_TF)) != 0 || i->is_careful)
        return 1;
    count = elements_in_page(segment_linear(s, m->offset), m->size, count);
    if (count <= 1 || count * m->size - 1 > top - m->offset ||
        !segment_permits(s, m->offset, count * m->size, 0))
        return 1;
    return count;
}

/* Elements one by one in memory: an overlap must repeat what was stored. */
static void
copy_run(uint8_t *to, const uint8_t *from, uint32_t bytes, uint32_t size)
{
    if (to <= from || to >= from + bytes) {
        memmove(to, from, bytes);
        return;
    }
    for (uint32_t at = 0; at < bytes; at += size)
        memmove(to + at, from + at, size);
}

/* COUNT elements at once, if both ends can be reached directly. */
static bool
move_run(struct interp *i, const struct mem *from, const struct mem *to,
         uint32_t count)
{
    uint32_t bytes = count * from->size, generation;
    gla_t source_at, target_at;
    const void *source;
    void *target;

    if (!mem_locate(i, from, GUEST_READ, &source_at) ||
        !mem_locate(i, to, GUEST_WRITE, &target_at))
        return false;
    source = linear_window(i, source_at, GUEST_READ, bytes);
    if (source == NULL)
        return false;
    generation = i->vcpu->memory_generation;
    target = linear_window(i, target_at, GUEST_WRITE, bytes);
    if (target == NULL || generation != i->vcpu->memory_generation)
        return false;
    copy_run(target, source, bytes, from->size);
    return true;
}

static uint32_t
movs(struct interp *i, uint32_t count)
{
    unsigned size = i->now->place[0].size;
    struct mem from = string_source(i, size), to = string_target(i, size);
    uint32_t run = run_length(i, &from, run_length(i, &to, count));
    uint32_t value;

    if (run <= 1 || !move_run(i, &from, &to, run)) {
        run = 1;
        if (!mem_read(i, &from, &value) || !mem_write(i, &to, &value))
            return 0;
    }
    string_advance(i, GPR_ESI, run * size);
    string_advance(i, GPR_EDI, run * size);
    return run;
}

bool
interp_movs(struct interp *i)
{
    return string_repeat(i, movs);
}

static void
fill_run(uint8_t *to, uint32_t value, uint32_t bytes, uint32_t size)
{
    if (size == 1) {
        memset(to, (int)value, bytes);
        return;
    }
    for (uint32_t at = 0; at < bytes; at += size)
        memcpy(to + at, &value, size);
}

/*
 * Where somebody watches who writes, as a kernel's clearing of a page that was
 * a table: as one write of up to FILL bytes.  How many elements; 0 is a fault.
 */
static uint32_t
fill_watched(struct interp *i, gla_t at, uint32_t value, uint32_t run)
{
    unsigned size = i->now->place[0].size;
    uint8_t bytes[FILL];

    run = MIN(run, FILL / size);
    fill_run(bytes, value, run * size, size);
    return linear_write(i, at, bytes, run * size) ? run : 0;
}

static uint32_t
stos(struct interp *i, uint32_t count)
{
    unsigned size = i->now->place[0].size;
    struct mem to = string_target(i, size);
    uint32_t run = run_length(i, &to, count);
    uint32_t value = register_read(i, i->now->place[1]);
    void *target = NULL;
    gla_t at;

    if (!mem_locate(i, &to, GUEST_WRITE, &at))
        return 0;
    if (run > 1)
        target = linear_window(i, at, GUEST_WRITE, run * size);
    if (target != NULL)
        fill_run(target, value, run * size, size);
    else
        run = fill_watched(i, at, value, run);
    string_advance(i, GPR_EDI, run * size);
    return run;
}

bool
interp_stos(struct interp *i)
{
    return string_repeat(i, stos);
}

static uint32_t
lods(struct interp *i, UNUSED uint32_t count)
{
    unsigned size = i->now->place[1].size;
    struct mem from = string_source(i, size);
    uint32_t value = 0;

    if (!mem_read(i, &from, &value))
        return 0;
    register_write(i, i->now->place[0], value);
    string_advance(i, GPR_ESI, size);
    return 1;
}

bool
interp_lods(struct interp *i)
{
    return string_repeat(i, lods);
}

/* A - B: the flags of both comparisons. */
static void
set_compared(struct interp *i, struct sum *s)
{
    s->result = low_bytes(s->a - s->b, s->size);
    set_flags(i, FLAGS_ARITH, flags_sub(s));
}

static uint32_t
cmps(struct interp *i, UNUSED uint32_t count)
{
    unsigned size = i->now->place[0].size;
    struct mem from = string_source(i, size), to = string_target(i, size);
    struct sum s = { .size = size };

    /* Of two operands that fault, CPUs tell the one at ES:eDI. */
    if (!mem_read(i, &to, &s.b) || !mem_read(i, &from, &s.a))
        return 0;
    set_compared(i, &s);
    string_advance(i, GPR_ESI, size);
    string_advance(i, GPR_EDI, size);
    return 1;
}

bool
interp_cmps(struct interp *i)
{
    return string_repeat(i, cmps);
}

static uint32_t
scas(struct interp *i, UNUSED uint32_t count)
{
    unsigned size = i->now->place[0].size;
    struct mem to = string_target(i, size);
    struct sum s = { .a = register_read(i, i->now->place[0]), .size = size };

    if (!mem_read(i, &to, &s.b))
        return 0;
    set_compared(i, &s);
    string_advance(i, GPR_EDI, size);
    return 1;
}

bool
interp_scas(struct interp *i)
{
    return string_repeat(i, scas);
}
