/*
 * context.c - contexts to start from.
 *
 * Ring 3 may be interrupted, as on any computer: so a monitor lets the CPU
 * itself run it.  The PICs let nothing through unless a topic asks for it.
 *
 * Each of the two rings has a stack of its own.  The stack on which traps from
 * ring 3 arrive is the TSS's (machine.c), so that nothing of a context is
 * overwritten.
 */
#include "guest/guest.h"

/* Of ring 3, of ring 0. */
static uint8_t stacks[2][GUEST_STACK] ALIGNED(16);

void
context_init(struct context *c, const void *code, unsigned ring)
{
    uint32_t data = ring == 0 ? SEL_DATA0 : SEL_DATA3;

    *c = (struct context){
        .gs = data, .fs = data, .es = data, .ds = data, .ss = data,
        .cs = ring == 0 ? SEL_CODE0 : SEL_CODE3, .eip = (uint32_t)code,
        .esp = (uint32_t)stacks[ring == 0] + GUEST_STACK,
        .eflags = ring == 0 ? EFLAGS_FIXED : EFLAGS_FIXED | EFLAGS_IF,
    };
}

void
run_snippet(struct context *c, const struct snippet *s, unsigned ring)
{
    context_init(c, s->start, ring);
    context_run(c);
}
