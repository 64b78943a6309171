/*
 * stack.c - PUSH, POP, PUSHA, POPA, ENTER, LEAVE, and stacks in general.
 *
 * Pushes of several words are checked before the first is written.  A word
 * must not wrap at the top of the stack segment, but the stack pointer may
 * between two words, as in real mode.
 *
 * Called through the table of operations, and by gates and far transfers; no
 * locks.  SDM 1 chapter 6.
 */
#include "vmm/interp/stack_int.h"

#include "vmm/interp/operand_int.h"

/* ENTER's level is taken mod 32. */
#define ENTER_LEVEL     BITS(4, 0)

uint32_t
stack_mask(const struct guest_segment *ss)
{
    return ss->rights & RIGHTS_DB ? UINT32_MAX : UINT16_MAX;
}

uint32_t
stack_merged(const struct interp *i, uint32_t value)
{
    const struct guest_cpu *cpu = &i->vcpu->cpu;
    uint32_t mask = stack_mask(&cpu->segment[SEG_SS]);

    return (cpu->gpr[GPR_ESP] & ~mask) | (value & mask);
}

uint32_t
stack_moved(const struct interp *i, uint32_t bytes)
{
    return stack_merged(i, i->vcpu->cpu.gpr[GPR_ESP] + bytes);
}

static struct mem
stack_mem(const struct interp *i, uint32_t bytes, unsigned size)
{
    const struct guest_cpu *cpu = &i->vcpu->cpu;

    return (struct mem){ SEG_SS, (cpu->gpr[GPR_ESP] + bytes) &
                         stack_mask(&cpu->segment[SEG_SS]), size };
}

bool
stack_probe(struct interp *i, uint32_t size, uint32_t count)
{
    for (uint32_t n = 1; n <= count; n++) {
        struct mem m = stack_mem(i, 0 - size * n, size);

        if (!mem_probe(i, &m))
            return false;
    }
    return true;
}

bool
stack_push_words(struct interp *i, const struct stack_words *words)
{
    uint32_t size = words->size;

    if (!stack_probe(i, size, words->count))
        return false;
    for (uint32_t n = 0; n < words->count; n++) {
        struct mem m = stack_mem(i, 0 - size * (n + 1), size);

        if (!mem_write(i, &m, &words->word[n]))
            return false;
    }
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, 0 - size * words->count);
    return true;
}

bool
stack_push(struct interp *i, uint32_t value)
{
    unsigned size = insn_of(i)->op_size;
    struct mem m = stack_mem(i, 0 - size, size);

    if (!mem_write(i, &m, &value))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, 0 - size);
    return true;
}

bool
stack_peek(struct interp *i, uint32_t bytes, unsigned size, uint32_t *value)
{
    struct mem m = stack_mem(i, bytes, size);

    *value = 0;
    return mem_read(i, &m, value);
}

/* Immediates are as wide as the operand, whatever their encoding. */
bool
interp_push(struct interp *i)
{
    uint32_t value;

    return operand_read(i, 0, &value) && stack_push(i, value);
}

/*
 * POP to memory computes its address after eSP has moved, and moves eSP only
 * if the write succeeds.
 */
bool
interp_pop(struct interp *i)
{
    uint32_t *esp = &cpu_of(i)->gpr[GPR_ESP], old = *esp;
    unsigned size = i->now->place[0].size;
    uint32_t value;

    if (!stack_peek(i, 0, size, &value))
        return false;
    *esp = stack_moved(i, size);
    if (operand_write(i, 0, value))
        return true;
    *esp = old;
    return false;
}

/* A segment register: a word is written even where eSP moves by four. */
bool
interp_push_seg(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    struct mem m = stack_mem(i, 0 - size, sizeof(uint16_t));
    uint32_t selector;

    if (!operand_read(i, 0, &selector) || !mem_write(i, &m, &selector))
        return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, 0 - size);
    return true;
}

bool
interp_pusha(struct interp *i)
{
    struct stack_words words = { .size = insn_of(i)->op_size };

    for (unsigned n = GPR_EAX; n <= GPR_EDI; n++)
        stack_add(&words, cpu_of(i)->gpr[n]);
    return stack_push_words(i, &words);
}

/* The image of eSP is skipped. */
bool
interp_popa(struct interp *i)
{
    unsigned size = insn_of(i)->op_size;
    uint32_t values[GPR_NONE];

    for (unsigned n = 0; n < GPR_NONE; n++)
        if (!stack_peek(i, size * n, size, &values[GPR_EDI - n]))
            return false;
    cpu_of(i)->gpr[GPR_ESP] = stack_moved(i, size * GPR_NONE);
    for (uint8_t n = 0; n < GPR_NONE; n++)
        if (n != GPR_ESP)
            register_write(i, (struct place){ PLACE_REG, (uint8_t)size, n, 0 },
                           values[n]);
    return true;
}

/* Write word number N below the top; eSP stays. */
static bool
poke_push(struct interp *i, unsigned n, uint32_t value)
{
    unsigned size = insn_of(i)->op_size;
    struct mem m = stack_mem(i, 0 - size * (n + 1), size);

    return mem_write(i, &m, &value);
}

/*
 * The frame pointers of the enclosing procedures.  Each is pushed before the
 * next is read: the two may overlap.
 */
static bool
copy_display(struct interp *i, unsigned level)
{
    const struct guest_cpu *cpu = cpu_of(i);
    uint32_t mask = stack_mask(&cpu->segment[SEG_SS]);
    unsigned size = insn_of(i)->op_size;

    for (unsigned n = 1; n < level; n++) {
        struct mem m = { SEG_SS, (cpu->gpr[GPR_EBP] - n * size) & mask, size };
        uint32_t pointer = 0;

        if (!mem_read(i, &m, &pointer) || !poke_push(i, n, pointer))
            return false;
    }
    return true;
}

/*
 * ENTER checks that the new top of the stack could be written, without doing
 * so.  A fault leaves eSP and eBP, though words below eSP may have changed.
 */
bool
interp_enter(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    unsigned size = insn_of(i)->op_size;
    unsigned level = FIELD_GET(insn_of(i)->imm2, ENTER_LEVEL);
    uint32_t bytes = (level + 1) * size + insn_of(i)->imm;
    uint32_t frame = stack_moved(i, 0 - size);
    struct mem top = stack_mem(i, 0 - bytes, size);

    if (!poke_push(i, 0, cpu->gpr[GPR_EBP]) || !copy_display(i, level) ||
        (level > 0 && !poke_push(i, level, frame)) || !mem_probe(i, &top))
        return false;
    cpu->gpr[GPR_ESP] = stack_moved(i, 0 - bytes);
    register_write(i, (struct place){ PLACE_REG, (uint8_t)size, GPR_EBP, 0 },
                   frame);
    return true;
}

bool
interp_leave(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t old = cpu->gpr[GPR_ESP], value;
    unsigned size = insn_of(i)->op_size;

    cpu->gpr[GPR_ESP] = stack_merged(i, cpu->gpr[GPR_EBP]);
    if (!stack_peek(i, 0, size, &value)) {
        cpu->gpr[GPR_ESP] = old;
        return false;
    }
    cpu->gpr[GPR_ESP] = stack_moved(i, size);
    register_write(i, (struct place){ PLACE_REG, (uint8_t)size, GPR_EBP, 0 },
                   value);
    return true;
}
