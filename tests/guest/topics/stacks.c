/*
 * stacks.c - stacks of 16 bits, that wrap, and that grow towards their limit.
 *
 * Ring 3 code with interrupts allowed runs with each of them over pages that
 * were never touched by these tables, and for as long as it takes something to
 * interrupt the computer: neither may be seen in a register, of which the upper
 * half of ESP is easily lost: IRET to a stack of 16 bits leaves it alone.
 * Then ring 0, in code of 32 and 16 bits.  SDM 3A 3.4.5 (B flag), 5.3
 * (expand-down), 6.12.1; SDM 1 6.2.3, 6.2.5; SDM 2 "IRET", "PUSH", "ENTER".
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define SIZE            0x10000u
#define LIMIT_16        0xffffu
#define SEL             (SEL_FREE | SEL_RPL)
#define GDT_CODE        (GDT_FREE + 1)
#define SEL_CODE        (SEL_FREE + 8)
#define RW              SEG_DATA_W
#define DOWN            (SEG_DATA_W | SEG_DATA_E)
#define ESP_HIGH        0x12340000u
#define HALF            0xffff0000u
#define WRAP            0xfff00000u     /* a base: 1 MB more is 0 */
#define EDGE            0x1fffu
#define SP_MIDDLE       0x8000u
#define PAGES           (SIZE / PAGE)
#define LONG_TIME       1000000u        /* rounds: some tens of milliseconds */

static uint8_t area[SIZE + PAGE] ALIGNED(4096);

/* ECX pages down from EBX, with a trap in each, while ESP's half is ESI. */
#define CHECK_HALF      "mov %esp, %edx; xor %dx, %dx; cmp %esi, %edx; jne 2f;"
SNIPPET(walk, "mov %eax, %ss; mov %ebx, %esp; 1: push %ecx; " CHECK_HALF
        "sub $0xffc, %sp; " CHECK_HALF "loop 1b", "2: nop", "");
SNIPPET(walk_fpu, "mov %eax, %ss; mov %ebx, %esp; 1: push %ecx; " CHECK_HALF
        "fildl (%edi); fistpl (%edi); " CHECK_HALF
        "sub $0xffc, %sp; loop 1b", "2: nop", "");
SNIPPET(spin, "mov %eax, %ss; mov %ebx, %esp; 1: push %ecx; " CHECK_HALF
        "pop %edx; loop 1b", "2: nop", "");
SNIPPET(walk_32, "mov %eax, %ss; mov %ebx, %esp; 1: push %ecx; "
        "sub $0xffc, %esp; loop 1b", "nop", "");
SNIPPET(done, "", "nop", "");

static struct segdesc *
set_stack(uint32_t base, uint32_t limit, unsigned type, bool is_16)
{
    struct segdesc *d = gdt_set(GDT_FREE, base, limit, type);

    d->dpl = 3;
    d->db = !is_16;
    return d;
}

/* Fresh tables, so that no page has been used. */
static void
run_user(struct context *c, const struct snippet *s, uint32_t esp,
         uint32_t count)
{
    paging_on();
    memset(area, 0, sizeof(area));
    context_init(c, s->start, 3);
    c->eax = SEL;
    c->ebx = esp;
    c->ecx = count;
    c->esi = esp & HALF;
    c->edi = (uint32_t)area + SIZE;
    context_run(c);
    paging_off();
}

/* --- Ring 3, 16 bits -------------------------------------------------------*/

static void
check_user_16(void)
{
    static const uint32_t halves[] = { ESP_HIGH, 0, HALF, 0xffe00000,
                                       0xfffd0000 };
    unsigned kept = 0, kept_fpu = 0;
    struct context c;

    for (size_t n = 0; n < ARRAY_LEN(halves); n++) {
        set_stack((uint32_t)area, LIMIT_16, RW, true);
        run_user(&c, &walk, halves[n] | SP_MIDDLE, PAGES);
        kept += c.ecx == 0 && c.esp == (halves[n] | SP_MIDDLE);
        run_user(&c, &walk_fpu, halves[n] | SP_MIDDLE, PAGES);
        kept_fpu += c.ecx == 0 && c.esp == (halves[n] | SP_MIDDLE);
    }
    check("16 bits: ESP over all pages", kept, ARRAY_LEN(halves));
    check("16 bits: and beside the FPU", kept_fpu, ARRAY_LEN(halves));
    run_user(&c, &walk, ESP_HIGH, PAGES);
    check("16 bits: what is pushed first", area[SIZE - 4], PAGES);
    check("16 bits: and last", area[PAGE - 4], 1);
    run_user(&c, &spin, ESP_HIGH, LONG_TIME);
    check("16 bits: a long time", c.ecx, 0);
    check("16 bits: ESP then", c.esp, ESP_HIGH);
    set_stack((uint32_t)area, EDGE, DOWN, true);
    run_user(&c, &walk, ESP_HIGH, PAGES - 2);
    check("16 bits, expand-down: ECX", c.ecx, 0);
    check("16 bits, expand-down: ESP", c.esp, ESP_HIGH | (EDGE + 1));
}

/* What comes from ring 0 has the half of ring 0. */
static void
check_return(void)
{
    struct context c;

    set_stack((uint32_t)area, LIMIT_16, RW, true);
    context_init(&c, done.start, 3);
    c.ss = SEL;
    c.esp = ESP_HIGH | SP_MIDDLE;
    context_run(&c);
    check("IRET to 16 bits loads SP", c.esp,
          ((uint32_t)&c & HALF) | SP_MIDDLE);
}

/* --- Ring 3, 32 bits -------------------------------------------------------*/

SNIPPET(copy, "", "rep movsl %ds:(%esi), %es:(%edi)", "");
SNIPPET(write_read, "mov %eax, %es:(%ebx)", "mov %es:(%ebx), %ecx", "");

static void
check_user_32(void)
{
    uint32_t top = (uint32_t)area + SIZE;
    struct context c;

    set_stack(WRAP, UINT32_MAX, RW, false);
    run_user(&c, &walk_32, top - WRAP, PAGES);
    check("a stack whose base wraps", c.esp, top - SIZE - WRAP);
    check("what is pushed there", area[PAGE - 4], 1);
    set_stack((uint32_t)area, EDGE, DOWN, false);
    run_user(&c, &walk_32, SIZE, PAGES - 2);
    check("a stack that expands down", c.esp, EDGE + 1);
    check("what is pushed on that", area[EDGE + 1 + PAGE - 4], 1);
}

static void
check_wrapping_data(void)
{
    static uint32_t last_pt[PAGE / 4] ALIGNED(4096);
    uint32_t at = (uint32_t)area - WRAP, word = 0;
    struct context c;

    set_stack(WRAP, UINT32_MAX, RW, false);
    paging_on();
    memset(area, 0x5a, SIZE / 2);
    memset(area + SIZE / 2, 0, SIZE / 2);
    context_init(&c, copy.start, 3);
    c.ds = c.es = SEL;
    c.esi = at;
    c.edi = at + SIZE / 2;
    c.ecx = SIZE / 8;
    context_run(&c);
    check("MOVS in a segment that wraps", c.vector, VEC_DONE);
    check("all of it", memcmp(area, area + SIZE / 2, SIZE / 2), 0);

    two_level_pd[PAGE / 4 - 1] = (uint32_t)last_pt | ALL_RIGHTS;
    last_pt[PAGE / 4 - 1] = window_entry(0, ALL_RIGHTS);
    write_cr3((uint32_t)two_level_pd);
    context_init(&c, write_read.start, 3);
    c.es = SEL;
    c.eax = 0x12345678;
    c.ebx = 0u - WRAP - 2;
    context_run(&c);
    check("a doubleword across 4 GB", c.ecx, 0x12345678);
    memcpy(&word, &window_memory[0][PAGE - 2], 2);
    check("its lower half", word, 0x5678);
    paging_off();
}

/* --- Ring 0 ----------------------------------------------------------------*/

/* Code of 16 bits, wherever in a page; SP wraps, and DX counts the calls. */
SNIPPET(kernel_16, ".code16; mov %sp, %si; mov $6, %sp",
        "1: push %cx; pushl $0x11112222; popl %eax; cmp $0x2222, %ax; jne 9f;"
        "call 3f; pushw $5; call 4f; pusha; popa; pushf; popf;"
        "enter $8, $0; leave; call 5f; 5: pop %bx; add $(3f - 5b), %bx;"
        "call *%bx; mov %esp, %eax; shr $16, %eax; cmp $0x1234, %ax; jne 9f;"
        "pushl %ebp; popl %edi; pop %ax; cmp %cx, %ax; jne 9f; loop 1b",
        "9: mov %si, %sp; mov %esp, %ebx; int $0x40;"
        "3: inc %dx; ret; 4: inc %dx; ret $2; .code32");

SNIPPET(walk_kernel, "mov %ss, %edi; mov %esp, %ebp; mov %eax, %ss; "
        "mov %ebx, %esp; 1: push %ecx; " CHECK_HALF "sub $0xffc, %sp; loop 1b",
        "2: mov %esp, %ebx; mov %edi, %ss; mov %ebp, %esp", "");

static void
check_kernel(void)
{
    const uint32_t rounds = 5000, calls = 3;
    const uint32_t at = (uint32_t)kernel_16.start;
    struct context c;

    set_stack((uint32_t)area, LIMIT_16, RW, true)->dpl = 0;
    context_init(&c, walk_kernel.start, 0);
    c.eax = SEL_FREE;
    c.ebx = ESP_HIGH | SP_MIDDLE;
    c.ecx = PAGES;
    c.esi = ESP_HIGH;
    context_run(&c);
    check("ring 0: ECX", c.ecx, 0);
    check("ring 0: ESP", c.ebx, ESP_HIGH | SP_MIDDLE);

    gdt_set(GDT_CODE, at & ~(PAGE - 1), LIMIT_16, SEG_CODE)->db = 0;
    context_init(&c, (const char *)(at % PAGE), 0);
    c.cs = SEL_CODE;
    c.ss = SEL_FREE;
    c.esp = ESP_HIGH | SP_MIDDLE;
    c.ecx = rounds;
    context_run(&c);
    check("code of 16 bits: it ends", c.vector, VEC_DONE);
    check("code of 16 bits: CX", c.ecx, 0);
    check("code of 16 bits: DX", c.edx, rounds * calls);
    check("code of 16 bits: ESP", c.ebx, ESP_HIGH | SP_MIDDLE);
}

TOPIC(stacks)
{
    check_user_16();
    check_return();
    check_user_32();
    check_wrapping_data();
    check_kernel();
}
