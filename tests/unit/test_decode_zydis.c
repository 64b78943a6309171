/*
 * test_decode_zydis.c - decoder, table and disassembler against Zydis.
 *
 * Zydis is an independent decoder (Debian's libzydis-dev).  The same bytes go
 * to both: every opcode of every map with every ModRM and many prefixes, every
 * SIB, and random bytes, in 32-bit, 16-bit protected and real mode.  Compared
 * are validity, length, memory operand, branch targets, immediates, and what
 * the table says of each row: name, flags, access, privilege, LOCK, REP; and
 * the disassembly as text.  Where the two disagree the manual decided, and
 * tests/oracle/decode_deviations.def says so.
 *
 * DECODE_RANDOM=n in the environment sets the number of random strings.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "bt/disasm.h"
#include "oracle/zydis.h"

#define BYTES           32          /* more than either decoder looks at */
#define RANDOM_DEFAULT  1000000
#define REPORTS_MAX     20
#define TEXT_EVERY      3           /* formatting is slow */
#define EIP             0x1000

/* What may differ. */
enum aspect {
    VALIDITY = 1, NAME = 2, SEGMENT = 4, SIZE = 8, ACCESS = 16, FLAGS = 32,
    PRIVILEGE = 64, TEXT = 128, CLASS = 256,
};

static const struct deviation {
    const char *name;
    unsigned aspects;
    const char *reason;
} deviations[] = {
#define DEVIATION(name, aspects, reason) { name, aspects, reason },
#include "oracle/decode_deviations.def"
#undef DEVIATION
};

struct comparison {
    const uint8_t *bytes;
    unsigned mode;
    struct insn insn;
    enum decode_result result;
    ZydisDecodedInstruction zydis;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZyanStatus status;
};

static struct test_random rnd = { 88172645463325252ull };
static unsigned long compared, reports;
static unsigned needed[ARRAY_LEN(deviations)];

/* `*` ends the pattern, `?` is any character. */
static bool
matches(const char *pattern, const char *name)
{
    for (; *pattern != '\0' && *pattern != '*'; pattern++, name++)
        if (*name == '\0' || (*pattern != '?' && *pattern != *name))
            return false;
    return *pattern == '*' || *name == '\0';
}

/* Called only where there is a difference: remembers who was needed. */
static bool
is_deviation(const char *name, enum aspect aspect)
{
    for (size_t i = 0; i < ARRAY_LEN(deviations); i++) {
        if ((deviations[i].aspects & aspect) != 0 &&
            matches(deviations[i].name, name)) {
            needed[i] |= aspect;
            return true;
        }
    }
    return false;
}

static void
differ(const struct comparison *c, enum aspect aspect, const char *what,
       long ours, long theirs)
{
    const char *name = opcode_name(c->insn.row);

    if (is_deviation(name, aspect))
        return;
    if (++reports > REPORTS_MAX)
        fail_msg("too many differences");
    print_error("%s %s: ours %lx, Zydis %lx; mode %u, bytes", name, what,
                ours, theirs, c->mode);
    for (unsigned i = 0; i < INSN_LENGTH_MAX; i++)
        print_error(" %02x", c->bytes[i]);
    print_error("\n");
}

static void
expect(const struct comparison *c, enum aspect aspect, const char *what,
       long ours, long theirs)
{
    if (ours != theirs)
        differ(c, aspect, what, ours, theirs);
}

static bool
is_hidden(const struct comparison *c)
{
    return insn_opcode(&c->insn)->class == CLASS_HIDDEN;
}

static unsigned
register_number(ZydisRegister reg)
{
    return reg == ZYDIS_REGISTER_NONE ? GPR_NONE
                                      : (unsigned)ZydisRegisterGetId(reg);
}

static unsigned
access_of(const ZydisDecodedOperand *operand)
{
    return (operand->actions & ZYDIS_OPERAND_ACTION_MASK_READ ? ACCESS_R : 0) |
           (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE ? ACCESS_W : 0);
}

/*
 * The memory operand that we speak of: named by ModRM or an address, or the
 * string source; not the stack, and not ES:eDI.
 */
static const ZydisDecodedOperand *
memory_operand(const struct comparison *c)
{
    for (unsigned i = 0; i < c->zydis.operand_count; i++) {
        const ZydisDecodedOperand *o = &c->operands[i];
        bool is_implied = o->encoding == ZYDIS_OPERAND_ENCODING_NONE;
        unsigned base = register_number(o->mem.base);

        if (o->type != ZYDIS_OPERAND_TYPE_MEMORY)
            continue;
        if (is_implied && (base == GPR_ESP || base == GPR_EBP))
            continue;
        if (is_implied && base == GPR_EDI &&
            o->mem.segment == ZYDIS_REGISTER_ES &&
            (insn_opcode(&c->insn)->attr & (A_REP | A_REPZ)) != 0)
            continue;
        return o;
    }
    return NULL;
}

static void
compare_address(const struct comparison *c, const ZydisDecodedOperand *o)
{
    const struct insn *insn = &c->insn;
    uint32_t mask = insn->addr_size == 2 ? UINT16_MAX : UINT32_MAX;

    expect(c, SEGMENT, "segment", insn->segment,
           ZydisRegisterGetId(o->mem.segment));
    expect(c, VALIDITY, "base", insn->base, register_number(o->mem.base));
    if (insn_opcode(insn)->form & FORM_AT_EBX)
        return;
    expect(c, VALIDITY, "index", insn->index, register_number(o->mem.index));
    if (insn->index != GPR_NONE)
        expect(c, VALIDITY, "scale", 1 << insn->scale, o->mem.scale);
    /* EVEX scales its disp8 by the size of what it accesses. */
    if (c->zydis.encoding != ZYDIS_INSTRUCTION_ENCODING_EVEX)
        expect(c, VALIDITY, "disp", (uint32_t)insn->disp & mask,
               (uint32_t)o->mem.disp.value & mask);
}

static void
compare_memory(const struct comparison *c)
{
    const ZydisDecodedOperand *o = memory_operand(c);
    const struct opcode *op = insn_opcode(&c->insn);

    if (is_hidden(c) && c->zydis.raw.modrm.offset == 0)
        return;
    if (o == NULL || !insn_has_memory(&c->insn)) {
        if ((op->class != CLASS_HIDDEN || o == NULL) &&
            insn_has_memory(&c->insn) != (o != NULL))
            differ(c, VALIDITY, "memory", o == NULL, o != NULL);
        return;
    }
    compare_address(c, o);
    if (is_hidden(c))
        return;
    expect(c, SIZE, "memory bits", c->insn.mem_size * 8, o->size);
    expect(c, ACCESS, "memory access", op->mem_access, access_of(o));
}

static void
compare_numbers(const struct comparison *c)
{
    const struct insn *insn = &c->insn;
    uint64_t target;

    for (unsigned i = 0; i < c->zydis.operand_count_visible; i++) {
        const ZydisDecodedOperand *o = &c->operands[i];

        if (o->type == ZYDIS_OPERAND_TYPE_POINTER) {
            expect(c, VALIDITY, "far offset", insn->imm, o->ptr.offset);
            expect(c, VALIDITY, "selector", insn->imm2, o->ptr.segment);
        }
        if (o->type != ZYDIS_OPERAND_TYPE_IMMEDIATE || is_hidden(c))
            continue;
        if (o->imm.is_relative) {
            ZydisCalcAbsoluteAddress(&c->zydis, o, EIP, &target);
            expect(c, VALIDITY, "target", insn_target(insn, EIP),
                   (uint32_t)target);
        }
    }
}

static void
compare_flags(const struct comparison *c)
{
    const struct opcode *op = insn_opcode(&c->insn);
    const ZydisAccessedFlags *z = c->zydis.cpu_flags;
    /* IOPL is looked at as a privilege, and is not a flag to preserve. */
    unsigned all = FL_ALL & ~FL_IOPL;
    unsigned undefined = z->undefined & all;
    unsigned written =
        (z->modified | z->set_0 | z->set_1) & all & ~undefined;
    unsigned read = z->tested & all;

    /* What a count of 0 lets show through counts as read: opcodes.def. */
    if (insn_repeats(&c->insn))
        read |= written;
    expect(c, FLAGS, "flags read", insn_flags_read(&c->insn) & all, read);
    expect(c, FLAGS, "flags written", op->flags_written & all, written);
    expect(c, FLAGS, "flags undefined", op->flags_undefined, undefined);
}

/*
 * What runs as it is must not leave the straight line, nor touch segments,
 * control registers or the system.
 */
static void
compare_class(const struct comparison *c)
{
    unsigned class = insn_opcode(&c->insn)->class;

    if (class != CLASS_IDENT && class != CLASS_STRING && class != CLASS_X87 &&
        class != CLASS_MMX && class != CLASS_SSE)
        return;
    switch (c->zydis.meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_SEGOP:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_UNCOND_BR:
        differ(c, CLASS, "class", class, c->zydis.meta.category);
        break;
    default:
        break;
    }
    for (unsigned i = 0; i < c->zydis.operand_count; i++) {
        const ZydisDecodedOperand *o = &c->operands[i];
        ZydisRegisterClass bank = ZydisRegisterGetClass(o->reg.value);

        if (o->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            (bank == ZYDIS_REGCLASS_SEGMENT || bank == ZYDIS_REGCLASS_CONTROL
             || bank == ZYDIS_REGCLASS_DEBUG || bank == ZYDIS_REGCLASS_TABLE))
            differ(c, CLASS, "system register", class, bank);
    }
}

/* What the row says, apart from operands. */
static void
compare_row(const struct comparison *c)
{
    const struct opcode *op = insn_opcode(&c->insn);
    uint64_t attr = c->zydis.attributes;
    const char *name = opcode_name(c->insn.row);
    const ZydisDecodedOperand *o = &c->operands[0];

    if (strcasecmp(name, ZydisMnemonicGetString(c->zydis.mnemonic)) != 0)
        differ(c, NAME, ZydisMnemonicGetString(c->zydis.mnemonic), 0, 0);
    compare_flags(c);
    compare_class(c);
    expect(c, PRIVILEGE, "privileged", op->class == CLASS_PRIV,
           (attr & ZYDIS_ATTRIB_IS_PRIVILEGED) != 0);
    expect(c, VALIDITY, "LOCK",
           (op->attr & A_LOCK) != 0 && insn_has_memory(&c->insn),
           (attr & ZYDIS_ATTRIB_ACCEPTS_LOCK) != 0);
    expect(c, VALIDITY, "REP", (op->attr & A_REP) != 0,
           (attr & ZYDIS_ATTRIB_ACCEPTS_REP) != 0);
    expect(c, VALIDITY, "REPZ", (op->attr & A_REPZ) != 0,
           (attr & ZYDIS_ATTRIB_ACCEPTS_REPE) != 0);
    if (c->zydis.operand_count_visible > 0 &&
        o->type == ZYDIS_OPERAND_TYPE_REGISTER)
        expect(c, ACCESS, "operand 1", op->access & ACCESS_RW, access_of(o));
}

static void
compare_text(const struct comparison *c)
{
    char ours[DISASM_TEXT_MAX], theirs[2 * DISASM_TEXT_MAX];
    const struct opcode *op = insn_opcode(&c->insn);

    if ((op->form & FORM_IMPLIED) != 0 && (c->insn.prefixes & PFX_SEG) != 0)
        return;
    disasm(&c->insn, EIP, ours, sizeof(ours));
    ZydisFormatterFormatInstruction(
        &zydis_formatter, &c->zydis, c->operands,
        c->zydis.operand_count_visible, theirs, sizeof(theirs), EIP, NULL);
    zydis_simplify(theirs);
    if (strcmp(ours, theirs) != 0 &&
        !is_deviation(opcode_name(c->insn.row), TEXT)) {
        differ(c, TEXT, ours, 0, 0);
        print_error("    Zydis \"%s\"\n", theirs);
    }
}

static void
compare(const uint8_t *bytes, unsigned mode, bool with_text)
{
    struct comparison c = { .bytes = bytes, .mode = mode };

    compared++;
    c.result = decode(bytes, BYTES, zydis_modes[mode].ours, &c.insn);
    c.status = ZydisDecoderDecodeFull(&zydis_decoders[mode], bytes, BYTES,
                                      &c.zydis, c.operands);
    if (!ZYAN_SUCCESS(c.status)) {
        /* Not offered or not existing: both are #UD. */
        if (c.result == DECODE_NEED_MORE ||
            (c.result == DECODE_OK && !is_hidden(&c)))
            differ(&c, VALIDITY, "validity", 1, 0);
        /* What is too long may be undefined too; then either fault will do. */
        if (c.status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG &&
            c.result == DECODE_OK)
            differ(&c, VALIDITY, "too long", 0, 1);
        return;
    }
    if (c.result != DECODE_OK || c.insn.length != c.zydis.length) {
        differ(&c, VALIDITY, "length", c.result == DECODE_OK ? c.insn.length
                                                             : 0,
               c.zydis.length);
        return;
    }
    compare_memory(&c);
    compare_numbers(&c);
    if (is_hidden(&c))
        return;
    compare_row(&c);
    if (with_text)
        compare_text(&c);
}

static void
fill_random(uint8_t *bytes)
{
    for (unsigned i = 0; i < BYTES; i += sizeof(uint32_t)) {
        uint32_t r = test_random_next(&rnd);

        memcpy(bytes + i, &r, sizeof(r));
    }
}

static unsigned
append(uint8_t *bytes, unsigned n, const char *more)
{
    while (*more != '\0')
        bytes[n++] = (uint8_t)*more++;
    return n;
}

static const char *const prefix_sets[] = {
    "", "\x66", "\xf3", "\xf2", "\x67", "\xf0", "\x66\xf3", "\xf2\x66",
    "\xf2\xf3", "\xf3\xf2", "\x64", "\x26\x3e", "\x66\x67", "\xf0\xf3",
};

static void
compare_map(const char *prefixes, const char *escape, unsigned mode)
{
    uint8_t bytes[BYTES];
    unsigned n;

    fill_random(bytes);
    n = append(bytes, 0, prefixes);
    n = append(bytes, n, escape);
    for (unsigned i = 0; i < 0x10000; i++) {
        bytes[n] = (uint8_t)(i >> 8);
        bytes[n + 1] = (uint8_t)i;
        bytes[n + 2] = (uint8_t)test_random_next(&rnd);
        compare(bytes, mode, i % TEXT_EVERY == 0);
    }
}

static void
every_opcode(void **state)
{
    static const char *const escapes[] = { "", "\x0f", "\x0f\x38",
                                           "\x0f\x3a" };

    (void)state;
    for (unsigned mode = 0; mode < ARRAY_LEN(zydis_modes); mode++)
        for (size_t p = 0; p < ARRAY_LEN(prefix_sets); p++)
            for (size_t e = 0; e < ARRAY_LEN(escapes); e++)
                compare_map(prefix_sets[p], escapes[e], mode);
    assert_int_equal(reports, 0);
}

/* Each ModRM that has a SIB, each SIB: ADD, and LDS that moves segments. */
static void
every_sib(void **state)
{
    static const char *const opcodes[] = { "\x03", "\xc5", "\x0f\x10" };
    uint8_t bytes[BYTES];

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(prefix_sets); p++) {
        for (size_t o = 0; o < ARRAY_LEN(opcodes); o++) {
            for (unsigned i = 0; i < 0x10000; i++) {
                unsigned n;

                fill_random(bytes);
                n = append(bytes, 0, prefix_sets[p]);
                n = append(bytes, n, opcodes[o]);
                bytes[n] = (uint8_t)(i >> 8);
                bytes[n + 1] = (uint8_t)i;
                compare(bytes, 0, i % TEXT_EVERY == 0);
            }
        }
    }
    assert_int_equal(reports, 0);
}

/* Half of them begin with a run of random prefixes, up to too many. */
static void
random_bytes(void **state)
{
    static const uint8_t prefixes[] = {
        0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3
    };
    const char *wanted = getenv("DECODE_RANDOM");
    unsigned long count = wanted != NULL ? strtoul(wanted, NULL, 0)
                                         : RANDOM_DEFAULT;
    uint8_t bytes[BYTES];

    (void)state;
    for (unsigned long i = 0; i < count; i++) {
        unsigned run = i % 2 == 0 ? test_random_below(&rnd, 15) : 0;

        fill_random(bytes);
        for (unsigned k = 0; k < run; k++)
            bytes[k] = prefixes[test_random_below(&rnd, sizeof(prefixes))];
        compare(bytes, test_random_below(&rnd, ARRAY_LEN(zydis_modes)),
                i % TEXT_EVERY == 0);
    }
    assert_int_equal(reports, 0);
}

/* A deviation that is none any more must leave the list. */
static void
no_deviation_is_idle(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(deviations); i++)
        if (needed[i] != deviations[i].aspects)
            fail_msg("%s: aspects %x, needed %x", deviations[i].name,
                     deviations[i].aspects, needed[i]);
}

static int
say_count(void **state)
{
    (void)state;
    print_message("%lu byte strings compared\n", compared);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_opcode),
        cmocka_unit_test(every_sib),
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(no_deviation_is_idle),
    };

    return cmocka_run_group_tests(tests, zydis_start, say_count);
}
