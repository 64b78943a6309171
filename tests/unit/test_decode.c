/*
 * test_decode.c - bt/decode.c and bt/disasm.c: cases written by hand.
 *
 * test_decode_zydis.c compares everything with another decoder, for 64 bits
 * only.  Here are the cases that say what is meant: each rule of prefixes,
 * sizes and legality once, the layout of the parts, every way to run out of
 * bytes, and what the table promises about itself.
 */
#include "unit/test.h"

#include "bt/decode.h"
#include "bt/disasm.h"

#define P32     (DECODE_32 | DECODE_PROTECTED)
#define P16     (DECODE_16 | DECODE_PROTECTED)
#define R16     DECODE_16
#define EIP     0x1000

struct sample {
    const char *bytes;          /* in hexadecimal */
    unsigned mode;
    const char *text;           /* NULL: undefined */
};

static size_t
from_hex(const char *hex, uint8_t *bytes)
{
    size_t n = 0;

    for (; hex[0] != '\0'; hex += 2) {
        char pair[3] = { hex[0], hex[1], '\0' };

        bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
        if (hex[2] == ' ')
            hex++;
    }
    return n;
}

static struct insn
decode_hex(const char *hex, unsigned mode)
{
    uint8_t bytes[64];
    size_t n = from_hex(hex, bytes);
    struct insn insn;

    assert_int_equal(decode(bytes, n, mode, &insn), DECODE_OK);
    assert_int_equal(insn.length, n);
    return insn;
}

static void
check_samples(const struct sample *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[64];
        char text[DISASM_TEXT_MAX];
        size_t n = from_hex(s[i].bytes, bytes);
        struct insn insn;
        enum decode_result r = decode(bytes, n, s[i].mode, &insn);

        if (s[i].text == NULL && r == DECODE_UNDEFINED)
            continue;
        if (s[i].text == NULL || r != DECODE_OK || insn.length != n)
            fail_msg("%s: result %u, length %u", s[i].bytes, r, insn.length);
        disasm(&insn, EIP, text, sizeof(text));
        if (strcmp(text, s[i].text) != 0)
            fail_msg("%s: \"%s\", not \"%s\"", s[i].bytes, text, s[i].text);
    }
}

static void
addresses(void **state)
{
    static const struct sample samples[] = {
        { "8b 00", P32, "mov eax, dword ptr [eax]" },
        { "8b 45 fc", P32, "mov eax, dword ptr [ebp-0x4]" },
        { "8b 80 78563412", P32, "mov eax, dword ptr [eax+0x12345678]" },
        { "8b 05 78563412", P32, "mov eax, dword ptr [0x12345678]" },
        { "8b 04 24", P32, "mov eax, dword ptr [esp]" },
        { "8b 04 8b", P32, "mov eax, dword ptr [ebx+ecx*4]" },
        { "8b 04 cd 10000000", P32, "mov eax, dword ptr [ecx*8+0x10]" },
        { "8b 04 25 10000000", P32, "mov eax, dword ptr [0x10]" },
        { "8b 44 65 00", P32, "mov eax, dword ptr [ebp]" },
        { "67 8b 02", P32, "mov eax, dword ptr [bp+si]" },
        { "67 8b 06 3412", P32, "mov eax, dword ptr [0x1234]" },
        { "67 8b 46 80", P32, "mov eax, dword ptr [bp-0x80]" },
        { "8b 07", P16, "mov ax, word ptr [bx]" },
        { "67 8b 07", P16, "mov ax, word ptr [edi]" },
        { "66 67 8b 44 24 08", P16, "mov eax, dword ptr [esp+0x8]" },
        { "a1 78563412", P32, "mov eax, dword ptr [0x12345678]" },
        { "67 a2 feff", P32, "mov byte ptr [0xfffe], al" },
        { "8d 44 08 10", P32, "lea eax, [eax+ecx+0x10]" },
    };

    (void)state;
    check_samples(samples, ARRAY_LEN(samples));
}

static void
prefixes(void **state)
{
    static const struct sample samples[] = {
        { "66 89 d8", P32, "mov ax, bx" },
        { "66 66 89 d8", P32, "mov ax, bx" },
        { "66 89 d8", R16, "mov eax, ebx" },
        { "26 64 8b 00", P32, "mov eax, dword ptr fs:[eax]" },
        { "64 26 8b 00", P32, "mov eax, dword ptr es:[eax]" },
        { "f2 f3 a4", P32, "rep movsb" },
        { "f3 f2 a6", P32, "repne cmpsb" },
        { "f3 67 66 2e a5", P32, "rep cs movsw" },
        { "f3 90", P32, "pause" },
        { "66 90", P32, "nop" },
        { "f3 0f 10 00", P32, "movss xmm0, dword ptr [eax]" },
        { "f2 f3 0f 10 00", P32, "movss xmm0, dword ptr [eax]" },
        { "f3 f2 0f 10 00", P32, "movsd xmm0, qword ptr [eax]" },
        { "66 f2 0f 10 00", P32, "movsd xmm0, qword ptr [eax]" },
        { "66 0f 10 00", P32, "movupd xmm0, xmmword ptr [eax]" },
        { "66 f2 0f 38 f1 c1", P32, "crc32 eax, cx" },
        { "f3 0f b8 c1", P32, "popcnt eax, ecx" },
        { "66 f3 0f bd c1", P32, "lzcnt ax, cx" },
        { "f3 0f ae e8", P32, "incsspd eax" },
        { "f3 0f ae 38", P32, NULL },       /* CLFLUSH takes no F3 */
        { "66 0f c3 00", P32, NULL },       /* nor MOVNTI a 66 */
        { "f3 0f 60 c0", P32, NULL },       /* nor PUNPCKLBW an F3 */
    };

    (void)state;
    check_samples(samples, ARRAY_LEN(samples));
}

/* LOCK: SDM 2A, "LOCK": these with a memory destination, nothing else. */
static void
lock(void **state)
{
    static const struct sample samples[] = {
        { "f0 01 00", P32, "lock add dword ptr [eax], eax" },
        { "f0 87 00", P32, "lock xchg dword ptr [eax], eax" },
        { "f0 0f c7 08", P32, "lock cmpxchg8b qword ptr [eax]" },
        { "f0 0f ba 28 01", P32, "lock bts dword ptr [eax], 0x1" },
        { "f0 0f b1 08", P32, "lock cmpxchg dword ptr [eax], ecx" },
        { "f0 f6 10", P32, "lock not byte ptr [eax]" },
        { "f0 01 c0", P32, NULL },          /* no memory */
        { "f0 03 00", P32, NULL },          /* memory is the source */
        { "f0 39 00", P32, NULL },          /* CMP writes nothing */
        { "f0 0f ba 20 01", P32, NULL },    /* nor does BT */
        { "f0 89 00", P32, NULL },
        { "f0 90", P32, NULL },
        { "f0 a4", P32, NULL },
        { "f0 0f 20 c0", P32, NULL },
    };

    (void)state;
    check_samples(samples, ARRAY_LEN(samples));
}

static void
undefined(void **state)
{
    static const struct sample samples[] = {
        { "0f 04", P32, NULL },
        { "0f 0b", P32, "ud2" },
        { "8d c0", P32, NULL },             /* LEA of a register */
        { "62 c0", R16, NULL },             /* BOUND of a register */
        { "8e c8", P32, NULL },             /* MOV CS */
        { "8c c8", P32, "mov eax, cs" },
        { "8e f0", P32, NULL },             /* MOV to segment 6 */
        { "0f 20 c8", P32, NULL },          /* CR1 */
        { "0f 20 e0", P32, "mov eax, cr4" },
        { "0f 20 20", P32, "mov eax, cr4" },    /* mod is not looked at */
        { "fe d0", P32, NULL },
        { "ff f8", P32, NULL },
        { "ff d8", P32, NULL },             /* CALLF of a register */
        { "8f c8", R16, NULL },             /* group 1A, reg 1 */
        { "0f 00 c0", P32, "sldt eax" },
        { "0f 00 c0", R16, NULL },          /* not in real mode */
        { "63 c0", P16, "arpl ax, ax" },
        { "63 c0", R16, NULL },
        { "d9 d1", P32, NULL },
        { "0f c7 c8", P32, NULL },          /* CMPXCHG8B of a register */
        { "0f 13 c0", P32, NULL },          /* MOVLPS to a register */
        { "0f 71 10 00", P32, NULL },         /* PSRLW of memory */
    };

    (void)state;
    check_samples(samples, ARRAY_LEN(samples));
}

static void
numbers(void **state)
{
    static const struct sample samples[] = {
        { "83 c0 ff", P32, "add eax, 0xffffffff" },
        { "66 83 c0 ff", P32, "add ax, 0xffff" },
        { "b0 80", P32, "mov al, 0x80" },
        { "68 78563412", P32, "push 0x12345678" },
        { "68 3412", P16, "push 0x1234" },
        { "6a 80", P32, "push 0xffffff80" },
        { "c8 3412 1f", P32, "enter 0x1234, 0x1f" },
        { "9a 78563412 cdab", P32, "callf 0xabcd:0x12345678" },
        { "ea 3412 cdab", R16, "jmpf 0xabcd:0x1234" },
        { "eb fe", P32, "jmp 0x1000" },
        { "e8 00000000", P32, "call 0x1005" },
        { "66 e9 00f0", P32, "jmp 0x4" },       /* EIP is cut to 16 bits */
        { "0f 84 f6ff", R16, "jz 0xffa" },
        { "e3 00", P32, "jecxz 0x1002" },
        { "67 e3 00", P32, "jcxz 0x1003" },
        { "c1 e0 ff", P32, "shl eax, 0xff" },
        { "c2 0800", P32, "ret 0x8" },
        { "f2 0f 78 c1 0203", P32, "insertq xmm0, xmm1, 0x2, 0x3" },
        { "d9 7d fe", P32, "fnstcw word ptr [ebp-0x2]" },
        { "db 2b", P32, "fld tbyte ptr [ebx]" },
    };

    (void)state;
    check_samples(samples, ARRAY_LEN(samples));
}

/* C4, C5, 62 and 8F: old and new meanings. */
static void
vector_prefixes(void **state)
{
    static const struct sample samples[] = {
        { "c4 00", P32, "les eax, fword ptr [eax]" },
        { "c5 06 3412", R16, "lds ax, dword ptr [0x1234]" },
        { "c5 f8 77", P32, "vector" },          /* VZEROUPPER */
        { "c5 f8 77", P16, "vector" },
        { "c5 f8", R16, NULL },                 /* LDS of a register */
        { "c5 f8 10 40 04", P32, "vector [eax+0x4]" },
        { "c5 f9 70 c1 1b", P32, "vector xmm1, 0x1b" },
        { "c4 e2 79 18 00", P32, "vector [eax]" },
        { "c4 e3 71 4a c2 30", P32, "vector xmm2, 0x30" },
        { "c4 e2 78 f2 c1", P32, "andn eax, eax, ecx" },
        { "c4 e2 7c f2 c1", P32, NULL },        /* VEX.L = 1 */
        { "c4 e3 7b f0 c1 05", P32, "rorx eax, ecx, 0x5" },
        { "c4 e3 73 f0 c1 05", P32, NULL },     /* vvvv names a register */
        { "66 c5 f8 77", P32, NULL },           /* no prefix before VEX */
        { "f0 c5 f8 77", P32, NULL },
        { "2e c5 f8 77", P32, "vector" },       /* but an override */
        { "c4 e0 78 77", P32, NULL },           /* map 0 */
        { "62 f1 7c 48 10 40 01", P32, "vector [eax+0x1]" },
        { "62 f1 78 48 10", P32, NULL },        /* P1 bit 2 must be 1 */
        { "62 00", P32, "bound eax, qword ptr [eax]" },
        { "8f e8 78 c0 c1 05", P32, "vector xmm1, 0x5" },
        { "8f c0", P32, "pop eax" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct sample s = samples[i];

        /* Vector operands are not told apart: take name and memory only. */
        if (s.text != NULL && strncmp(s.text, "vector", 6) == 0) {
            struct insn insn = decode_hex(s.bytes, s.mode);

            assert_int_equal(insn_opcode(&insn)->class, CLASS_HIDDEN);
            assert_string_equal(opcode_name(insn.row), "VECTOR");
            assert_int_equal(insn_has_memory(&insn),
                             strchr(s.text, '[') != NULL);
            continue;
        }
        check_samples(&s, 1);
    }
}

/* Offsets and sizes of the parts: what the translator rewrites. */
static void
layout(void **state)
{
    struct insn i = decode_hex("2e 66 81 84 8b 78563412 cdab", P32);

    (void)state;
    assert_int_equal(i.prefixes, PFX_SEG | PFX_OPSIZE);
    assert_int_equal(i.segment, SEG_CS);
    assert_int_equal(i.opcode_offset, 2);
    assert_int_equal(i.opcode, 0x81);
    assert_int_equal(i.modrm_offset, 3);
    assert_int_equal(i.disp_offset, 5);
    assert_int_equal(i.disp_size, 4);
    assert_int_equal(i.disp, 0x12345678);
    assert_int_equal(i.imm_offset, 9);
    assert_int_equal(i.imm_size, 2);
    assert_int_equal(i.imm, 0xabcd);
    assert_int_equal(i.base, GPR_EBX);
    assert_int_equal(i.index, GPR_ECX);
    assert_int_equal(i.scale, 2);
    assert_int_equal(i.op_size, 2);
    assert_int_equal(i.addr_size, 4);
    assert_int_equal(i.mem_size, 2);

    i = decode_hex("0f 84 00010000", P32);
    assert_int_equal(i.opcode_offset, 0);
    assert_int_equal(i.modrm_offset, 0);
    assert_int_equal(i.imm_offset, 2);
    assert_int_equal(FIELD_GET(i.opcode, OPCODE_CC), 4);
    assert_int_equal(i.segment, SEG_NONE);
    assert_int_equal(insn_target(&i, EIP), EIP + 6 + 0x100);
}

static void
memory_sizes(void **state)
{
    static const struct {
        const char *bytes;
        unsigned size, access;
    } samples[] = {
        { "00 00", 1, ACCESS_RW },        { "8a 00", 1, ACCESS_R },
        { "89 00", 4, ACCESS_W },         { "66 89 00", 2, ACCESS_W },
        { "87 00", 4, ACCESS_RW },        { "39 00", 4, ACCESS_R },
        { "8d 00", 0, 0 },                { "ff 18", 6, ACCESS_R },
        { "66 ff 18", 4, ACCESS_R },      { "0f 01 00", 6, ACCESS_W },
        { "0f c7 08", 8, ACCESS_RW },     { "0f ae 00", 512, ACCESS_W },
        { "dd 30", 108, ACCESS_W },       { "66 d9 20", 14, ACCESS_R },
        { "db 28", 10, ACCESS_R },        { "0f 28 00", 16, ACCESS_R },
        { "0f 11 00", 16, ACCESS_W },     { "f3 0f 11 00", 4, ACCESS_W },
        { "66 0f d6 00", 8, ACCESS_W },   { "0f f7 c1", 8, ACCESS_W },
        { "8c 00", 2, ACCESS_W },         { "0f b6 00", 1, ACCESS_R },
        { "a5", 4, ACCESS_RW },           { "ad", 4, ACCESS_R },
        { "66 ab", 2, ACCESS_W },         { "6c", 1, ACCESS_W },
        { "d7", 1, ACCESS_R },            { "62 00", 8, ACCESS_R },
        { "f0 0f c1 00", 4, ACCESS_RW },  { "0f 1f 00", 4, 0 },
        { "0f 01 38", 1, 0 },             { "a1 00000000", 4, ACCESS_R },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct insn insn = decode_hex(samples[i].bytes, P32);

        if (insn.mem_size != samples[i].size ||
            insn_opcode(&insn)->mem_access != samples[i].access)
            fail_msg("%s: %u bytes, access %u", samples[i].bytes,
                     insn.mem_size, insn_opcode(&insn)->mem_access);
    }
}

/* Every proper beginning of an instruction asks for more, reading no more. */
static void
too_few_bytes(void **state)
{
    static const char *const samples[] = {
        "90", "2e 66 81 84 8b 78563412 cdab", "0f 3a 0f 00 01", "c8 0000 00",
        "66 0f 38 10 44 24 10", "9a 00000000 0000", "c4 e2 78 f2 c1",
        "62 f1 7c 48 10 40 01", "8f e8 78 c0 c1 05", "67 a1 0000",
        "f2 0f 78 c1 0203", "0f 0f 40 01 9e",
    };
    struct insn insn;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        uint8_t bytes[64];
        size_t n = from_hex(samples[i], bytes);

        for (size_t k = 0; k < n; k++) {
            uint8_t *exact = malloc(k + 1);

            memcpy(exact + 1, bytes, k);    /* its end is the sanitizer's */
            assert_int_equal(decode(exact + 1, k, P32, &insn),
                             DECODE_NEED_MORE);
            free(exact);
        }
        assert_int_equal(decode(bytes, n, P32, &insn), DECODE_OK);
    }
}

/* 15 bytes are an instruction, 16 are a fault: SDM 2A 2.3.11, 3A 6.15 #GP. */
static void
length_limit(void **state)
{
    uint8_t bytes[32];
    struct insn insn;

    (void)state;
    memset(bytes, 0x2e, sizeof(bytes));
    bytes[14] = 0x90;
    assert_int_equal(decode(bytes, sizeof(bytes), P32, &insn), DECODE_OK);
    assert_int_equal(insn.length, INSN_LENGTH_MAX);
    bytes[14] = 0x2e;
    bytes[15] = 0x90;
    assert_int_equal(decode(bytes, sizeof(bytes), P32, &insn),
                     DECODE_TOO_LONG);
    assert_int_equal(decode(bytes, 14, P32, &insn), DECODE_NEED_MORE);
    assert_int_equal(decode(bytes, 15, P32, &insn), DECODE_TOO_LONG);
    /* The limit may fall into an immediate. */
    bytes[11] = 0xb8;
    assert_int_equal(decode(bytes, sizeof(bytes), P32, &insn),
                     DECODE_TOO_LONG);
}

/* What Zydis sees otherwise; the rest is compared with Zydis. */
static void
flags(void **state)
{
    static const struct {
        const char *bytes;
        unsigned read, written, undefined;
    } samples[] = {
        { "11 c0", FL_C, FL_OSZAPC, 0 },
        { "19 c0", FL_C, FL_OSZAPC, 0 },
        { "d1 c0", 0, FL_OC, 0 },                   /* rotates by 1 */
        { "d0 c8", 0, FL_OC, 0 },
        { "d1 d0", FL_C, FL_OC, 0 },
        { "d0 d8", FL_C, FL_OC, 0 },
        { "d3 c0", FL_OC, FL_C, FL_O },             /* by CL, by a number */
        { "c0 c8 03", FL_OC, FL_C, FL_O },
        { "c1 d0 03", FL_OC, FL_C, FL_O },
        { "d2 d8", FL_OC, FL_C, FL_O },
        { "d1 e0", 0, FL_OSZPC, FL_A },             /* shifts by 1 */
        { "d0 e8", 0, FL_OSZPC, FL_A },
        { "d1 f0", 0, FL_OSZPC, FL_A },
        { "d1 f8", 0, FL_OSZPC, FL_A },
        { "d3 e0", FL_OSZAPC, FL_SZPC, FL_OA },
        { "c1 f8 03", FL_OSZAPC, FL_SZPC, FL_OA },
        { "d2 e8", FL_OSZAPC, FL_SZPC, FL_OA },
        { "0f a4 c1 03", FL_OSZAPC, FL_SZPC, FL_OA },
        { "0f ad c1", FL_OSZAPC, FL_SZPC, FL_OA },
        { "a6", FL_D, FL_OSZAPC, 0 },
        { "f3 a6", FL_D | FL_OSZAPC, FL_OSZAPC, 0 },
        { "cd 80", FL_ALL, FL_SYS, 0 },
        { "cc", FL_ALL, FL_SYS, 0 },
        { "ce", FL_ALL, FL_SYS, 0 },
        { "f1", FL_ALL, FL_SYS, 0 },
        { "9c", FL_ALL, 0, 0 },
        { "9d", 0, FL_ALL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct insn insn = decode_hex(samples[i].bytes, P32);
        const struct opcode *op = insn_opcode(&insn);

        if (insn_flags_read(&insn) != samples[i].read ||
            op->flags_written != samples[i].written ||
            op->flags_undefined != samples[i].undefined)
            fail_msg("%s: reads %x, writes %x, undefines %x",
                     samples[i].bytes, insn_flags_read(&insn),
                     op->flags_written, op->flags_undefined);
    }
}

/* Rows are consistent with themselves. */
static void
table(void **state)
{
    (void)state;
    for (unsigned n = 0; n < OPCODE_ROW_COUNT; n++) {
        const struct opcode *op = &opcode_rows[n];
        bool is_insn = op->select == SELECT_INSN;

        assert_int_equal(is_insn, op->class != CLASS_UNDEFINED);
        if (!is_insn)
            continue;
        assert_int_equal(op->flags_written & op->flags_undefined, 0);
        assert_int_equal(op->class == CLASS_HIDDEN,
                         op->operation == OPERATION_undefined);
        assert_string_not_equal(opcode_name(n), "undefined");
        /* What is no register and no memory can only be read. */
        if (operand_infos[op->operands[0]].kind >= KIND_ONE &&
            operand_infos[op->operands[0]].kind <= KIND_FAR)
            assert_int_equal(op->access, ACCESS_R);
        /* LOCK needs something that is read and written in memory. */
        if (op->attr & A_LOCK)
            assert_int_equal(op->mem_access, ACCESS_RW);
    }
}

static void
cut_text(void **state)
{
    struct insn i = decode_hex("8b 04 8b", P32);
    char text[8] = "#######";

    (void)state;
    assert_int_equal(disasm(&i, EIP, text, 5), 4);
    assert_string_equal(text, "mov ");
    assert_int_equal(text[5], '#');
    assert_int_equal(disasm(&i, EIP, text, 0), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(prefixes),
        cmocka_unit_test(lock), cmocka_unit_test(undefined),
        cmocka_unit_test(numbers), cmocka_unit_test(vector_prefixes),
        cmocka_unit_test(layout), cmocka_unit_test(memory_sizes),
        cmocka_unit_test(too_few_bytes), cmocka_unit_test(length_limit),
        cmocka_unit_test(flags), cmocka_unit_test(table),
        cmocka_unit_test(cut_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
