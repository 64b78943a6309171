/*
 * interp.c - fetch, decode, dispatch.
 *
 * A decoded instruction is kept with the bytes it was decoded from.  Each time
 * it comes up, the bytes are compared with memory: code that the guest, a
 * device or another processor changed is seen at once, and nothing ever has to
 * be invalidated.  The comparison reads 16 bytes through a window onto the
 * page; near the end of a page or of the code segment, and without a window,
 * the bytes are fetched one page after the other, as a CPU does: a fault on
 * the second page comes only if the instruction reaches it.
 *
 * Called by the vcpu's thread between two guest instructions; no locks.
 * SDM 3A 6.9 (priorities), 6.8 (shadows), 17.2 (single step).
 */
#include "vmm/interp/interp.h"

#include "bt/decode.h"
#include "kernel/base/string.h"
#include "kernel/x86/atomic.h"
#include "vmm/interp/breakpoint_int.h"
#include "vmm/interp/features_int.h"
#include "vmm/interp/operand_int.h"

#define MODE_VALID      BIT(31)
#define FETCH_SIZE      16              /* of interp_insn.bytes */
#define BLOCK_SHADOW    (BLOCK_STI | BLOCK_MOV_SS)

static interp_operation_t *const operations[OPERATION_COUNT] = {
#define OPERATION(name) [OPERATION_##name] = interp_##name,
#include "bt/operations.def"
#undef OPERATION
};

void
interp_init(struct interp *i, struct vcpu *v)
{
    memset(i, 0, sizeof(*i));
    i->vcpu = v;
    v->interp = i;
}

bool
interp_undefined(struct interp *i)
{
    return raise(i, VEC_UD);
}

void
set_cpl(struct interp *i, unsigned cpl)
{
    cpu_of(i)->cpl = cpl;
}

static unsigned
decode_mode(const struct vcpu *v)
{
    unsigned mode = v->cpu.segment[SEG_CS].rights & RIGHTS_DB ? DECODE_32
                                                              : DECODE_16;

    return vcpu_is_protected(v) ? mode | DECODE_PROTECTED : mode;
}

/* The place of an operand in a register. */
static struct place
register_place(unsigned number, unsigned size)
{
    if (size == 1 && number >= GPR_ESP)
        return (struct place){ PLACE_REG, 1, (uint8_t)(number - GPR_ESP), 8 };
    return (struct place){ PLACE_REG, (uint8_t)size, (uint8_t)number, 0 };
}

static struct place
find_place(const struct insn *insn, const struct operand_info *info)
{
    bool is_32 = insn->op_size == 4;
    uint8_t size = (uint8_t)operand_bytes[info->reg_size][is_32];
    uint8_t mem_size = (uint8_t)operand_bytes[info->mem_size][is_32];

    switch (info->kind) {
    case KIND_NONE:
        return (struct place){ .kind = PLACE_NONE };
    case KIND_GPR_RM:
        if (insn_rm_is_memory(insn))
            return (struct place){ .kind = PLACE_MEM, .size = mem_size };
        return register_place(insn_rm(insn), size);
    case KIND_GPR_REG:
        return register_place(insn_reg(insn), size);
    case KIND_GPR_OPCODE:
        return register_place(FIELD_GET(insn->opcode, OPCODE_REG), size);
    case KIND_GPR_VVVV:
        return register_place(insn->vvvv, size);
    case KIND_EAX:
        return register_place(GPR_EAX, size);
    case KIND_ECX:
        return register_place(GPR_ECX, size);
    case KIND_EDX:
        return register_place(GPR_EDX, size);
    case KIND_SEG_REG:
        return (struct place){ PLACE_SEG, 2, (uint8_t)insn_reg(insn), 0 };
    case KIND_ES ... KIND_GS:
        return (struct place){ PLACE_SEG, 2, info->kind - KIND_ES, 0 };
    case KIND_ONE:
        return (struct place){ .kind = PLACE_ONE, .size = 1 };
    case KIND_IMM ... KIND_FAR:
        return (struct place){ .kind = PLACE_IMM, .size = size };
    case KIND_STRING_DST:
        return (struct place){ .kind = PLACE_DST, .size = mem_size };
    case KIND_MOFFS:
    case KIND_STRING_SRC:
    case KIND_IMPLIED:
        return (struct place){ .kind = PLACE_MEM, .size = mem_size };
    default:
        return (struct place){ PLACE_OTHER, size, (uint8_t)insn_reg(insn), 0 };
    }
}

/*
 * What executes INSN in this virtual machine.  Without their features, TZCNT
 * and LZCNT are BSF and BSR with a prefix that says nothing.
 */
static interp_operation_t *
find_operation(struct vcpu *v, const struct insn *insn)
{
    const struct opcode *op = insn_opcode(insn);

    if (op->class == CLASS_HIDDEN)
        return interp_undefined;
    if (LIKELY(feature_allows_row(v, insn->row)))
        return operations[op->operation];
    switch (op->operation) {
    case OPERATION_tzcnt:
        return interp_bsf;
    case OPERATION_lzcnt:
        return interp_bsr;
    default:
        return interp_undefined;
    }
}

/* What can be known of ENTRY from its insn alone. */
static void
prepare(struct interp *i, struct interp_insn *entry)
{
    struct insn *insn = &entry->insn;
    const struct opcode *op = insn_opcode(insn);

    entry->operation = find_operation(i->vcpu, insn);
    for (unsigned n = 0; n < PLACE_COUNT; n++)
        entry->place[n] = find_place(insn, &operand_infos[op->operands[n]]);
    /* XCHG with memory is LOCKed without saying so. */
    if (op->operation == OPERATION_xchg && insn_rm_is_memory(insn))
        insn->prefixes |= PFX_LOCK;
    memset(entry->mask, 0, sizeof(entry->mask));
    memset(entry->mask, UINT8_MAX, insn->length);
    entry->bytes[0] &= entry->mask[0];
    entry->bytes[1] &= entry->mask[1];
}

/* Decode what is in entry->bytes; AVAILABLE of them are there. */
static enum decode_result
decode_entry(struct interp *i, struct interp_insn *entry, unsigned available,
             unsigned mode)
{
    enum decode_result result =
        decode((const uint8_t *)entry->bytes, available, mode, &entry->insn);

    entry->mode = 0;
    if (result == DECODE_OK) {
        prepare(i, entry);
        entry->mode = mode | MODE_VALID;
    }
    return result;
}

/*
 * Fetch byte by byte what the limit allows, one page after the other.  There
 * are no more than INSN_LENGTH_MAX bytes, so this ends.
 */
static const struct interp_insn *
fetch_slowly(struct interp *i, unsigned mode)
{
    struct vcpu *v = i->vcpu;
    struct guest_segment *cs = &v->cpu.segment[SEG_CS];
    struct interp_insn *entry = &i->uncached;
    uint8_t *bytes = (uint8_t *)entry->bytes;
    enum decode_result result = DECODE_NEED_MORE;
    unsigned available = 0;

    memset(entry->bytes, 0, sizeof(entry->bytes));
    while (result == DECODE_NEED_MORE) {
        uint32_t eip = v->cpu.eip + available;

        if (eip < v->cpu.eip ||
            !segment_permits(cs, eip, 1, ALLOW_EXECUTE)) {
            raise_error(i, VEC_GP, 0);
            return NULL;
        }
        if (!guest_read(v, segment_linear(cs, eip), &bytes[available], 1,
                        GUEST_FETCH))
            return NULL;
        available++;
        result = decode_entry(i, entry, available, mode);
    }
    if (result == DECODE_OK)
        return entry;
    if (result == DECODE_TOO_LONG)
        raise_error(i, VEC_GP, 0);
    else
        raise(i, VEC_UD);
    return NULL;
}

/* The FETCH_SIZE bytes at AT in the page that is fetched from, or NULL. */
static inline const uint8_t *
fetch_window(struct interp *i, gla_t at)
{
    unsigned n = gla_raw(at) / PAGE_SIZE % INTERP_FETCH_WINDOWS;

    return window_find(i, &i->fetch[n], at, GUEST_FETCH, FETCH_SIZE);
}

/* The next instruction, decoded; or NULL and a fault. */
static inline const struct interp_insn *
fetch(struct interp *i)
{
    const struct guest_cpu *cpu = cpu_of(i);
    const struct guest_segment *cs = &cpu->segment[SEG_CS];
    gla_t at = segment_linear(cs, cpu->eip);
    unsigned mode = decode_mode(i->vcpu);
    const uint8_t *memory = fetch_window(i, at);
    struct interp_insn *entry =
        &i->cache[(gla_raw(at) ^ gla_raw(at) >> PAGE_SHIFT) %
                  INTERP_INSNS];
    uint64_t bytes[2];

    if (UNLIKELY(memory == NULL ||
                 !segment_permits(cs, cpu->eip, FETCH_SIZE, ALLOW_EXECUTE)))
        return fetch_slowly(i, mode);
    memcpy(bytes, memory, sizeof(bytes));
    if (LIKELY(entry->mode == (mode | MODE_VALID) &&
               (bytes[0] & entry->mask[0]) == entry->bytes[0] &&
               (bytes[1] & entry->mask[1]) == entry->bytes[1]))
        return entry;
    memcpy(entry->bytes, bytes, sizeof(bytes));
    if (decode_entry(i, entry, FETCH_SIZE, mode) == DECODE_OK)
        return entry;
    return fetch_slowly(i, mode);
}

/* The operation did not complete: its shadows and RF stay.  And why? */
static enum interp_result
give_up(struct interp *i, uint32_t block, uint32_t rf)
{
    cpu_of(i)->block |= block;
    cpu_of(i)->eflags |= rf;
    if (i->refusal != NULL)
        return INTERP_REFUSED;
    if (!i->again)
        return INTERP_FAULT;
    i->again = false;
    return INTERP_OK;
}

/*
 * Traps behind an instruction: breakpoints on data; and single step, if TF was
 * set before it, save behind MOV SS, and INT n, whose delivery cleared TF.
 */
static void
note_traps(struct interp *i, uint32_t tf)
{
    struct guest_cpu *cpu = cpu_of(i);

    cpu->pending_debug |= i->hits;
    if (tf != 0 && !i->no_step && (cpu->block & BLOCK_MOV_SS) == 0)
        cpu->pending_debug |= DR6_BS;
}

void
interp_begin(struct interp *i)
{
    const struct guest_cpu *cpu = cpu_of(i);

    i->refusal = NULL;
    i->external = 0;
    i->no_step = false;
    i->hits = 0;
    i->is_careful = ((cpu->eflags & EFLAGS_AC) |
                     (cpu->dr[DR7] & DR7_ENABLED)) != 0;
}

/* RF is for one instruction, and those that set it do so later than here. */
static inline enum interp_result
step(struct interp *i)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t block = cpu->block & BLOCK_SHADOW;
    uint32_t before = cpu->eflags;

    if (UNLIKELY(i->is_careful) && !breakpoint_at_fetch(i))
        return INTERP_FAULT;
    i->now = fetch(i);
    if (i->now == NULL)
        return INTERP_FAULT;
    cpu->block &= ~block;
    cpu->eflags = before & ~(uint32_t)EFLAGS_RF;
    i->next_eip = cpu->eip + i->now->insn.length;
    if (UNLIKELY(!i->now->operation(i)))
        return give_up(i, block, before & EFLAGS_RF);
    i->vcpu->instructions++;
    cpu->eip = i->next_eip;
    if (UNLIKELY(((before & EFLAGS_TF) | i->hits) != 0))
        note_traps(i, before & EFLAGS_TF);
    if (UNLIKELY(cpu->activity != ACTIVITY_RUNNING))
        return INTERP_HALTED;
    return INTERP_OK;
}

enum interp_result
interp_step(struct vcpu *v)
{
    interp_begin(v->interp);
    v->interp->is_alone = true;
    return step(v->interp);
}

enum interp_result
interp_run(struct vcpu *v, uint64_t limit)
{
    enum interp_result result = INTERP_OK;

    for (uint64_t n = 0; n < limit && result == INTERP_OK; n++) {
        if (UNLIKELY(atomic_load(&v->attention) != 0 ||
                     (v->cpu.pending_debug != 0 &&
                      (v->cpu.block & BLOCK_MOV_SS) == 0)))
            break;
        interp_begin(v->interp);
        v->interp->is_alone = false;
        result = step(v->interp);
    }
    return result;
}
