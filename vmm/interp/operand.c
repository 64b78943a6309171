/*
 * operand.c - operands of instructions: registers, immediates, memory.
 *
 * Register parts are named by the decoder's places; memory goes through
 * segmentation here and through paging behind guest_mem.h.  Accesses inside one
 * page use windows, pointers that guest_mem.h gave out for a page and one kind
 * of access; whatever does not fit takes the functions that know all cases.
 *
 * Called by operations, in the vcpu's thread; no locks.  SDM 2 2.1.5 for
 * addresses, SDM 3A 5.3 to 5.5 for the checks, 6.15 for #AC.
 */
#include "vmm/interp/operand_int.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "vmm/interp/breakpoint_int.h"

uint32_t
effective_address(const struct interp *i)
{
    const struct insn *insn = insn_of(i);
    const uint32_t *gpr = i->vcpu->cpu.gpr;
    uint32_t offset = gpr[insn->base] + (gpr[insn->index] << insn->scale) +
                      (uint32_t)insn->disp;

    return insn->addr_size == 2 ? (uint16_t)offset : offset;
}

/* XLAT alone adds to what the decoder knows; it has its own address. */
struct mem
operand_mem(const struct interp *i, unsigned n)
{
    return (struct mem){ insn_of(i)->segment, effective_address(i),
                         i->now->place[n].size };
}

uint32_t
register_read(const struct interp *i, struct place place)
{
    return low_bytes(i->vcpu->cpu.gpr[place.number] >> place.shift, place.size);
}

void
register_write(struct interp *i, struct place place, uint32_t value)
{
    uint32_t *gpr = &cpu_of(i)->gpr[place.number];
    uint32_t mask = low_bytes(UINT32_MAX, place.size) << place.shift;

    *gpr = (*gpr & ~mask) | (value << place.shift & mask);
}

/* --- Linear memory ---------------------------------------------------------*/

bool
window_open(struct interp *i, struct interp_window *w, uint32_t key,
            unsigned access)
{
    size_t good;

    w->memory = guest_window(i->vcpu, make_gla(key & ~PAGE_MASK), access,
                             &good);
    w->key = key;
    w->generation = i->vcpu->memory_generation;
    return w->memory != NULL;
}

void *
linear_window(struct interp *i, gla_t at, unsigned access, uint32_t size)
{
    struct interp_window *w = access == GUEST_WRITE ? i->write : i->read;

    return window_find(i, &w[gla_raw(at) / PAGE_SIZE % INTERP_WINDOWS], at,
                       access, size);
}

/* Copies whose size the compiler knows are single moves. */
static inline void
copy(void *to, const void *from, uint32_t size)
{
    switch (size) {
    case 1:
        memcpy(to, from, 1);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    default:
        memcpy(to, from, size);
    }
}

/* To open a window costs more than one access, and leads nowhere if traced. */
static inline void *
window_for_one(struct interp *i, gla_t at, unsigned access, uint32_t size)
{
    return i->is_alone ? NULL : linear_window(i, at, access, size);
}

bool
linear_read(struct interp *i, gla_t at, void *to, uint32_t size)
{
    const void *window = window_for_one(i, at, GUEST_READ, size);

    if (UNLIKELY(window == NULL))
        return guest_read(i->vcpu, at, to, size, GUEST_READ);
    copy(to, window, size);
    return true;
}

bool
linear_write(struct interp *i, gla_t at, const void *from, uint32_t size)
{
    void *window = window_for_one(i, at, GUEST_WRITE, size);

    if (UNLIKELY(window == NULL))
        return guest_write(i->vcpu, at, from, size, GUEST_WRITE);
    copy(window, from, size);
    return true;
}

/* --- Memory through a segment ----------------------------------------------*/

/*
 * Breakpoints; and #AC: at CPL 3, if EFLAGS.AC and CR0.AM say so, and behind a
 * page fault.
 */
static bool
look_closer(struct interp *i, const struct mem *m, unsigned access, gla_t at)
{
    if (breakpoints_in_force(cpu_of(i)))
        breakpoint_at_data(i, at, m->size, access);
    if (!has_flag(i, EFLAGS_AC) || (cpu_of(i)->cr0 & CR0_AM) == 0 ||
        cpu_of(i)->cpl != 3 || !IS_POWER_OF_2(m->size) ||
        m->size > sizeof(uint64_t) || (gla_raw(at) & (m->size - 1)) == 0)
        return true;
    return guest_probe(i->vcpu, at, m->size, access) &&
           raise_error(i, VEC_AC, 0);
}

bool
mem_locate(struct interp *i, const struct mem *m, unsigned access, gla_t *at)
{
    const struct guest_segment *s = &cpu_of(i)->segment[m->segment];
    unsigned allow = access == GUEST_WRITE ? ALLOW_WRITE : ALLOW_READ;

    if (UNLIKELY(!segment_permits(s, m->offset, m->size, allow)))
        return raise_error(i, m->segment == SEG_SS ? VEC_SS : VEC_GP, 0);
    *at = segment_linear(s, m->offset);
    return LIKELY(!i->is_careful) || look_closer(i, m, access, *at);
}

bool
mem_read(struct interp *i, const struct mem *m, void *to)
{
    gla_t at;

    return mem_locate(i, m, GUEST_READ, &at) &&
           linear_read(i, at, to, m->size);
}

bool
mem_write(struct interp *i, const struct mem *m, const void *from)
{
    gla_t at;

    return mem_locate(i, m, GUEST_WRITE, &at) &&
           linear_write(i, at, from, m->size);
}

bool
mem_probe(struct interp *i, const struct mem *m)
{
    gla_t at;

    return mem_locate(i, m, GUEST_WRITE, &at) &&
           (linear_window(i, at, GUEST_WRITE, m->size) != NULL ||
            guest_probe(i->vcpu, at, m->size, GUEST_WRITE));
}

/* --- Operands --------------------------------------------------------------*/

bool
operand_read(struct interp *i, unsigned n, uint32_t *value)
{
    struct place place = i->now->place[n];
    struct mem m;

    *value = 0;
    switch (place.kind) {
    case PLACE_REG:
        *value = register_read(i, place);
        return true;
    case PLACE_MEM:
        m = operand_mem(i, n);
        return mem_read(i, &m, value);
    case PLACE_IMM:
        *value = low_bytes(insn_of(i)->imm, place.size);
        return true;
    case PLACE_ONE:
        *value = 1;
        return true;
    case PLACE_SEG:
        *value = cpu_of(i)->segment[place.number].selector;
        return true;
    default:
        NOT_REACHED();
    }
}

bool
operand_read_rw(struct interp *i, unsigned n, uint32_t *value)
{
    struct mem m;
    gla_t at;

    if (i->now->place[n].kind != PLACE_MEM)
        return operand_read(i, n, value);
    m = operand_mem(i, n);
    *value = 0;
    if (!mem_probe(i, &m) || !mem_locate(i, &m, GUEST_WRITE, &at) ||
        !linear_read(i, at, value, m.size))
        return false;
    i->seen = *value;
    return true;
}

bool
mem_replace(struct interp *i, const struct mem *m, uint32_t old,
            uint32_t value)
{
    uint64_t found = old;
    gla_t at;

    if (LIKELY((insn_of(i)->prefixes & PFX_LOCK) == 0))
        return mem_write(i, m, &value);
    if (!mem_locate(i, m, GUEST_WRITE, &at) ||
        !guest_compare_exchange(i->vcpu, at, m->size, &found, value))
        return false;
    i->again = found != old;
    return !i->again;
}

bool
operand_write(struct interp *i, unsigned n, uint32_t value)
{
    struct place place = i->now->place[n];
    struct mem m;

    if (place.kind == PLACE_REG) {
        register_write(i, place, value);
        return true;
    }
    ASSERT_HOT(place.kind == PLACE_MEM);
    m = operand_mem(i, n);
    return mem_replace(i, &m, i->seen, value);
}
