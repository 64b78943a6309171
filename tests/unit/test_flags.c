/*
 * test_flags.c - dead flags, against the columns of opcodes.def.
 *
 * The model asks for each flag alone: what becomes of it next?  The table of
 * rows is expanded anew here, so that a mistake in decode_tables.c shows.
 */
#include "unit/test.h"

#include "bt/flags.h"

struct columns {
    uint16_t row, class, reads, kills;
};

static const struct columns rows[] = {
#define OP(map, place, name, o1, o2, o3, acc, r, w, u, cls, ...)          \
    { ROW_##map##_##place, CLASS_##cls, FL_##r, FL_##w | FL_##u },
#include "bt/opcodes.def"
};

static const unsigned flags[] = { EFLAGS_CF, EFLAGS_PF, EFLAGS_AF, EFLAGS_ZF,
                                  EFLAGS_SF, EFLAGS_OF };

static struct unit unit;

static void
set_insn(unsigned i, const struct columns *c, enum segment segment)
{
    unit.insns[i] = (struct insn){ .row = c->row,
                                   .segment = (uint8_t)segment };
}

/* Decode CODE into the unit; returns how many instructions that were. */
static unsigned
set_code(const uint8_t *code, size_t size)
{
    unit.count = 0;
    unit.result = DECODE_OK;
    while (size > 0) {
        struct insn *insn = &unit.insns[unit.count++];

        assert_true(unit.count <= UNIT_INSN_MAX);
        unit.result = decode(code, size, DECODE_32 | DECODE_PROTECTED, insn);
        assert_int_not_equal(unit.result, DECODE_NEED_MORE);
        code += insn->length;
        size -= insn->length;
    }
    return unit.count;
}

#define CODE(...) \
    set_code((const uint8_t[]){ __VA_ARGS__ }, \
             sizeof((const uint8_t[]){ __VA_ARGS__ }))

static bool
model_is_dead(const struct columns *const *list, unsigned count, unsigned flag)
{
    for (unsigned i = 0; i < count; i++) {
        if (insn_may_fault(&unit.insns[i]) || (list[i]->reads & flag))
            return false;
        if (list[i]->kills & flag)
            return true;
    }
    return false;
}

static void
check_list(const struct columns *const *list, unsigned count)
{
    unsigned expected = 0;

    unit.count = count;
    unit.result = DECODE_OK;
    for (unsigned i = 0; i < count; i++)
        set_insn(i, list[i], SEG_NONE);
    for (unsigned f = 0; f < ARRAY_LEN(flags); f++)
        if (model_is_dead(list, count, flags[f]))
            expected |= flags[f];
    if (flags_dead_at(&unit, 0) != expected)
        fail_msg("rows %u, %u: %x, not %x", list[0]->row, list[1]->row,
                 flags_dead_at(&unit, 0), expected);
}

static void
test_all_pairs(void **state)
{
    unsigned killing = 0;

    (void)state;
    for (unsigned a = 0; a < ARRAY_LEN(rows); a++)
        for (unsigned b = 0; b < ARRAY_LEN(rows); b++) {
            const struct columns *const pair[] = { &rows[a], &rows[b] };

            check_list(pair, 2);
            killing += flags_dead_at(&unit, 0) == FL_OSZAPC;
        }
    assert_true(killing > ARRAY_LEN(rows));
}

static void
test_random_units(void **state)
{
    struct test_random r = { 7 };

    (void)state;
    for (unsigned n = 0; n < 200000; n++) {
        const struct columns *list[UNIT_INSN_MAX];

        for (unsigned i = 0; i < UNIT_INSN_MAX; i++)
            list[i] = &rows[test_random_below(&r, ARRAY_LEN(rows))];
        check_list(list, UNIT_INSN_MAX);
    }
}

/* Only what is copied and has no memory operand may be passed over. */
static void
test_memory_and_other_classes_may_fault(void **state)
{
    unsigned safe = 0;

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct opcode *op = &opcode_rows[rows[i].row];

        set_insn(0, &rows[i], SEG_DS);
        set_insn(1, &rows[i], SEG_NONE);
        if (rows[i].class != CLASS_IDENT)
            assert_true(insn_may_fault(&unit.insns[1]));
        if (op->operation != OPERATION_lea && op->operation != OPERATION_nop)
            assert_true(insn_may_fault(&unit.insns[0]));
        if (op->mem_access != 0 && (op->form & FORM_MODRM) == 0 &&
            op->operation != OPERATION_mov)
            assert_true(insn_may_fault(&unit.insns[1]));
        safe += !insn_may_fault(&unit.insns[1]);
    }
    assert_true(safe > 150 && safe < ARRAY_LEN(rows) / 2);
}

struct encoding {
    uint8_t bytes[8], size;
    bool may_fault;
};

static const struct encoding encodings[] = {
    { { 0x01, 0xd8 }, 2, false },               /* add %ebx,%eax */
    { { 0x01, 0x18 }, 2, true },                /* add %ebx,(%eax) */
    { { 0xa1, 0, 0, 0, 0 }, 5, true },          /* mov moffs,%eax */
    { { 0xb8, 0, 0, 0, 0 }, 5, false },         /* mov $,%eax */
    { { 0x8d, 0x00 }, 2, false },               /* lea (%eax),%eax */
    { { 0x0f, 0x1f, 0x00 }, 3, false },         /* nopl (%eax) */
    { { 0x0f, 0x18, 0x00 }, 3, false },         /* prefetchnta (%eax) */
    { { 0x50 }, 1, true }, { { 0x58 }, 1, true },
    { { 0x60 }, 1, true }, { { 0x61 }, 1, true },
    { { 0xc9 }, 1, true }, { { 0xc8, 0, 0, 0 }, 4, true },
    { { 0xc3 }, 1, true }, { { 0xe8, 0, 0, 0, 0 }, 5, true },
    { { 0xf7, 0xf3 }, 2, true },                /* div %ebx */
    { { 0xf6, 0xfb }, 2, true },                /* idiv %bl */
    { { 0xf7, 0xe3 }, 2, false },               /* mul %ebx */
    { { 0xd4, 0x0a }, 2, true },                /* aam */
    { { 0xd5, 0x0a }, 2, false },               /* aad */
    { { 0xce }, 1, true }, { { 0xcc }, 1, true }, { { 0xcd, 0x80 }, 2, true },
    { { 0x62, 0x00 }, 2, true },                /* bound */
    { { 0xa4 }, 1, true }, { { 0xaa }, 1, true }, { { 0xae }, 1, true },
    { { 0xd7 }, 1, true },                      /* xlat */
    { { 0xd9, 0xe8 }, 2, true },                /* fld1 */
    { { 0x9b }, 1, true },                      /* fwait */
    { { 0x0f, 0x57, 0xc0 }, 3, true },          /* xorps: #NM */
    { { 0x0f, 0x77 }, 2, true },                /* emms */
    { { 0xfa }, 1, true }, { { 0x9c }, 1, true }, { { 0xf4 }, 1, true },
    { { 0x0f, 0xa2 }, 2, true }, { { 0x0f, 0x31 }, 2, true },
    { { 0x8e, 0xd8 }, 2, true },                /* mov %eax,%ds */
    { { 0x0f, 0xc7, 0xf0 }, 3, true },          /* rdrand: #UD */
    { { 0xf3, 0x0f, 0xb8, 0xc0 }, 4, true },    /* popcnt: #UD */
    { { 0x0f, 0x44, 0xc3 }, 3, false },         /* cmove */
    { { 0x0f, 0x94, 0xc0 }, 3, false },         /* sete */
    { { 0x9f }, 1, false }, { { 0x9e }, 1, false }, { { 0xf8 }, 1, false },
    { { 0x75, 0x00 }, 2, true },                /* it ends the unit */
};

static void
test_encodings(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(encodings); i++) {
        assert_int_equal(set_code(encodings[i].bytes, encodings[i].size), 1);
        if (insn_may_fault(&unit.insns[0]) != encodings[i].may_fault)
            fail_msg("encoding %u: %02x", i, encodings[i].bytes[0]);
    }
}

static void
test_real_code(void **state)
{
    (void)state;
    /* xor %eax,%eax kills all */
    CODE(0x31, 0xc0);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC);
    assert_int_equal(flags_dead_at(&unit, 1), 0);
    /* mov %esp,%ebp; sub $8,%esp: dead from the start */
    CODE(0x89, 0xe5, 0x83, 0xec, 0x08);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC);
    /* push %ebp may fault */
    CODE(0x55, 0x89, 0xe5, 0x83, 0xec, 0x08);
    assert_int_equal(flags_dead_at(&unit, 0), 0);
    assert_int_equal(flags_dead_at(&unit, 1), FL_OSZAPC);
    /* inc leaves CF, the add behind it reads nothing */
    CODE(0x40, 0x75, 0x00);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC & ~FL_C);
    CODE(0x40, 0x01, 0xd8);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC);
    CODE(0x40, 0x11, 0xd8);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC & ~FL_C);
    /* shl $1 kills, shl %cl may leave them all */
    CODE(0xd1, 0xe0, 0x31, 0xc0);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC);
    CODE(0xd3, 0xe0, 0x31, 0xc0);
    assert_int_equal(flags_dead_at(&unit, 0), 0);
    /* sete; cmp: ZF is read, the others die */
    CODE(0x0f, 0x94, 0xc0, 0x39, 0xd8);
    assert_int_equal(flags_dead_at(&unit, 0), FL_OSZAPC & ~FL_Z);
    /* an undefined instruction ends it */
    assert_int_equal(CODE(0x89, 0xc0, 0x0f, 0x0b), 2);
    assert_int_equal(flags_dead_at(&unit, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pairs),
        cmocka_unit_test(test_random_units),
        cmocka_unit_test(test_memory_and_other_classes_may_fault),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_real_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
