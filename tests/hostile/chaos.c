/*
 * chaos.c - random code, registers, tables and stacks, in both rings.
 *
 * Each start of the VM does something else.  It is over when the guest has
 * lost its way; then the person resets it.
 */
#include "hostile/hostile.h"

#include "guest/paging.h"
#include "kernel/base/string.h"

#define CODE_SIZE       64u
#define ROUNDS          100000u
#define ANY_FLAGS       0x250dd5u       /* but those that end it at once */
#define PIT_COMMAND     0x43
#define PIT_RATE        0x34            /* channel 0, mode 2 */
#define PIT_0           0x40
#define PIT_COUNT       0x10            /* high byte: 3 milliseconds */

static uint8_t code[CODE_SIZE + 16] ALIGNED(4096);

/* First bytes that are worth more than chance gives them. */
static const uint8_t openings[][4] = {
    { 0x0f, 0x01 }, { 0x0f, 0x00 }, { 0x0f, 0x20 }, { 0x0f, 0x22 },
    { 0x0f, 0x23 }, { 0xcf }, { 0xcb }, { 0xff }, { 0xea }, { 0x9a }, { 0xcd },
    { 0x8e }, { 0x0f, 0xb2 }, { 0xc5 }, { 0x9d }, { 0xfa }, { 0xfb }, { 0xf4 },
    { 0x0f, 0x34 }, { 0x0f, 0x35 }, { 0x65, 0xa1 }, { 0x2e, 0xa1 },
    { 0xf3, 0xa5 }, { 0xf3, 0xab }, { 0x0f, 0xae }, { 0xd9 }, { 0x66, 0xcf },
    { 0x17 }, { 0x0f, 0xa1 }, { 0x67, 0xe8 }, { 0x8f }, { 0xc8 },
};

static uint32_t
any_address(void)
{
    static const uint32_t places[] = {
        TOP, 0xffdb8000, 0xffdb9000, 0xffe00000, 0xfff00000, 0xfffe0000,
        0xfffff000, 0xfffffffe, 0, 0x100000, WINDOW, 0x1000,
    };
    uint32_t n = hostile_random();

    return n % 3 == 0 ? hostile_random()
                      : places[n / 3 % ARRAY_LEN(places)] + (n >> 28);
}

static void
make_code(void)
{
    for (unsigned n = 0; n < CODE_SIZE; n++)
        code[n] = (uint8_t)hostile_random();
    for (unsigned n = 0; n < CODE_SIZE; n += 8) {
        const uint8_t *opening = openings[hostile_random() %
                                          ARRAY_LEN(openings)];
        unsigned size = opening[0] == 0x0f || opening[1] != 0 ? 2 : 1;

        memcpy(code + n, opening, size);
    }
    code[CODE_SIZE] = 0xcd;
    code[CODE_SIZE + 1] = VEC_DONE;
}

static void
make_context(struct context *c)
{
    uint32_t *const gprs[] = { &c->eax, &c->ecx, &c->edx, &c->ebx, &c->esi,
                               &c->edi, &c->ebp };

    context_init(c, code, hostile_random() % 2 * 3);
    for (size_t n = 0; n < ARRAY_LEN(gprs); n++)
        *gprs[n] = any_address();
    c->eflags |= EFLAGS_IF | (hostile_random() & ANY_FLAGS);
    if (hostile_random() % 8 == 0)
        c->esp = any_address();
}

/* A tick ends what loops with interrupts enabled. */
static void
start_ticks(void)
{
    out8(PIT_COMMAND, PIT_RATE);
    out8(PIT_0, 0);
    out8(PIT_0, PIT_COUNT);
    out8(0x21, 0xfe);
}

static void
spoil(void)
{
    struct segdesc *d = &gdt[GDT_FREE + hostile_random() %
                             (GDT_ENTRIES - GDT_FREE)];
    uint32_t words[2] = { hostile_random(), hostile_random() };

    memcpy(d, words, sizeof(words));
    window_pt[hostile_random() % WINDOW_PAGES] = hostile_random();
    if (hostile_random() % 16 == 0)
        two_level_pd[1023] = hostile_random();
}

TOPIC(chaos)
{
    struct context c;

    print("seed %x\n", hostile_random());
    for (unsigned round = 0; round < ROUNDS; round++) {
        machine_init();
        if (hostile_random() % 2)
            paging_on();
        start_ticks();
        spoil();
        make_code();
        make_context(&c);
        context_run(&c);
        out8(0x20, 0x20);
        if (round % 16 == 0)
            print("round %u\n", round);
    }
}
