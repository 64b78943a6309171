/*
 * atoms_flow.c - atoms that go somewhere: jumps, loops, calls, returns; and
 * those that change code.
 */
#include "lockstep/generate.h"

#define MODRM_DISP32    0x05            /* rm with mod = 0 */
#define LOOP_MAX        4u
#define JCC_SHORT       0x70
#define JCC_NEAR        0x80
#define CONDITIONS      16u
#define COUNTERS        64u

/* A register that is not ESP. */
static enum gpr
any_register(struct generator *g)
{
    static const uint8_t registers[] = {
        GPR_EAX, GPR_ECX, GPR_EDX, GPR_EBX, GPR_EBP, GPR_ESI, GPR_EDI,
    };

    return registers[gen_below(g, ARRAY_LEN(registers))];
}

static void
compare(struct generator *g)
{
    gen_byte(g, 0x81);                          /* cmp reg, imm32 */
    gen_byte(g, 0xf8 + any_register(g));
    gen_word(g, gen_value(g));
}

static void
jcc_near(struct generator *g)
{
    if (gen_below(g, 2))
        compare(g);
    gen_byte(g, 0x0f);
    gen_byte(g, JCC_NEAR + gen_below(g, CONDITIONS));
    gen_fixup(g, FIXUP_REL32, gen_later(g));
}

static void
jcc_short(struct generator *g)
{
    gen_byte(g, JCC_SHORT + gen_below(g, CONDITIONS));
    gen_fixup(g, FIXUP_REL8, gen_later(g));
}

static void
jmp_direct(struct generator *g)
{
    gen_byte(g, 0xe9);
    gen_fixup(g, FIXUP_REL32, gen_later(g));
}

/* loop, loope, loopne, jcxz */
static void
loop_forward(struct generator *g)
{
    if (gen_below(g, 2))
        gen_mov(g, GPR_ECX, gen_below(g, 3));
    gen_byte(g, 0xe0 + gen_below(g, 4));
    gen_fixup(g, FIXUP_REL8, gen_later(g));
}

/* mov ecx, n; 1: inc reg; loop 1b */
static void
loop_inside(struct generator *g)
{
    gen_mov(g, GPR_ECX, 1 + gen_below(g, 5));
    gen_byte(g, gen_below(g, 2) ? 0x40 : 0x46);
    GEN(g, "\xe2\xfd");
}

/* dec [counter]; jns to an earlier atom */
static void
loop_back(struct generator *g)
{
    unsigned back = 1 + gen_below(g, LOOP_MAX);

    if (g->in_function || back > gen_here(g))
        return;
    GEN(g, "\xff\x0d");
    gen_word(g, COUNTERS_AT + 4 * gen_below(g, COUNTERS));
    GEN(g, "\x0f\x89");
    gen_fixup(g, FIXUP_REL32, gen_here(g) - back);
}

static void
jmp_table(struct generator *g)
{
    enum gpr reg = any_register(g);

    if (g->jump_count == JUMPS)
        return;
    g->jumps[g->jump_count] = gen_later(g);
    gen_mov(g, reg, g->jump_count++);
    if (gen_below(g, 8) == 0)
        gen_byte(g, 0x36);                      /* ss: */
    gen_byte(g, 0xff);                          /* jmp [table + reg * 4] */
    gen_byte(g, 0x24);
    gen_byte(g, (unsigned)(0x85 + 8 * reg));
    gen_word(g, JUMPS_AT);
}

/* One of four, by what is left of some loop. */
static void
jmp_varied(struct generator *g)
{
    enum { WAYS = 4 };
    enum gpr reg = any_register(g);
    unsigned first = g->jump_count;

    if (first + WAYS > JUMPS)
        return;
    for (unsigned n = 0; n < WAYS; n++)
        g->jumps[g->jump_count++] = gen_later(g);
    gen_byte(g, 0x8b);                          /* mov reg, [counter] */
    gen_byte(g, MODRM_DISP32 | reg << 3);
    gen_word(g, COUNTERS_AT + 4 * gen_below(g, COUNTERS));
    gen_byte(g, 0x83);                          /* and reg, 3 */
    gen_byte(g, 0xe0 + reg);
    gen_byte(g, WAYS - 1);
    GEN(g, "\x3c\x01\xff\x24");                 /* cmp al, 1; jmp [...] */
    gen_byte(g, (unsigned)(0x85 + 8 * reg));
    gen_word(g, JUMPS_AT + 4 * first);
}

static void
jmp_register(struct generator *g)
{
    enum gpr reg = any_register(g);

    gen_byte(g, 0xb8 + reg);
    gen_fixup(g, FIXUP_ABS32, gen_later(g));
    gen_byte(g, 0xff);
    gen_byte(g, 0xe0 + reg);
}

/* push address; ret: nobody called */
static void
ret_unbalanced(struct generator *g)
{
    gen_byte(g, 0x68);
    gen_fixup(g, FIXUP_ABS32, gen_later(g));
    if (gen_below(g, 2))
        GEN(g, "\xc2\x00\x00");
    else
        gen_byte(g, 0xc3);
}

/* jmp [esp-..]: the operand's base is the stack pointer */
static void
jmp_stack(struct generator *g)
{
    gen_byte(g, 0x68);
    gen_fixup(g, FIXUP_ABS32, gen_later(g));
    GEN(g, "\x8d\x64\x24\x04\xff\x64\x24\xfc");
}

/* Functions are not made yet: somewhere behind the end of the main program. */
static unsigned
some_function(struct generator *g)
{
    if (g->in_function)
        return g->last;
    return g->main_count + 2 + gen_below(g, 12);
}

static void
call_direct(struct generator *g)
{
    if (gen_below(g, 4) == 0)
        gen_byte(g, 0x50);                      /* for ret 4 */
    gen_byte(g, 0xe8);
    gen_fixup(g, FIXUP_REL32, some_function(g));
}

static void
call_register(struct generator *g)
{
    enum gpr reg = any_register(g);

    gen_byte(g, 0xb8 + reg);
    gen_fixup(g, FIXUP_ABS32, some_function(g));
    gen_byte(g, 0xff);
    gen_byte(g, 0xd0 + reg);
}

/* push address; call [esp] */
static void
call_stack(struct generator *g)
{
    gen_byte(g, 0x68);
    gen_fixup(g, FIXUP_ABS32, some_function(g));
    GEN(g, "\xff\x14\x24");
}

/* call the next instruction; pop reg */
static void
call_next(struct generator *g)
{
    GEN(g, "\xe8\x00\x00\x00\x00");
    gen_byte(g, 0x58 + any_register(g));
}

static void
reset_stack(struct generator *g)
{
    gen_reset_stack(g);
}

/* --- Faults of control -----------------------------------------------------*/

static void
jmp_nowhere(struct generator *g)
{
    enum gpr reg = any_register(g);

    gen_mov(g, reg, gen_below(g, 2) ? gen_address(g, 4) : gen_value(g));
    gen_byte(g, 0xff);
    gen_byte(g, (gen_below(g, 2) ? 0xe0 : 0xd0) + reg);
}

/* jmp with an operand of 16 bits */
static void
jmp_16(struct generator *g)
{
    GEN(g, "\x66\xe9\x10\x00");
}

/* An indirect jump whose operand cannot be read. */
static void
jmp_unreadable(struct generator *g)
{
    gen_byte(g, 0xff);
    gen_byte(g, gen_below(g, 2) ? 0x25 : 0x15);
    gen_word(g, gen_below(g, ARENA));
}

/* A return whose stack cannot be read. */
static void
ret_unreadable(struct generator *g)
{
    gen_mov(g, GPR_ESP, STACK_TOP - gen_below(g, 4));
    gen_byte(g, 0xc3);
    gen_reset_stack(g);
}

/* --- Code that changes -----------------------------------------------------*/

static void
add_site(struct generator *g, unsigned which)
{
    if (g->site_count[which] < SITES_MAX)
        g->sites[which][g->site_count[which]++] = g->cursor;
}

/* mov reg, imm; inc or dec reg: both to be patched */
static void
patch_site(struct generator *g)
{
    gen_byte(g, 0xb8 + any_register(g));
    add_site(g, 0);
    gen_word(g, gen_value(g));
    add_site(g, 1);
    gen_byte(g, 0x40 + any_register(g));
}

static void
patch_immediate(struct generator *g)
{
    GEN(g, "\xc7\x05");                         /* mov [site], imm32 */
    gen_fixup(g, FIXUP_SITE32, 0);
    gen_word(g, gen_value(g));
}

static void
patch_opcode(struct generator *g)
{
    GEN(g, "\xc6\x05");                         /* mov byte [site], inc/dec */
    gen_fixup(g, FIXUP_SITE8, 0);
    gen_byte(g, (gen_below(g, 2) ? 0x40 : 0x48) + any_register(g));
}

/* The very next instruction: mov byte [its immediate], imm8 */
static void
patch_next(struct generator *g)
{
    GEN(g, "\xc6\x05");
    gen_word(g, CODE_AT + g->cursor + 6 + gen_below(g, 4));
    gen_byte(g, gen_value(g));
    gen_byte(g, 0xb8 + any_register(g));
    gen_word(g, gen_value(g));
}

/* mov ecx, 3; 1: add edx, imm; inc byte [imm]; loop 1b */
static void
patch_loop(struct generator *g)
{
    gen_mov(g, GPR_ECX, 3);
    GEN(g, "\x81\xc2");
    gen_word(g, gen_value(g));
    GEN(g, "\xfe\x05");
    gen_word(g, CODE_AT + g->cursor - 6);
    GEN(g, "\xe2\xf2");
}

/* mov esi, code; mov edi, code; mov ecx, n; rep movsb: onto itself */
static void
patch_by_string(struct generator *g)
{
    uint32_t at = CODE_AT + gen_below(g, CODE_SIZE - 64);

    gen_mov(g, GPR_ESI, at);
    gen_mov(g, GPR_EDI, at);
    gen_mov(g, GPR_ECX, gen_below(g, 40));
    GEN(g, "\xfc\xf3\xa4");
}

const struct atom_choice atoms_flow[] = {
    { jcc_near, 8, WHOSE_ALL, false },
    { jcc_short, 8, WHOSE_ALL, false },
    { jmp_direct, 3, WHOSE_ALL, false },
    { loop_forward, 4, WHOSE_ALL, false },
    { loop_inside, 3, WHOSE_ALL, false },
    { loop_back, 8, WHOSE_ALL, true },
    { jmp_table, 4, WHOSE_ALL, true },
    { jmp_varied, 3, WHOSE_ALL, false },
    { jmp_register, 4, WHOSE_ALL, false },
    { ret_unbalanced, 4, WHOSE_ALL, false },
    { jmp_stack, 2, WHOSE_ALL, false },
    { call_direct, 10, WHOSE_ALL, true },
    { call_register, 5, WHOSE_ALL, true },
    { call_stack, 3, WHOSE_ALL, true },
    { call_next, 2, WHOSE_ALL, false },
    { reset_stack, 6, WHOSE_ALL, true },
    { jmp_nowhere, 1, WHOSE_ALL, true },
    { jmp_16, 1, WHOSE_ALL, false },
    { jmp_unreadable, 1, WHOSE_ALL, false },
    { ret_unreadable, 1, WHOSE_ALL, true },
    { patch_site, 6, WHOSE_ALL, false },
    { patch_immediate, 4, WHOSE_ALL, false },
    { patch_opcode, 4, WHOSE_ALL, false },
    { patch_next, 3, WHOSE_ALL, false },
    { patch_loop, 2, WHOSE_ALL, false },
    { patch_by_string, 2, WHOSE_ALL, false },
};
const unsigned atoms_flow_count = ARRAY_LEN(atoms_flow);
