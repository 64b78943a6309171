/*
 * port_io.c - IN, OUT, INS, OUTS, and who may.
 *
 * With CPL above IOPL, and always in virtual-8086 mode, the bitmap of the TSS
 * decides; a bitmap that ends early forbids.
 *
 * Called through the table of operations; no locks.  SDM 1 chapter 19.
 */
#include "kernel/x86/descriptor.h"
#include "vmm/guest_port.h"
#include "vmm/interp/breakpoint_int.h"
#include "vmm/interp/string_int.h"

#define BITS_PER_BYTE   8
#define BITMAP_BYTES    2       /* read together, for ports in two bytes */

static bool
read_tss_word(struct interp *i, uint32_t offset, uint32_t *word)
{
    const struct guest_segment *tr = &cpu_of(i)->tr;

    *word = 0;
    if (offset + BITMAP_BYTES - 1 > tr->limit)
        return raise_error(i, VEC_GP, 0);
    return guest_read(i->vcpu, make_gla(tr->base + offset), word, BITMAP_BYTES,
                      GUEST_READ | GUEST_SYSTEM);
}

static bool
check_bitmap(struct interp *i, uint32_t port, unsigned size)
{
    unsigned type = FIELD_GET(cpu_of(i)->tr.rights, RIGHTS_TYPE);
    uint32_t base, bits;

    if (type != SYS_TSS32_BUSY && type != SYS_TSS32_AVAIL)
        return raise_error(i, VEC_GP, 0);
    if (!read_tss_word(i, offsetof(struct tss, iomap), &base) ||
        !read_tss_word(i, base + port / BITS_PER_BYTE, &bits))
        return false;
    bits >>= port % BITS_PER_BYTE;
    return (bits & (BIT(size) - 1)) == 0 || raise_error(i, VEC_GP, 0);
}

static bool
check_port(struct interp *i, uint32_t port, unsigned size)
{
    bool is_free = (cpu_of(i)->cr0 & CR0_PE) == 0 ||
                   (has_io_privilege(i) && !has_flag(i, EFLAGS_VM));

    if (!is_free && !check_bitmap(i, port, size))
        return false;
    if (UNLIKELY(i->is_careful))
        breakpoint_at_port(i, port, size);
    return true;
}

bool
interp_in(struct interp *i)
{
    unsigned size = i->now->place[0].size;
    uint32_t port;

    if (!operand_read(i, 1, &port) || !check_port(i, port, size))
        return false;
    register_write(i, i->now->place[0],
                   guest_port_in(i->vcpu, (uint16_t)port, size));
    return true;
}

bool
interp_out(struct interp *i)
{
    unsigned size = i->now->place[1].size;
    uint32_t port, value;

    if (!operand_read(i, 0, &port) || !operand_read(i, 1, &value) ||
        !check_port(i, port, size))
        return false;
    guest_port_out(i->vcpu, (uint16_t)port, size, value);
    return true;
}

/* Memory is checked before the port is read: that cannot be undone. */
static uint32_t
ins(struct interp *i, UNUSED uint32_t count)
{
    unsigned size = i->now->place[0].size;
    struct mem to = string_target(i, size);
    uint32_t port = register_read(i, i->now->place[1]), value;

    if (!check_port(i, port, size) || !mem_probe(i, &to))
        return 0;
    value = guest_port_in(i->vcpu, (uint16_t)port, size);
    if (!mem_write(i, &to, &value))
        return 0;
    string_advance(i, GPR_EDI, size);
    return 1;
}

bool
interp_ins(struct interp *i)
{
    return string_repeat(i, ins);
}

static uint32_t
outs(struct interp *i, UNUSED uint32_t count)
{
    unsigned size = i->now->place[1].size;
    struct mem from = string_source(i, size);
    uint32_t port = register_read(i, i->now->place[0]), value = 0;

    if (!check_port(i, port, size) || !mem_read(i, &from, &value))
        return 0;
    guest_port_out(i->vcpu, (uint16_t)port, size, value);
    string_advance(i, GPR_ESI, size);
    return 1;
}

bool
interp_outs(struct interp *i)
{
    return string_repeat(i, outs);
}
