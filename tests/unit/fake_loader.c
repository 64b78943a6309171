/*
 * fake_loader.c - loading segment registers, by the manual: fake_loader.h.
 */
#include "unit/fake_loader.h"

#include <string.h>

#define DESC_CODE       0x800u          /* bits of the second word */
#define DESC_CONFORMING 0x400u
#define DESC_DOWN       0x400u
#define DESC_ALLOW      0x200u          /* code: read; data: write */
#define DESC_S          0x1000u
#define DESC_DPL_SHIFT  13
#define DESC_P          0x8000u
#define DESC_B          0x400000u
#define DESC_G          0x800000u

#define PAGE_LAST       0xfffu

static struct fake_segment
meaning(uint32_t base, uint64_t limit, uint32_t high)
{
    struct fake_segment s = {
        .is_usable = true, .is_code = high & DESC_CODE,
        .can_read = true, .can_write = false,
        .is_big = high & DESC_B, .first = 0, .last = limit, .base = base,
    };

    if (high & DESC_CODE) {
        s.can_read = high & DESC_ALLOW;
        return s;
    }
    s.can_write = high & DESC_ALLOW;
    if (high & DESC_DOWN) {
        s.first = limit + 1;
        s.last = s.is_big ? 0xffffffff : 0xffff;
    }
    return s;
}

static bool
may_load(uint32_t high, enum segment reg, uint32_t rpl, unsigned cpl)
{
    unsigned dpl = high >> DESC_DPL_SHIFT & 3;
    bool is_code = high & DESC_CODE;
    bool is_conforming = is_code && (high & DESC_CONFORMING);

    if ((high & DESC_S) == 0 || (high & DESC_P) == 0)
        return false;
    switch (reg) {
    case SEG_CS:
        return is_code && rpl == cpl &&
               (is_conforming ? dpl <= cpl : dpl == cpl);
    case SEG_SS:
        return !is_code && (high & DESC_ALLOW) && rpl == cpl && dpl == cpl;
    default:
        if (is_code && (high & DESC_ALLOW) == 0)
            return false;
        return is_conforming || (dpl >= cpl && dpl >= rpl);
    }
}

bool
fake_load(const struct fake_tables *t, enum segment reg, uint32_t selector,
          unsigned cpl, struct fake_segment *out)
{
    const uint8_t *table = selector & 4 ? t->ldt : t->gdt;
    uint32_t table_limit = selector & 4 ? t->ldt_limit : t->gdt_limit;
    uint32_t at = selector & 0xfff8, words[2];
    uint64_t limit;

    *out = (struct fake_segment){ .is_usable = false };
    if ((selector & 0xfffc) == 0)
        return reg != SEG_CS && reg != SEG_SS;
    if (table == NULL || at + 7 > table_limit)
        return false;
    memcpy(words, table + at, sizeof(words));
    if (!may_load(words[1], reg, selector & 3, cpl))
        return false;
    limit = (words[0] & 0xffff) | (words[1] & 0xf0000);
    if (words[1] & DESC_G)
        limit = limit << 12 | PAGE_LAST;
    *out = meaning(words[0] >> 16 | (words[1] & 0xff) << 16 |
                   (words[1] & 0xff000000), limit, words[1]);
    return true;
}

bool
fake_segment_equal(const struct fake_segment *a, const struct fake_segment *b)
{
    if (!a->is_usable || !b->is_usable)
        return a->is_usable == b->is_usable;
    return a->is_code == b->is_code && a->can_read == b->can_read &&
           a->can_write == b->can_write && a->is_big == b->is_big &&
           a->first == b->first && a->last == b->last && a->base == b->base;
}

/* Rights are bits 23..8 of the second word. */
struct fake_segment
fake_held(const struct guest_segment *s)
{
    uint32_t high = (uint32_t)s->rights << 8;

    if ((high & DESC_P) == 0)
        return (struct fake_segment){ .is_usable = false };
    return meaning(s->base, s->limit, high);
}
