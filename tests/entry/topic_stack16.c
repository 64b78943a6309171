/*
 * topic_stack16.c - into ring 3 with a stack of 16 bits: all of ESP comes back,
 * and a refusal on the way finds the monitor as it was.
 *
 * The upper halves are those that could be taken for something else: none, all,
 * the monitor's stack, guest_frame.
 */
#include "entry/bare.h"

#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "vmm/layout.h"

#define STACK           (VMM_SEL_BT_ES | 3)
#define STACK_LIMIT     0xffffu
#define SP              0x0100u
#define UPPER_HALF      0xffff0000u
#define PUSHED          4u

static const uint32_t uppers[] = {
    0, 0x12340000, 0x7fff0000, 0x80000000, VMM_STACK_AT & UPPER_HALF,
    VMM_SHARED_AT, VMM_UPPER, UPPER_HALF,
};
static uint8_t stack[STACK_LIMIT + 1] ALIGNED(4);

CODE(code_done, "int $0x81");
CODE(code_push, "pushl %eax; int $0x81");
CODE(code_wrap, "movw $0, %sp; pushl %eax; int $0x81");

static void
frame(const char *code, uint32_t upper)
{
    bare_frame(code);
    guest_frame.regs.ss = STACK;
    guest_frame.regs.esp = upper | SP;
}

static uint32_t
esp_behind(const char *code, uint32_t upper)
{
    frame(code, upper);
    guest_enter();
    return guest_frame.regs.vector == GUEST_INT_CALLOUT ? guest_frame.regs.esp
                                                        : 0;
}

static void
check_entries(void)
{
    unsigned same = 0, pushed = 0, wrapped = 0;

    for (size_t n = 0; n < ARRAY_LEN(uppers); n++) {
        uint32_t upper = uppers[n];

        same += esp_behind(code_done, upper) == (upper | SP);
        pushed += esp_behind(code_push, upper) == (upper | (SP - PUSHED));
        wrapped += esp_behind(code_wrap, upper) ==
                   (upper | (STACK_LIMIT + 1 - PUSHED));
    }
    check("ESP", same, ARRAY_LEN(uppers));
    check("ESP after PUSH", pushed, ARRAY_LEN(uppers));
    check("ESP where SP wraps", wrapped, ARRAY_LEN(uppers));
    check("what was pushed", stack[STACK_LIMIT + 1 - PUSHED], 0x07);
}

/* By a load of a segment register, and by IRET. */
static void
check_refusals(void)
{
    static uint32_t *const fields[] = {
        &guest_frame.regs.ds, &guest_frame.regs.gs, &guest_frame.regs.cs,
    };
    unsigned refused = 0;

    for (size_t n = 0; n < ARRAY_LEN(fields); n++)
        for (size_t i = 0; i < ARRAY_LEN(uppers); i++) {
            struct trapframe before;

            frame(code_done, uppers[i]);
            *fields[n] = BARE_ABSENT;
            before = guest_frame.regs;
            guest_enter();
            before.vector = fields[n] == &guest_frame.regs.cs ? VEC_GP
                                                              : VEC_NP;
            before.error = BARE_ABSENT & ~SEL_RPL;
            refused += guest_frame.is_refused != 0 &&
                       (read_ss() & ~UPPER_HALF) == VMM_SEL_DATA &&
                       memcmp(&before, &guest_frame.regs,
                              sizeof(before)) == 0;
        }
    check("refusals", refused, ARRAY_LEN(fields) * ARRAY_LEN(uppers));
    bare_run(code_done);
    check("none behind them", guest_frame.is_refused, false);
    check("ESP of a 32-bit stack behind them", guest_frame.regs.vector,
          GUEST_INT_CALLOUT);
}

/* A stack of which IRET says no: it is of no user. */
static void
check_null(void)
{
    frame(code_done, UPPER_HALF);
    guest_frame.regs.ss = 0;
    guest_enter();
    check("SS null", guest_frame.is_refused, true);
    frame(code_done, UPPER_HALF);
    guest_frame.regs.ss = STACK | SEL_TI;
    guest_enter();
    check("SS in no LDT", guest_frame.is_refused, true);
}

void
topic_stack16(void)
{
    uint32_t base = (uint32_t)stack;
    struct segdesc d = {
        .limit_low = STACK_LIMIT, .base_low = base & ~UPPER_HALF,
        .base_mid = base >> 16 & UINT8_MAX, .base_high = base >> 24,
        .type = SEG_DATA_W | SEG_ACCESSED, .s = 1, .dpl = 3, .p = 1,
    };

    gdt_set(STACK, &d);
    check_entries();
    check_refusals();
    check_null();
}
