/*
 * generate.c - a random program: places for atoms, and the choice among them.
 *
 *      main atoms | end | functions: atoms, and a return each | jmp end
 *
 * Now and then the next atom is put just before the end of a page, so that
 * some instruction crosses it.
 */
#include "lockstep/generate.h"

#include <string.h>

#include "kernel/base/assert.h"

#define NOP             0x90
#define JMP             0xe9
#define MOV_IMM         0xb8
#define MAIN_MAX        70u
#define FUNCTIONS       4u
#define BODY_MAX        4u
#define STACK_MIDDLE    (STACK_TOP - 512)

uint32_t
gen_below(struct generator *g, uint32_t limit)
{
    return test_random_below(&g->random, limit);
}

uint32_t
gen_value(struct generator *g)
{
    static const uint32_t corners[] = {
        0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
        0x80000000, 0xffffffff, 31, 32,
    };

    if (gen_below(g, 4) == 0)
        return corners[gen_below(g, ARRAY_LEN(corners))];
    return test_random_next(&g->random) >> gen_below(g, 32);
}

void
gen_bytes(struct generator *g, const void *bytes, size_t size)
{
    ASSERT(g->cursor + size <= CODE_SIZE);
    memcpy(g->p->code + g->cursor, bytes, size);
    g->cursor += (uint32_t)size;
}

void
gen_byte(struct generator *g, unsigned byte)
{
    uint8_t b = (uint8_t)byte;

    gen_bytes(g, &b, sizeof(b));
}

void
gen_word(struct generator *g, uint32_t value)
{
    gen_bytes(g, &value, sizeof(value));
}

void
gen_fixup(struct generator *g, enum fixup_kind kind, unsigned atom)
{
    ASSERT(g->fixup_count < FIXUPS_MAX);
    g->fixups[g->fixup_count++] = (struct fixup_to){ g->cursor, kind, atom };
    if (kind == FIXUP_REL8)
        gen_byte(g, 0);
    else
        gen_word(g, 0);
}

void
gen_mov(struct generator *g, enum gpr reg, uint32_t value)
{
    gen_byte(g, MOV_IMM + reg);
    gen_word(g, value);
}

void
gen_reset_stack(struct generator *g)
{
    gen_mov(g, GPR_ESP, STACK_MIDDLE - 4 * gen_below(g, 64));
}

unsigned
gen_here(const struct generator *g)
{
    return g->p->count;
}

unsigned
gen_later(struct generator *g)
{
    unsigned left = (g->in_function ? g->last : g->main_count) - gen_here(g);

    return gen_here(g) + 1 + gen_below(g, MAX(1, MIN(left, 6)));
}

uint32_t
gen_address(struct generator *g, uint32_t size)
{
    uint32_t page = DATA_AT + gen_below(g, DATA_PAGES) * PAGE_SIZE;
    uint32_t room = DATA_AT + DATA_SIZE - FREE_AT - size;

    switch (gen_below(g, 40)) {
    case 0:                             /* behind the end: a guard page */
        return STACK_AT - size + gen_below(g, 2 * size);
    case 1:
        return gen_below(g, ARENA);
    case 2:
        return PAGE_AT(CONST_PAGE) + gen_below(g, PAGE_SIZE - size);
    case 3 ... 7:
        if (page > DATA_AT)             /* across two pages, perhaps */
            return page - size + gen_below(g, 2 * size);
        break;
    }
    return (FREE_AT + gen_below(g, room)) & ~(gen_below(g, 4) ? 15u : 0u);
}

/* --- Atoms in their places -------------------------------------------------*/

static void
begin_atom(struct generator *g)
{
    g->p->atoms[gen_here(g)].at = CODE_AT + g->cursor;
}

static void
end_atom(struct generator *g)
{
    struct atom *atom = &g->p->atoms[g->p->count++];

    atom->size = CODE_AT + g->cursor - atom->at;
    ASSERT(g->p->count < ATOMS_MAX);
}

/* Go on just before the next page. */
static void
go_to_page_end(struct generator *g)
{
    uint32_t end = ROUND_UP(g->cursor + 64, PAGE_SIZE);

    if (end + PAGE_SIZE > CODE_SIZE)
        return;
    begin_atom(g);
    gen_byte(g, JMP);
    gen_fixup(g, FIXUP_REL32, gen_here(g) + 1);
    end_atom(g);
    g->cursor = end - 1 - gen_below(g, 24);
}

static bool
is_allowed(const struct generator *g, const struct atom_choice *c)
{
    static const uint8_t native = BIT(WHOSE_ALL) | BIT(WHOSE_USER);
    static const uint8_t user = BIT(WHOSE_ALL) | BIT(WHOSE_TRANSLATED) |
                                BIT(WHOSE_USER);
    static const uint8_t kernel = BIT(WHOSE_ALL) | BIT(WHOSE_TRANSLATED) |
                                  BIT(WHOSE_KERNEL);

    if (c->moves_stack && g->in_function)
        return false;
    return ((g->config->is_native ? native : g->config->is_user ? user
             : kernel) & BIT(c->whose)) != 0;
}

static void
choose(struct generator *g, const struct atom_choice *list, unsigned count)
{
    unsigned sum = 0, at;

    for (unsigned n = 0; n < count; n++)
        sum += is_allowed(g, &list[n]) ? list[n].weight : 0;
    at = gen_below(g, sum);
    for (unsigned n = 0; n < count; n++) {
        unsigned weight = is_allowed(g, &list[n]) ? list[n].weight : 0;

        if (at < weight) {
            list[n].make(g);
            return;
        }
        at -= weight;
    }
}

static void
make_atom(struct generator *g)
{
    begin_atom(g);
    switch (gen_below(g, 16)) {
    case 0 ... 5:
        choose(g, atoms_flow, atoms_flow_count);
        break;
    case 6 ... 9:
        choose(g, atoms_system, atoms_system_count);
        break;
    default:
        atom_row(g);
        break;
    }
    end_atom(g);
}

/* One more that may leave a new page half way. */
static void
make_main(struct generator *g)
{
    while (g->p->count < g->main_count) {
        if (gen_below(g, 24) == 0)
            go_to_page_end(g);
        else
            make_atom(g);
    }
    begin_atom(g);
    g->p->end = CODE_AT + g->cursor;
    GEN(g, "\x0f\x0b");                 /* ud2 */
    end_atom(g);
}

static void
make_return(struct generator *g)
{
    begin_atom(g);
    switch (gen_below(g, 16)) {
    case 0 ... 2:
        GEN(g, "\x59\xff\xe1");         /* pop ecx; jmp ecx */
        break;
    case 3 ... 5:
        GEN(g, "\xc2\x04\x00");         /* ret 4 */
        break;
    case 6:                             /* the end instead: lea; push; ret */
        GEN(g, "\x8d\x64\x24\x04\x68");
        gen_fixup(g, FIXUP_ABS32, g->main_count);
        gen_byte(g, 0xc3);
        break;
    default:
        gen_byte(g, 0xc3);
        break;
    }
    end_atom(g);
}

static void
make_functions(struct generator *g)
{
    g->in_function = true;
    for (unsigned n = 0; n < FUNCTIONS; n++) {
        unsigned body = gen_below(g, BODY_MAX);

        for (unsigned k = 0; k < body; k++)
            make_atom(g);
        make_return(g);
    }
    begin_atom(g);
    gen_byte(g, JMP);
    gen_fixup(g, FIXUP_REL32, g->main_count);
    end_atom(g);
}

static void
resolve(struct generator *g, const struct fixup_to *f)
{
    struct program *p = g->p;
    unsigned atom = MIN(f->atom, p->count - 1);
    uint32_t target = p->atoms[atom].at, at = CODE_AT + f->offset;
    unsigned which = f->kind == FIXUP_SITE8, sites = g->site_count[which];
    uint32_t value = 0, size = sizeof(value);

    switch ((enum fixup_kind)f->kind) {
    case FIXUP_REL32:
        value = target - at - size;
        break;
    case FIXUP_REL8:
        size = 1;
        value = target - at - size;
        if (value > INT8_MAX)
            value = 0;
        break;
    case FIXUP_ABS32:
        value = target;
        break;
    case FIXUP_SITE32:
    case FIXUP_SITE8:
        value = sites == 0 ? FREE_AT
                : CODE_AT + g->sites[which][gen_below(g, sites)];
        break;
    }
    memcpy(p->code + f->offset, &value, size);
}

static void
choose_state(struct generator *g)
{
    struct program *p = g->p;

    for (unsigned n = 0; n < GPR_NONE; n++)
        p->gpr[n] = gen_value(g);
    p->gpr[GPR_ESP] = STACK_MIDDLE;
    p->gpr[GPR_EBP] = STACK_MIDDLE;
    p->eflags = EFLAGS_IF;
    for (unsigned n = 0; n < JUMPS; n++)
        p->jumps[n] = p->atoms[MIN(g->jumps[n], p->count - 1)].at;
}

static void
choose_treatment(struct generator *g)
{
    struct treatment *t = &g->p->treatment;

    t->seed = (uint64_t)test_random_next(&g->random) << 32 | g->p->seed;
    t->is_small_tc = gen_below(g, 8) == 0;
    t->forgets = gen_below(g, 3) == 0;
    t->hides = gen_below(g, 3) == 0;
    t->stops = gen_below(g, 8) == 0;
    t->steps = gen_below(g, 12) == 0;
    t->single = gen_below(g, 4) == 0;
    t->interrupts = !g->config->is_user && gen_below(g, 2) == 0;
    t->by_idt = gen_below(g, 3) != 0;
}

void
program_generate(struct program *p, const struct config *config,
                 uint64_t seed)
{
    static struct generator g;

    g = (struct generator){
        .p = p, .config = config,
        .random = { seed * 0x9e3779b97f4a7c15ull | 1 },
    };
    *p = (struct program){ .seed = seed, .config = config, .start = CODE_AT };
    memset(p->code, NOP, sizeof(p->code));
    p->is_hot = gen_below(&g, 4) == 0;
    g.main_count = 4 + gen_below(&g, MAIN_MAX);
    g.last = g.main_count + FUNCTIONS * (BODY_MAX + 1);
    make_main(&g);
    make_functions(&g);
    choose_state(&g);
    choose_treatment(&g);
    p->site_count = g.site_count[0];
    for (unsigned n = 0; n < p->site_count; n++)
        p->sites[n] = CODE_AT + g.sites[0][n];
    for (unsigned n = 0; n < g.fixup_count; n++)
        resolve(&g, &g.fixups[n]);
}
