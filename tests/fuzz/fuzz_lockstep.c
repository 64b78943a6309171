/*
 * fuzz_lockstep.c - any bytes at all as a guest kernel's code, by translator
 * and interpreter.
 *
 *      configuration | treatment | flags, 2 bytes | registers, 2 bits each: 2 |
 *      code
 *
 * The rest is UD2.  The code is cut into pieces of 16 bytes, and a fault goes
 * on at the next one.  Whatever the code does, both sides do the same; what
 * translated code can reach of this process ends below it (lockstep/).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "lockstep/run.h"

#define HEAD_SIZE       6u
#define PIECE           16u
#define LATE_USEC       5000u
#define TURNS           100u
#define UD2_SIZE        2u
/* What a guest may begin with; the rest is reserved, or the interpreter's. */
#define EFLAGS_CHOICE   (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_IF | EFLAGS_DF | EFLAGS_OF | \
                         EFLAGS_IOPL)
#define CODE_MAX        (ATOMS_MAX * PIECE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum treatment_bit {
    TREAT_SMALL = BIT(0), TREAT_FORGETS = BIT(1), TREAT_HIDES = BIT(2),
    TREAT_STOPS = BIT(3), TREAT_SINGLE = BIT(4), TREAT_INTERRUPTS = BIT(5),
    TREAT_BY_IDT = BIT(6),
};

void
assert_failed(const char *what, const char *file, unsigned line)
{
    fprintf(stderr, "assertion failed: %s at %s:%u\n", what, file, line);
    abort();
}

/* One of those for kernels. */
static const struct config *
choose_config(uint8_t byte)
{
    const struct config *kernels[CONFIG_COUNT];
    unsigned count = 0;

    for (unsigned n = 0; n < CONFIG_COUNT; n++)
        if (!configs[n].is_user && run_has(&configs[n]))
            kernels[count++] = &configs[n];
    return kernels[byte % count];
}

static void
set_treatment(struct treatment *t, uint8_t bits)
{
    *t = (struct treatment){
        .seed = bits, .is_small_tc = bits & TREAT_SMALL,
        .forgets = bits & TREAT_FORGETS, .hides = bits & TREAT_HIDES,
        .stops = bits & TREAT_STOPS, .single = bits & TREAT_SINGLE,
        .interrupts = bits & TREAT_INTERRUPTS,
        .by_idt = bits & TREAT_BY_IDT, .turns = TURNS,
    };
}

static void
set_registers(struct program *p, const uint8_t *head)
{
    static const uint32_t values[] = { 3, FREE_AT, STACK_TOP - 256,
                                       CODE_AT + PIECE };
    uint32_t choice = head[4] | (uint32_t)head[5] << 8;

    for (unsigned n = 0; n < GPR_NONE; n++)
        p->gpr[n] = values[choice >> 2 * n & 3];
    p->gpr[GPR_ESP] = STACK_TOP - 256;
    p->eflags = ((head[2] | (uint32_t)head[3] << 8) & EFLAGS_CHOICE) |
                EFLAGS_FIXED;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct program p;
    static bool is_started;
    char why[WHY_SIZE];

    if (!is_started)
        run_start(LATE_USEC);
    is_started = true;
    if (size < HEAD_SIZE)
        return 0;
    p = (struct program){ .config = choose_config(data[0]),
                          .start = CODE_AT };
    set_treatment(&p.treatment, data[1]);
    set_registers(&p, data);
    size = MIN(size - HEAD_SIZE, CODE_MAX - PIECE);
    for (unsigned n = 0; n + UD2_SIZE <= CODE_SIZE; n += UD2_SIZE)
        memcpy(p.code + n, "\x0f\x0b", UD2_SIZE);
    memcpy(p.code, data + HEAD_SIZE, size);
    p.end = CODE_AT + (uint32_t)size;
    for (; p.count * PIECE < size; p.count++)
        p.atoms[p.count] = (struct atom){ CODE_AT + p.count * PIECE, PIECE };
    for (unsigned n = 0; n < JUMPS; n++)
        p.jumps[n] = p.end;
    if (run_program(&p, why) == VERDICT_DIFFERENT) {
        fputs(why, stderr);
        abort();
    }
    return 0;
}
