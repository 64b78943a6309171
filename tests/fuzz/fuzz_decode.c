/*
 * fuzz_decode.c - any bytes at all, through decoder and disassembler.
 *
 * The first byte chooses the mode.  The rest is given in a buffer of exactly
 * its size, so that reading behind it is seen.  Whatever the bytes are: an
 * instruction lies within them and within 15 bytes, its parts are in order and
 * inside, its beginnings ask for more, what follows it does not matter, and
 * its text fits.
 */
#include <stdlib.h>
#include <string.h>

#include "bt/decode.h"
#include "bt/disasm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

static void
check_layout(const struct insn *insn)
{
    REQUIRE(insn->length >= 1 && insn->length <= INSN_LENGTH_MAX);
    REQUIRE(insn->opcode_offset < insn->length);
    REQUIRE(insn->modrm_offset < insn->length);
    REQUIRE(insn->disp_offset + insn->disp_size <= insn->length);
    REQUIRE(insn->imm_offset + insn->imm_size <= insn->length);
    if (insn->modrm_offset != 0)
        REQUIRE(insn->modrm_offset > insn->opcode_offset);
    if (insn->disp_size != 0)
        REQUIRE(insn->disp_offset > insn->modrm_offset);
    if (insn->imm_size != 0)
        REQUIRE(insn->imm_offset >= insn->disp_offset + insn->disp_size);
    REQUIRE(insn->base <= GPR_NONE && insn->index <= GPR_NONE);
    REQUIRE(insn->index != GPR_ESP && insn->segment <= SEG_NONE);
    REQUIRE(insn->op_size == 2 || insn->op_size == 4);
    REQUIRE(insn->addr_size == 2 || insn->addr_size == 4);
    REQUIRE(insn_opcode(insn)->select == SELECT_INSN);
}

/* Shorter is too short, longer is the same. */
static void
check_neighbours(const uint8_t *bytes, unsigned mode, const struct insn *want)
{
    uint8_t longer[INSN_LENGTH_MAX + 1];
    struct insn got;

    for (unsigned n = 0; n < want->length; n++)
        REQUIRE(decode(bytes, n, mode, &got) == DECODE_NEED_MORE);
    memset(longer, UINT8_MAX, sizeof(longer));
    memcpy(longer, bytes, want->length);
    REQUIRE(decode(longer, sizeof(longer), mode, &got) == DECODE_OK);
    REQUIRE(memcmp(&got, want, sizeof(got)) == 0);
}

static void
check_text(const struct insn *insn)
{
    char text[DISASM_TEXT_MAX], cut[8];
    size_t length = disasm(insn, UINT32_MAX, text, sizeof(text));

    REQUIRE(length == strlen(text));
    REQUIRE(length > 0 && length + 1 < sizeof(text));
    REQUIRE(disasm(insn, 0, cut, sizeof(cut)) < sizeof(cut));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct insn insn;
    enum decode_result result;
    unsigned mode;
    uint8_t *bytes;

    if (size < 1)
        return 0;
    mode = data[0] & (DECODE_32 | DECODE_PROTECTED);
    bytes = malloc(size);
    REQUIRE(bytes != NULL);
    memcpy(bytes + 1, data + 1, size - 1);
    result = decode(bytes + 1, size - 1, mode, &insn);
    if (result == DECODE_OK) {
        REQUIRE(insn.length <= size - 1);
        check_layout(&insn);
        check_neighbours(bytes + 1, mode, &insn);
        check_text(&insn);
    } else if (result == DECODE_NEED_MORE) {
        REQUIRE(size - 1 < INSN_LENGTH_MAX);
    } else if (result == DECODE_TOO_LONG) {
        REQUIRE(size - 1 >= INSN_LENGTH_MAX);
    }
    free(bytes);
    return 0;
}
