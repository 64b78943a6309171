/*
 * code.c - code that is written: by itself, by its neighbour, under another
 * address, across pages.
 *
 * A store is seen by the next instruction that is fetched from there, through
 * the same linear address: SDM 3A 11.6.  Through another linear address, or
 * after a change of mapping, behind a serializing instruction.  Instructions
 * across pages are fetched from both: SDM 3A 6.15 "Page-Fault Exception".
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define INT_DONE        0xcd, VEC_DONE
#define MOV_EAX         0xb8            /* and four bytes */
#define ROUNDS          50

/* The immediate of the next instruction, then its opcode, then of a loop. */
SNIPPET(patch_next, "xor %eax, %eax", "movb $5, patch_next_next + 1",
        "mov $1, %eax");
SNIPPET(patch_opcode, "xor %eax, %eax", "movb $0x40, patch_opcode_next",
        "nop");
SNIPPET(patch_loop, "xor %edx, %edx; mov $10, %ecx; 1: add $1, %edx",
        "incb patch_loop_at - 1", "loop 1b");
SNIPPET(patch_string, "mov $patch_string_next, %edi; mov $0x40, %al; "
        "mov $3, %ecx; cld", "rep stosb", "nop; nop; nop");
SNIPPET(patch_stack, "mov %esp, %edx; mov $patch_stack_next + 2, %esp; "
        "xor %eax, %eax; mov $0x4040, %ebx", "push %bx",
        "nop; nop; mov %edx, %esp");

static void
check_itself(void)
{
    struct context c;

    run_snippet(&c, &patch_next, 3);
    check("the immediate of the next instruction", c.eax, 5);
    run_snippet(&c, &patch_opcode, 3);
    check("the opcode of the next instruction", c.eax, 1);
    run_snippet(&c, &patch_loop, 3);
    check("an immediate in a loop", c.edx, 55);
    run_snippet(&c, &patch_string, 3);
    check("three instructions by REP STOS", c.eax, 0x43);
    run_snippet(&c, &patch_stack, 3);
    check("two instructions by PUSH", c.eax, 2);
}

static void
write_code(uint8_t *at, uint32_t value)
{
    static const uint8_t code[] = { MOV_EAX, 0, 0, 0, 0, INT_DONE };

    memcpy(at, code, sizeof(code));
    memcpy(at + 1, &value, sizeof(value));
}

static uint32_t
run_at(uint32_t at)
{
    struct context c;

    context_init(&c, (const void *)at, 3);
    context_run(&c);
    return c.vector == VEC_DONE ? c.eax : 0x100 + c.vector;
}

/* Written at its place in low memory, run in the window. */
static void
check_alias(void)
{
    unsigned right = 0;

    for (uint32_t n = 0; n < ROUNDS; n++) {
        write_code(window_memory[0], n);
        right += run_at(WINDOW) == n;
        write_code((uint8_t *)WINDOW, n + 7);
        right += run_at((uint32_t)window_memory[0]) == n + 7;
    }
    check("code written under another address", right, 2 * ROUNDS);
    write_code(window_memory[0], 10);
    write_code(window_memory[1], 11);
    right = 0;
    for (uint32_t n = 0; n < ROUNDS; n++) {
        window_pt[0] = window_entry(n % 2, ALL_RIGHTS);
        invlpg(WINDOW);
        right += run_at(WINDOW) == 10 + n % 2;
    }
    check("one address, two pages of code in turn", right, ROUNDS);
    window_pt[0] = window_entry(0, ALL_RIGHTS);
    invlpg(WINDOW);
}

/* The instruction begins two bytes before the second page. */
static void
check_across(void)
{
    uint32_t at = WINDOW + PAGE - 2;
    struct context c;

    write_code((uint8_t *)at, 0x12345678);
    check("an instruction across pages", run_at(at), 0x12345678);
    mmio_write8((void *)(WINDOW + PAGE), 0x99);
    check("its second half is written", run_at(at), 0x12349978);
    mmio_write8((void *)(at + 1), 0x11);
    check("its first half is written", run_at(at), 0x12349911);
    window_pt[1] = window_entry(2, ALL_RIGHTS);
    memcpy(window_memory[2], window_memory[1], 8);
    window_memory[2][0] = 0x22;
    invlpg(WINDOW + PAGE);
    check("its second page is another", run_at(at), 0x12342211);
    window_pt[1] = 0;
    invlpg(WINDOW + PAGE);
    context_init(&c, (const void *)at, 3);
    context_run(&c);
    check_page_fault("its second page is absent", &c, 4, WINDOW + PAGE);
    check("its second page is absent: EIP", c.eip, at);
    window_pt[1] = window_entry(1, ALL_RIGHTS);
    context_run(&c);
    check("and comes back", c.eax, 0x12349911);
    window_memory[0][PAGE - 1] = 0x90;
    window_memory[0][PAGE - 2] = 0x90;
    window_pt[1] = 0;
    invlpg(WINDOW + PAGE);
    context_init(&c, (const void *)at, 3);
    context_run(&c);
    check("the next page is not touched too early", c.eip, WINDOW + PAGE);
    window_pt[1] = window_entry(1, ALL_RIGHTS);
}

/* Code and the data that it writes, on one page, again and again. */
SNIPPET(mixed, "mov $1000, %ecx; xor %eax, %eax; 1: incl 2f; add 2f, %eax",
        "nop", "loop 1b; jmp 3f; .balign 4; 2: .long 0; 3:");

static void
check_mixed(void)
{
    struct context c;

    run_snippet(&c, &mixed, 3);
    check("data between code", c.eax, 1000 * 1001 / 2);
}

TOPIC(code)
{
    check_itself();
    check_mixed();
    paging_on();
    check_alias();
    check_across();
    paging_off();
}
