/*
 * strings.c - REP: what registers and memory are when a page fault or a limit
 * ends it half-way, and that it goes on from there.
 *
 * SDM 2 "REP": registers show the iterations that completed; EIP is the REP.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define TAIL            16u             /* bytes before the absent page */

SNIPPET(movsb, "", "rep movsb", "");
SNIPPET(movsl, "", "rep movsl", "");
SNIPPET(stosl, "", "rep stosl", "");
SNIPPET(lodsb, "", "rep lodsb", "");
SNIPPET(scasb, "", "repne scasb", "");
SNIPPET(cmpsb, "", "repe cmpsb", "");
SNIPPET(movsb_down, "std", "rep movsb", "");
SNIPPET(movsb_16, "", "addr16 rep movsb", "");

static void
prepare(struct context *c, const struct snippet *s, uint32_t esi, uint32_t edi)
{
    context_init(c, s->start, 3);
    c->esi = esi;
    c->edi = edi;
    c->ecx = 2 * TAIL;
    c->eax = 0x41414141;
}

/* The second page of the window is absent; then it comes, and REP goes on. */
static void
check_fault(void)
{
    uint32_t source = (uint32_t)window_memory[3];
    uint32_t end = WINDOW + PAGE;
    struct context c;

    for (unsigned n = 0; n < PAGE; n++)
        window_memory[3][n] = (uint8_t)(n + 1);
    window_pt[1] = 0;
    invlpg(end);
    prepare(&c, &movsb, source, end - TAIL);
    context_run(&c);
    check_page_fault("MOVS: to an absent page", &c, 6, end);
    check("MOVS: EIP", c.eip, (uint32_t)movsb.at);
    check("MOVS: ECX", c.ecx, TAIL);
    check("MOVS: ESI", c.esi, source + TAIL);
    check("MOVS: EDI", c.edi, end);
    check("MOVS: what is copied", window_memory[0][PAGE - 1], TAIL);
    window_pt[1] = window_entry(1, ALL_RIGHTS);
    context_run(&c);
    check("MOVS: goes on", c.vector, VEC_DONE);
    check("MOVS: all is copied", window_memory[1][TAIL - 1], 2 * TAIL);
    window_pt[1] = 0;
    invlpg(end);
    prepare(&c, &movsb, end - TAIL, source);
    context_run(&c);
    check_page_fault("MOVS: from an absent page", &c, 4, end);
    check("MOVS from: ECX", c.ecx, TAIL);
    prepare(&c, &stosl, 0, end - TAIL - 2);
    context_run(&c);
    check_page_fault("STOS across: CR2", &c, 6, end);
    check("STOS across: EDI", c.edi, end - 2);
    check("STOS across: nothing of it is written",
          window_memory[0][PAGE - 1] != 0x41, true);
    prepare(&c, &lodsb, end - TAIL, 0);
    context_run(&c);
    check_page_fault("LODS", &c, 4, end);
    check("LODS: AL", c.eax & UINT8_MAX, window_memory[0][PAGE - 1]);
    prepare(&c, &movsb_down, source + TAIL, end + TAIL);
    context_run(&c);
    check_page_fault("MOVS downwards: at once", &c, 6, end + TAIL);
    check("MOVS downwards: ECX", c.ecx, 2 * TAIL);
    window_pt[1] = window_entry(1, ALL_RIGHTS);
}

static void
check_compare(void)
{
    uint32_t end = WINDOW + PAGE;
    struct context c;

    memset(&window_memory[0][PAGE - TAIL], 1, TAIL);
    memset(window_memory[3], 1, PAGE);
    window_pt[1] = 0;
    invlpg(end);
    prepare(&c, &scasb, 0, end - TAIL);
    context_run(&c);
    check_page_fault("SCAS", &c, 4, end);
    check("SCAS: ECX", c.ecx, TAIL);
    check("SCAS: flags of the last comparison", c.eflags & EFLAGS_ZF, 0);
    window_memory[0][PAGE - 4] = 0x41;
    prepare(&c, &scasb, 0, end - TAIL);
    context_run(&c);
    check("SCAS: found", c.vector, VEC_DONE);
    check("SCAS: found, EDI", c.edi, end - 3);
    prepare(&c, &cmpsb, (uint32_t)window_memory[3], end - TAIL);
    context_run(&c);
    check("CMPS: different, EDI", c.edi, end - 3);
    window_pt[1] = window_entry(1, ALL_RIGHTS);
    prepare(&c, &movsl, 0, 0);
    c.ecx = 0;
    c.edi = 0xfffffff0;
    context_run(&c);
    check("ECX is 0: no access", c.vector, VEC_DONE);
}

/* SI and DI of 16 bits wrap; the upper halves stay. */
static void
check_small(void)
{
    struct segdesc *d = gdt_set(GDT_FREE, (uint32_t)window_memory, 0xffff,
                                SEG_DATA_W);
    struct context c;

    d->dpl = 3;
    prepare(&c, &movsb_16, 0x12340000, 0x56780010);
    c.ecx = 0xabcd0004;
    c.ds = c.es = SEL_FREE | SEL_RPL;
    context_run(&c);
    check("16-bit addresses: ECX", c.ecx, 0xabcd0000);
    check("16-bit addresses: ESI", c.esi, 0x12340004);
    check("16-bit addresses: EDI", c.edi, 0x56780014);
}

TOPIC(strings)
{
    paging_on();
    check_fault();
    check_compare();
    check_small();
    paging_off();
}
