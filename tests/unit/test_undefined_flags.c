/*
 * test_undefined_flags.c - vmm/core/undefined_flags.c: what the SDM says of an
 * instruction of each kind.
 */
#include "vmm/core/undefined_flags.h"

#include "bt/decode.h"
#include "kernel/x86/regs.h"
#include "unit/test.h"

#define CF  ((uint32_t)EFLAGS_CF)
#define PF  ((uint32_t)EFLAGS_PF)
#define AF  ((uint32_t)EFLAGS_AF)
#define ZF  ((uint32_t)EFLAGS_ZF)
#define SF  ((uint32_t)EFLAGS_SF)
#define OF  ((uint32_t)EFLAGS_OF)
#define ALL (CF | PF | AF | ZF | SF | OF)

static const struct sample {
    uint8_t bytes[4];
    uint32_t ecx, before;       /* undefined before it */
    uint32_t used, after;
} samples[] = {
    { { 0x01, 0xd8 }, 0, ALL, 0, 0 },                   /* ADD */
    { { 0x11, 0xd8 }, 0, ALL, CF, 0 },                  /* ADC */
    { { 0x21, 0xd8 }, 0, ALL, 0, 0 },                   /* AND */
    { { 0x74, 0x00 }, 0, AF, ZF, AF },                  /* JZ */
    { { 0x0f, 0xaf, 0xc3 }, 0, 0, 0, SF | ZF | AF | PF },   /* IMUL */
    { { 0xf7, 0xf3 }, 0, 0, 0, ALL },                   /* DIV */
    { { 0x40 }, 0, ALL, 0, CF },                        /* INC */
    { { 0x0f, 0xc7, 0x0b }, 0, ZF | CF, 0, CF },        /* CMPXCHG8B */
    /* Shifts by 1, by an immediate count, by CL. */
    { { 0xd1, 0xe0 }, 0, ALL, 0, AF },
    { { 0xc1, 0xe0, 0x04 }, 0, 0, 0, OF | AF },
    { { 0xc1, 0xe0, 0x01 }, 0, OF, 0, AF },
    { { 0xc1, 0xe0, 0x20 }, 1, SF, 0, SF },
    { { 0xd3, 0xe0 }, 4, ALL, 0, OF | AF },
    { { 0xd3, 0xe0 }, 0x101, ALL, 0, AF },
    { { 0xd3, 0xe0 }, 0x100, CF | AF, 0, CF | AF },
    { { 0xd3, 0xe0 }, 0x20, 0, 0, 0 },
    { { 0x0f, 0xa5, 0xd8 }, 3, 0, 0, OF | AF },         /* SHLD */
    { { 0x0f, 0xa5, 0xd8 }, 0, 0, 0, 0 },
    /* Rotations: through CF, and by themselves. */
    { { 0xd3, 0xd0 }, 3, 0, CF, OF },
    { { 0xd3, 0xc0 }, 3, CF | ZF, 0, OF | ZF },
    { { 0xd3, 0xc0 }, 1, OF, 0, 0 },
    /* REPE CMPSB, of ECX and of CX bytes. */
    { { 0xf3, 0xa6 }, 1, ALL, EFLAGS_DF, 0 },
    { { 0xf3, 0xa6 }, 0, ALL, EFLAGS_DF, ALL },
    { { 0x67, 0xf3, 0xa6 }, 0x10000, AF, EFLAGS_DF, AF },
    { { 0xa6 }, 0, ALL, EFLAGS_DF, 0 },
};

static void
test_samples(void **state)
{
    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(samples); n++) {
        const struct sample *s = &samples[n];
        struct insn insn;

        assert_int_equal(decode(s->bytes, sizeof(s->bytes),
                                DECODE_PROTECTED | DECODE_32, &insn),
                         DECODE_OK);
        assert_int_equal(flags_used(&insn), s->used);
        assert_int_equal(flags_undefined_after(&insn, s->ecx, s->before),
                         s->after);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
