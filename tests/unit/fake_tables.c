/*
 * fake_tables.c - random instructions, and what surrounds them.
 *
 * Mostly sensible: present segments in memory, gates to code, words on the
 * stack that are offsets, selectors and flags; all else comes up, too.
 */
#include "unit/fake_tables.h"

#include "bt/insn.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/paging.h"

#define STACK_BELOW     256             /* random bytes around ESP */
#define STACK_BYTES     1024
#define FLAGS_IRET      (BITS(14, 9) | BITS(7, 0))

uint32_t
random_selector(struct test_random *rnd)
{
    return test_random_below(rnd, ENV_GDT_SIZE + 16) |
           (test_random_next(rnd) & (SEL_TI | SEL_RPL));
}

static void
random_descriptor(uint8_t *at, struct test_random *rnd)
{
    struct segdesc d = SEGDESC_PAGES(ENV_DATA, UINT16_MAX, 0, 0);
    struct gate gate = { .selector = (uint16_t)random_selector(rnd),
                         .offset_low = ENV_EIP, .param_count = 3 };
    uint32_t bits = test_random_next(rnd);

    d.g = d.db = bits & 1;
    d.s = (bits & 6) != 0;
    d.type = bits >> 4;
    d.dpl = (bits & BIT(8)) != 0 ? 3 : 0;
    d.p = (bits & BITS(11, 9)) != 0;
    memcpy(at, &d, sizeof(d));
    if (d.s || (bits & BIT(31)) != 0)
        return;
    gate.type = d.type;
    gate.dpl = d.dpl;
    gate.p = d.p;
    memcpy(at, &gate, sizeof(gate));
}

/*
 * Present or not, read-only, supervisor's, not yet accessed; with PAE, bit 63,
 * which is reserved as long as EFER.NXE is 0.
 */
static void
random_entry(uint8_t *entry, bool is_pae, struct test_random *rnd)
{
    uint32_t bits = test_random_next(rnd);

    *entry = (uint8_t)(bits & (PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D));
    if (bits & BIT(7))
        *entry |= PTE_P;
    if (is_pae)
        entry[sizeof(uint64_t) - 1] = (bits & BITS(9, 8)) == 0 ? 0x80 : 0;
}

static void
random_pages(const struct environment *env, uint8_t *memory,
             struct test_random *rnd)
{
    bool is_pae = env->paging == PAGING_PAE;
    size_t size = is_pae ? sizeof(uint64_t) : sizeof(uint32_t);
    uint8_t *large = memory + environment_large_pde(env);
    uint32_t count = ENV_RANGE / PAGE_SIZE;

    for (uint32_t n = 0; n < count; n++)
        random_entry(memory + ENV_PTES + (ENV_DATA / PAGE_SIZE + n) * size,
                     is_pae, rnd);
    random_entry(large, is_pae, rnd);
    *large |= PTE_PS;
}

/* Words that far returns and IRET may like. */
static void
random_stack(uint8_t *memory, struct test_random *rnd)
{
    uint32_t at = ENV_STACK + ENV_ESP - STACK_BELOW;

    for (uint32_t n = 0; n < STACK_BYTES; n += sizeof(uint16_t)) {
        uint16_t words[] = {
            0, (uint16_t)random_selector(rnd), (uint16_t)random_selector(rnd),
            (uint16_t)(test_random_next(rnd) & FLAGS_IRET),
            (uint16_t)(ENV_EIP + test_random_below(rnd, 64)),
        };

        memcpy(memory + at + n,
               &words[test_random_below(rnd, ARRAY_LEN(words))],
               sizeof(words[0]));
    }
}

void
random_tables(const struct environment *env, uint8_t *memory,
              struct test_random *rnd)
{
    for (uint32_t at = ENV_SEL_FREE; at < ENV_GDT_SIZE; at += 8)
        random_descriptor(memory + ENV_GDT + at, rnd);
    for (uint32_t at = 0; at < ENV_LDT_SIZE; at += 8)
        random_descriptor(memory + ENV_LDT + at, rnd);
    if (env->paging != PAGING_NONE)
        random_pages(env, memory, rnd);
    random_stack(memory, rnd);
}

void
random_instruction(uint8_t *code, struct test_random *rnd)
{
    static const uint8_t prefixes[] = {
        0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0, 0xf2, 0xf3,
    };
    static const uint8_t one[] = {
        0x07, 0x17, 0x1f, 0x8e, 0x9a, 0xc4, 0xc5, 0xca, 0xcb, 0xcf, 0xea,
    };
    static const uint8_t two[] = {
        0x00, 0x02, 0x03, 0xa1, 0xa9, 0xb2, 0xb4, 0xb5,
    };
    bool is_two = test_random_below(rnd, 4) == 0;
    unsigned n = 0;

    while (test_random_below(rnd, 2) == 0 && n < 3)
        code[n++] = prefixes[test_random_below(rnd, sizeof(prefixes))];
    if (is_two)
        code[n++] = 0x0f;
    if (test_random_below(rnd, 4) == 0)
        code[n++] = is_two ? two[test_random_below(rnd, sizeof(two))]
                           : one[test_random_below(rnd, sizeof(one))];
    while (n < INSN_LENGTH_MAX)
        code[n++] = (uint8_t)test_random_next(rnd);
}
