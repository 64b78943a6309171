/*
 * fpu_bounce.c - x87, MMX, SSE and a few others, on the CPU below.
 *
 * The instruction is copied without the prefixes that say where memory is; its
 * memory operand becomes an absolute address, that of a buffer of ours, which
 * is filled from guest memory before and copied back behind.  The CPU executes
 * that copy on the guest's registers (native_exec.h).  What the x87 notes about
 * its last instruction is corrected to the guest's addresses.
 *
 * Called through the table of operations; no locks.  SDM 3A 2.5 and table 11-1
 * for #NM and #UD; SDM 1 8.1.8, 10.5.1 (FXSAVE's image).
 */
#include "kernel/base/string.h"
#include "vmm/guest_port.h"
#include "vmm/interp/operand_int.h"
#include "vmm/native_exec.h"

#define OPSIZE_BYTE     0x66
#define MODRM_ABSOLUTE  5               /* rm, with mod = 0: a 32-bit address */

/* The x87's status: an error waits to be reported. */
#define FXSAVE_FSW      2
#define FSW_ES          BIT(7)

/* FXSAVE's image: where the last instruction and its operand were. */
#define FXSAVE_FIP      8
#define FXSAVE_FCS      12
#define FXSAVE_FDP      16
#define FXSAVE_FDS      20

/* Most SSE operands of 16 bytes lie at multiples of it. */
#define SSE_ALIGN       16

/* --- May it run? -----------------------------------------------------------*/

static bool
check_available(struct interp *i)
{
    const struct guest_cpu *cpu = cpu_of(i);
    unsigned class = insn_opcode(insn_of(i))->class;

    if (class == CLASS_X87)
        return (cpu->cr0 & (CR0_EM | CR0_TS)) == 0 || raise(i, VEC_NM);
    if (cpu->cr0 & CR0_EM)
        return raise(i, VEC_UD);
    if (class == CLASS_SSE && (cpu->cr4 & CR4_OSFXSR) == 0 &&
        insn_opcode(insn_of(i))->mem_size != SIZE_FX)
        return raise(i, VEC_UD);
    return (cpu->cr0 & CR0_TS) == 0 || raise(i, VEC_NM);
}

/* --- The copy --------------------------------------------------------------*/

static void
put_byte(struct native_code *code, uint8_t byte)
{
    code->bytes[code->size++] = byte;
}

/* Is 66 an operand size here, rather than a part of the opcode? */
static bool
follows_op_size(const struct opcode *op)
{
    if (op->class == CLASS_X87)
        return true;
    for (size_t n = 0; n < ARRAY_LEN(op->operands); n++)
        if (operand_infos[op->operands[n]].reg_size == SIZE_V)
            return true;
    return false;
}

/* Prefixes that mean something without a memory operand. */
static void
put_prefixes(const struct interp *i, struct native_code *code)
{
    const uint8_t *bytes = (const uint8_t *)i->now->bytes;
    const struct insn *insn = insn_of(i);
    /* The host runs 32-bit code: 66 is needed for what 16-bit code means. */
    bool is_16 = insn->op_size == 2;
    bool has_66 = false;

    for (unsigned n = 0; n < insn->opcode_offset; n++) {
        const struct opcode *row = &opcode_rows[MAP_ONE + bytes[n]];

        if (row->prefix & (PFX_REP | PFX_REPNE))
            put_byte(code, bytes[n]);
        has_66 |= (row->prefix & PFX_OPSIZE) != 0;
    }
    if (follows_op_size(insn_opcode(insn)) ? is_16 : has_66)
        put_byte(code, OPSIZE_BYTE);
}

/* The instruction with its memory operand at ADDRESS. */
static void
make_copy(const struct interp *i, uint32_t address, struct native_code *code)
{
    const uint8_t *bytes = (const uint8_t *)i->now->bytes;
    const struct insn *insn = insn_of(i);
    unsigned rest = insn->opcode_offset, end = insn->length;

    code->size = 0;
    put_prefixes(i, code);
    if (insn_rm_is_memory(insn) && insn->modrm_offset != 0) {
        while (rest < insn->modrm_offset)
            put_byte(code, bytes[rest++]);
        put_byte(code, (uint8_t)(FIELD_SET(insn->modrm & ~MODRM_MOD, MODRM_RM,
                                           MODRM_ABSOLUTE)));
        memcpy(&code->bytes[code->size], &address, sizeof(address));
        code->size += sizeof(address);
        rest = insn->imm_offset != 0 ? insn->imm_offset : end;
    }
    while (rest < end)
        put_byte(code, bytes[rest++]);
}

/* --- Around the instruction ------------------------------------------------*/

/*
 * The x87 remembers where it last was: not in our buffers.  Only an
 * instruction that just ran there can have left ADDRESS.
 */
static void
correct_pointers(struct interp *i, uint32_t address)
{
    struct guest_cpu *cpu = cpu_of(i);
    uint32_t fip, offset = effective_address(i);
    uint16_t ds;

    memcpy(&fip, &cpu->fpu[FXSAVE_FIP], sizeof(fip));
    if (fip != address)
        return;
    memcpy(&cpu->fpu[FXSAVE_FIP], &cpu->eip, sizeof(cpu->eip));
    memcpy(&cpu->fpu[FXSAVE_FCS], &cpu->segment[SEG_CS].selector,
           sizeof(uint16_t));
    if (!insn_has_memory(insn_of(i)))
        return;
    ds = cpu->segment[insn_of(i)->segment].selector;
    memcpy(&cpu->fpu[FXSAVE_FDP], &offset, sizeof(offset));
    memcpy(&cpu->fpu[FXSAVE_FDS], &ds, sizeof(ds));
}

/*
 * The CPU below has CR0.NE and CR4.OSXMMEXCPT set.  Without NE, an error of
 * the x87 goes out of the processor, which waits for the interrupt before it
 * executes the next x87 instruction (SDM 1 8.7.2).  Always false.
 */
static bool
translate_fault(struct interp *i)
{
    unsigned vector = i->vcpu->fault.vector;

    if (vector == VEC_XM && (cpu_of(i)->cr4 & CR4_OSXMMEXCPT) == 0)
        return raise(i, VEC_UD);
    if (vector == VEC_MF && (cpu_of(i)->cr0 & CR0_NE) == 0) {
        guest_fpu_error(i->vcpu);
        i->again = true;
    }
    return false;
}

/* Execute; eDI is lent to MASKMOV, whose address is there. */
static bool
execute(struct interp *i, const uint8_t *slot)
{
    struct guest_cpu *cpu = cpu_of(i);
    bool is_at_edi = (insn_opcode(insn_of(i))->form & FORM_AT_EDI) != 0;
    uint32_t bounce = (uint32_t)(uintptr_t)slot;
    uint32_t edi = cpu->gpr[GPR_EDI], address;
    struct native_code code;
    bool is_done;

    make_copy(i, bounce, &code);
    if (is_at_edi)
        cpu->gpr[GPR_EDI] = bounce;
    is_done = native_exec(i->vcpu, &code, &address);
    if (is_at_edi)
        cpu->gpr[GPR_EDI] = edi;
    if (is_done)
        correct_pointers(i, address);
    return is_done || translate_fault(i);
}

/* What an instruction may meet before it looks at its memory; 0: nothing. */
static unsigned
earlier_fault(const struct interp *i, const uint8_t *slot)
{
    unsigned class = insn_opcode(insn_of(i))->class;
    uint16_t status;

    memcpy(&status, &cpu_of(i)->fpu[FXSAVE_FSW], sizeof(status));
    if (class == CLASS_X87 || class == CLASS_MMX)
        return status & FSW_ES ? VEC_MF : 0;
    if (i->vcpu->fault.vector == VEC_PF && (uintptr_t)slot % SSE_ALIGN != 0 &&
        insn_of(i)->mem_size >= SSE_ALIGN)
        return VEC_GP;
    return 0;
}

/*
 * A fault on the memory operand.  An error that the x87 has noted before, and
 * #GP where the instruction wants alignment, come first: the CPU knows, and
 * what it does to the FPU otherwise is undone.  Always false.
 */
static bool
fault_on_memory(struct interp *i, const uint8_t *slot)
{
    struct guest_cpu *cpu = cpu_of(i), before;
    struct guest_fault fault = i->vcpu->fault;
    unsigned earlier;

    native_sync(i->vcpu);
    earlier = earlier_fault(i, slot);
    if (earlier == 0)
        return false;
    before = *cpu;
    if (execute(i, slot) || i->vcpu->fault.vector != earlier)
        i->vcpu->fault = fault;
    *cpu = before;
    return false;
}

static bool
run_on_cpu(struct interp *i)
{
    const struct opcode *op = insn_opcode(insn_of(i));
    struct mem m = { insn_of(i)->segment, 0, insn_of(i)->mem_size };
    uint8_t *slot = i->bounce;
    gla_t at;

    if (!insn_has_memory(insn_of(i)) || m.size == 0)
        return execute(i, slot);
    m.offset = effective_address(i);
    at = segment_linear(&cpu_of(i)->segment[m.segment], m.offset);
    /* The CPU checks the alignment of the buffer: give it the guest's. */
    slot = &i->bounce[gla_raw(at) % BOUNCE_ALIGN];
    if ((op->mem_access & ACCESS_W) && !mem_probe(i, &m))
        return fault_on_memory(i, slot);
    memset(slot, 0, m.size);
    /* MASKMOV and FXSAVE leave some bytes as they are, an x87 error all. */
    if (((op->mem_access & ACCESS_R) || (op->form & FORM_AT_EDI) ||
         op->mem_size == SIZE_FX || op->class == CLASS_X87) &&
        (!mem_locate(i, &m, GUEST_READ, &at) ||
         !linear_read(i, at, slot, m.size)))
        return fault_on_memory(i, slot);
    if (!execute(i, slot))
        return false;
    return (op->mem_access & ACCESS_W) == 0 || mem_write(i, &m, slot);
}

bool
interp_fpu(struct interp *i)
{
    return check_available(i) && run_on_cpu(i);
}

/* On general registers only. */
bool
interp_native(struct interp *i)
{
    return run_on_cpu(i);
}

bool
interp_fwait(struct interp *i)
{
    uint32_t both = CR0_MP | CR0_TS;

    if ((cpu_of(i)->cr0 & both) == both)
        return raise(i, VEC_NM);
    return execute(i, i->bounce);
}
