/*
 * decode_operands.c - ModRM, SIB, displacement, immediates, and their rules.
 *
 * What to take is the row's `form`, the sum of what its operand letters need
 * (operands.def).  16- and 32-bit addressing end up in the same fields of
 * struct insn.  When all is taken, the rules that hold for whole classes of
 * encodings are checked: register or memory only, registers that do not exist,
 * mandatory prefixes, LOCK.  Bytes come before rules: an instruction that is
 * incomplete asks for more even if it would turn out to be undefined, as on a
 * CPU a page fault on its later bytes comes first.
 *
 * Pure and re-entrant; no locks.  SDM 2 sections 2.1.3 to 2.1.5, 2.2.1.
 */
#include "bt/decode_int.h"

#define SIB_SCALE       BITS(7, 6)
#define SIB_INDEX       BITS(5, 3)
#define SIB_BASE        BITS(2, 0)

#define CR_EXISTING     (BIT(0) | BIT(2) | BIT(3) | BIT(4))
#define VALID_SEGMENTS  BITS(SEG_GS, SEG_ES)

/* A little-endian number of SIZE (1, 2 or 4) bytes, sign-extended. */
static inline bool
take_number(struct decoder *d, unsigned size, int32_t *number)
{
    const uint8_t *p = d->next;

    if (UNLIKELY((size_t)(d->end - p) < size))
        return false;
    if (size == 1)
        *number = (int8_t)p[0];
    else if (size == 2)
        *number = (int16_t)(p[0] | p[1] << 8);
    else
        *number = (int32_t)(p[0] | p[1] << 8 | p[2] << 16 |
                            (uint32_t)p[3] << 24);
    d->next += size;
    return true;
}

/* Base and index of SDM 2 table 2-1, by ModRM.rm. */
static const uint8_t base_16[] = {
    GPR_EBX, GPR_EBX, GPR_EBP, GPR_EBP, GPR_ESI, GPR_EDI, GPR_EBP, GPR_EBX
};
static const uint8_t index_16[] = {
    GPR_ESI, GPR_EDI, GPR_ESI, GPR_EDI, GPR_NONE, GPR_NONE, GPR_NONE, GPR_NONE
};
/* With mod = 0 this rm is no register but a plain displacement. */
#define RM_DISP16       6
#define RM_DISP32       GPR_EBP
#define RM_SIB          GPR_ESP

/* Registers by SDM 2 table 2-1; returns the size of the displacement. */
static unsigned
address_16(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned mod = modrm_mod(d), rm = insn_rm(insn);

    if (mod == 0 && rm == RM_DISP16)
        return 2;
    insn->base = base_16[rm];
    insn->index = index_16[rm];
    return mod;
}

/*
 * Registers by SDM 2 tables 2-2 and 2-3.  ESP cannot be an index; EBP as base
 * without displacement means a displacement without base, in SIB as well.
 */
static bool
address_32(struct decoder *d, unsigned *disp_size)
{
    struct insn *insn = d->insn;
    unsigned mod = modrm_mod(d), rm = insn_rm(insn);
    uint8_t sib;

    if (rm == RM_SIB) {
        if (!take_byte(d, &sib))
            return false;
        insn->scale = FIELD_GET(sib, SIB_SCALE);
        if (FIELD_GET(sib, SIB_INDEX) != GPR_ESP)
            insn->index = FIELD_GET(sib, SIB_INDEX);
        rm = FIELD_GET(sib, SIB_BASE);
    }
    *disp_size = mod == 2 ? 4 : mod;
    if (mod == 0 && rm == RM_DISP32)
        *disp_size = 4;
    else
        insn->base = (uint8_t)rm;
    return true;
}

static bool
take_disp(struct decoder *d, unsigned size)
{
    struct insn *insn = d->insn;

    insn->disp_offset = offset_here(d);
    insn->disp_size = (uint8_t)size;
    return take_number(d, size, &insn->disp);
}

/* There is a memory operand; SEGMENT is its segment unless overridden. */
static void
set_memory(struct decoder *d, enum segment segment)
{
    struct insn *insn = d->insn;

    insn->segment = d->override != SEG_NONE ? d->override : segment;
    insn->mem_size = operand_bytes[d->row->mem_size][insn->op_size == 4];
}

/* The memory operand that ModRM names: SIB and displacement. */
static bool
take_address(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned disp_size;
    bool by_stack;

    if (insn->addr_size == 2)
        disp_size = address_16(d);
    else if (!address_32(d, &disp_size))
        return false;
    by_stack = insn->base == GPR_EBP || insn->base == GPR_ESP;
    set_memory(d, by_stack ? SEG_SS : SEG_DS);
    return disp_size == 0 || take_disp(d, disp_size);
}

/*
 * Memory operands that need no ModRM.  ES:eDI of the string instructions is
 * not one that an override can move: it has a size, but no segment here.
 */
static bool
take_other_memory(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned form = d->row->form;

    if (form & FORM_MOFFS) {
        set_memory(d, SEG_DS);
        return take_disp(d, insn->addr_size);
    }
    if (form & FORM_IMPLIED) {
        set_memory(d, SEG_DS);
        insn->base = form & FORM_AT_ESI ? GPR_ESI :
                     form & FORM_AT_EDI ? GPR_EDI : GPR_EBX;
    } else {
        insn->mem_size =
            operand_bytes[d->row->mem_size][insn->op_size == 4];
    }
    return true;
}

/* Bytes of the first, or only, immediate. */
static unsigned
immediate_size(const struct decoder *d)
{
    unsigned form = d->row->form;

    if (form & FORM_IMM16)
        return 2;
    if (form & FORM_IMMZ)
        return d->insn->op_size;
    return form & FORM_IMM32 ? 4 : 1;
}

/*
 * The immediate, and what may follow it: the selector of a far pointer, the
 * level of ENTER (a byte behind a word), INSERTQ's second byte.
 */
static bool
take_immediate(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned form = d->row->form;
    unsigned size = immediate_size(d);
    int32_t number;
    uint8_t byte;

    insn->imm_offset = offset_here(d);
    insn->imm_size = (uint8_t)size;
    if (!take_number(d, size, &number))
        return false;
    insn->imm = (uint32_t)number;
    if ((form & FORM_SIGNED) == 0 && size < 4)
        insn->imm &= size == 1 ? UINT8_MAX : UINT16_MAX;
    if (form & FORM_SELECTOR) {
        if (!take_number(d, 2, &number))
            return false;
        insn->imm2 = (uint16_t)number;
    } else if ((form & FORM_IMM8_MORE) || (form & FORM_IMM8 && size == 2)) {
        if (!take_byte(d, &byte))
            return false;
        insn->imm2 = byte;
    }
    return true;
}

/* Does the register that ModRM.reg names exist, and may it be loaded? */
static bool
is_register_legal(const struct decoder *d)
{
    unsigned reg = insn_reg(d->insn);

    if (d->row->form & FORM_CR)
        return (CR_EXISTING & BIT(reg)) != 0;
    if (d->row->form & FORM_SREG)
        return (VALID_SEGMENTS & BIT(reg)) != 0 &&
               !(d->row->class == CLASS_SEG_LOAD && reg == SEG_CS);
    return true;
}

/* Operands that must be memory or must be a register, and which ones. */
static bool
is_modrm_legal(const struct decoder *d, bool is_memory)
{
    unsigned form = d->row->form;

    if (is_memory && (form & FORM_REG_ONLY))
        return false;
    if (!is_memory && (form & FORM_MEM_ONLY))
        return false;
    return (form & (FORM_CR | FORM_SREG)) == 0 || is_register_legal(d);
}

/*
 * Rules that the row's attributes state.  LOCK needs an instruction that may
 * be locked, and a memory operand to lock: everything else is #UD.
 */
static bool
is_allowed(const struct decoder *d, bool is_memory)
{
    unsigned attr = d->row->attr;

    if ((attr & A_NEED) != 0 && (attr & (A_NEED_NP << d->mandatory)) == 0)
        return false;
    if ((attr & A_PROT) != 0 && (d->mode & DECODE_PROTECTED) == 0)
        return false;
    if ((d->insn->prefixes & PFX_LOCK) != 0 &&
        !((attr & A_LOCK) != 0 && is_memory))
        return false;
    if ((attr & A_VEX_L0) != 0 && (d->vex & VEX_L) != 0)
        return false;
    return (attr & A_VEX_V) == 0 || (d->vex & VEX_VVVV) == VEX_VVVV;
}

enum decode_result
decode_operands(struct decoder *d)
{
    struct insn *insn = d->insn;
    unsigned form = d->row->form;
    bool is_memory = false;

    if ((form & FORM_MODRM) && !take_modrm(d))
        return out_of_bytes(d);
    if (insn->modrm_offset != 0 && (d->row->attr & A_NOMOD) == 0)
        is_memory = modrm_mod(d) != MODRM_MOD_REGISTER;
    if (!(is_memory ? take_address(d) : take_other_memory(d)))
        return out_of_bytes(d);
    if ((form & FORM_IMMEDIATE) && !take_immediate(d))
        return out_of_bytes(d);
    return is_modrm_legal(d, is_memory) && is_allowed(d, is_memory)
           ? DECODE_OK : DECODE_UNDEFINED;
}
