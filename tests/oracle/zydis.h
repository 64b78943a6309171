/*
 * zydis.h - Zydis, set up as the CPU that we decode for.
 *
 * Three modes, each with our decoder's and Zydis's name for it, and a
 * formatter whose text can be made equal to our disassembler's.
 */
#ifndef TESTS_ORACLE_ZYDIS_H
#define TESTS_ORACLE_ZYDIS_H

#include <string.h>

#include <Zydis/Zydis.h>

#include "bt/decode.h"

static const struct {
    unsigned ours;
    ZydisMachineMode zydis;
    ZydisStackWidth stack;
} zydis_modes[] = {
    { DECODE_32 | DECODE_PROTECTED, ZYDIS_MACHINE_MODE_LEGACY_32,
      ZYDIS_STACK_WIDTH_32 },
    { DECODE_16 | DECODE_PROTECTED, ZYDIS_MACHINE_MODE_LEGACY_16,
      ZYDIS_STACK_WIDTH_16 },
    { DECODE_16, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16 },
};

static ZydisDecoder zydis_decoders[ARRAY_LEN(zydis_modes)];
static ZydisFormatter zydis_formatter;

/*
 * Zydis as a CPU without CET, MPX and CLDEMOTE, where their encodings are the
 * NOPs that they were made from: we offer none of the three.
 */
static inline int
zydis_start(void **state)
{
    static const ZydisFormatterProperty off[] = {
        ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
        ZYDIS_FORMATTER_PROP_DISP_PADDING,
        ZYDIS_FORMATTER_PROP_IMM_PADDING,
        ZYDIS_FORMATTER_PROP_HEX_UPPERCASE,
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(zydis_modes); i++) {
        ZydisDecoder *d = &zydis_decoders[i];

        ZydisDecoderInit(d, zydis_modes[i].zydis, zydis_modes[i].stack);
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
        ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
    }
    ZydisFormatterInit(&zydis_formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&zydis_formatter,
                              ZYDIS_FORMATTER_PROP_FORCE_SIZE, 1);
    for (size_t i = 0; i < ARRAY_LEN(off); i++)
        ZydisFormatterSetProperty(&zydis_formatter, off[i], 0);
    return 0;
}

/* Take WHAT out of TEXT. */
static inline void
zydis_cut(char *text, const char *what)
{
    char *p = strstr(text, what);

    if (p != NULL)
        memmove(p, p + strlen(what), strlen(p + strlen(what)) + 1);
}

/* Zydis shows hints, a scale of 1, and branches below 0 with 64 bits. */
static inline void
zydis_simplify(char *text)
{
    static const char *const extras[] = { "bnd ", "notrack ", "xacquire ",
                                          "xrelease ", "*1" };
    char *p = strstr(text, "0xffffffff");

    for (size_t i = 0; i < ARRAY_LEN(extras); i++)
        zydis_cut(text, extras[i]);
    if (p != NULL && strlen(p) > strlen("0xffffffff"))
        zydis_cut(p + strlen("0x"), "ffffffff");
}

#endif
