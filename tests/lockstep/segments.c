/*
 * segments.c - the segment registers under which guest code runs.
 *
 * All of a guest's segments are descriptors of this process's LDT that end
 * below its own code and data: a guest that goes astray gets #GP and harms
 * nobody.  In the `segment` shapes they end below the translator's memory too,
 * as a monitor's would, and GS has its base there.
 *
 * A user program's selectors are the machine's, and its own LDT, in the arena,
 * says the same as the process's.  A kernel's segments are imitated: one slot
 * of the LDT for each register, rewritten when the guest's changed, and empty
 * where it cannot be truncated.
 */
#include "lockstep/config.h"

#include <asm/ldt.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel/base/addr.h"
#include "kernel/x86/descriptor.h"
#include "lockstep/arena.h"
#include "vmm/interp/segment_int.h"

#define LDT_WRITE       0x11            /* modify_ldt(): with `useable` */
#define LDT_DATA        0               /* its words for kinds of segments */
#define LDT_CODE        2
#define SLOT_FIRST      8u              /* entries of imitated registers */
#define SLOT_ENGINE     15u             /* GS in segment shapes */
#define SELECTOR(entry) ((entry) << SEL_INDEX_SHIFT | SEL_TI | SEL_RPL)
#define ENGINE_SIZE     MB(1)
#define SMALL_LIMIT     (PAGE_SIZE - 1)

struct cached {
    uint32_t base, limit;
    bool is_writable;
};

static uint16_t host[SEG_NONE];
static bool is_refused;
static struct cached slots[SEG_NONE];

static bool
write_ldt(unsigned entry, const struct cached *c, unsigned contents)
{
    bool is_large = c->limit > SMALL_LIMIT;
    struct user_desc d = {
        .entry_number = entry, .base_addr = c->base,
        .limit = is_large ? c->limit / PAGE_SIZE : c->limit,
        .seg_32bit = 1, .contents = contents, .read_exec_only =
            contents == LDT_DATA && !c->is_writable,
        .limit_in_pages = is_large,
    };

    return syscall(SYS_modify_ldt, LDT_WRITE, &d, sizeof(d)) == 0;
}

/* By entry: selector / 8. */
static const struct cached user_segments[USER_SELECTORS] = {
    { 0, USER_LIMIT, true },
    { 0, USER_LIMIT, true },
    { 0, USER_LIMIT, true },
    { DATA_AT, SMALL_LIMIT, true },
    { 0, USER_LIMIT, false },
};

bool
segments_start(uint32_t late_usec)
{
    const struct cached engine = { ENGINE_AT, ENGINE_SIZE - 1, true };

    machine_start(host, late_usec);
    for (unsigned n = 0; n < USER_SELECTORS; n++)
        is_refused |= !write_ldt(n, &user_segments[n],
                                 n == 0 ? LDT_CODE : LDT_DATA);
    is_refused |= !write_ldt(SLOT_ENGINE, &engine, LDT_DATA);
    return !is_refused;
}

void
segments_write_ldt(void *ldt)
{
    struct segdesc *d = ldt;

    for (unsigned n = 0; n < USER_SELECTORS; n++) {
        const struct cached *c = &user_segments[n];
        bool is_large = c->limit > SMALL_LIMIT;
        uint32_t limit = is_large ? c->limit / PAGE_SIZE : c->limit;

        d[n] = (struct segdesc){
            .limit_low = limit & UINT16_MAX, .limit_high = limit >> 16,
            .base_low = c->base & UINT16_MAX,
            .base_mid = c->base >> 16 & UINT8_MAX, .base_high = c->base >> 24,
            .type = SEG_ACCESSED |
                    (n == 0 ? SEG_CODE | SEG_CODE_R
                     : c->is_writable ? SEG_DATA_W : 0),
            .s = 1, .dpl = SEL_RPL, .p = 1, .db = 1, .g = is_large,
        };
    }
}

/* What of S may be the machine's, below END; empty if nothing. */
static struct cached
imitate(const struct guest_segment *s, uint32_t end)
{
    struct cached c = { s->base, MIN(s->last, end - 1),
                        (s->allow & ALLOW_WRITE) != 0 };

    /* Code that cannot be read and what does not begin at 0: no imitation. */
    if (s->first != 0 || (s->allow & ALLOW_READ) == 0 || s->base >= end)
        return (struct cached){ 0, 0, true };
    c.limit = MIN(c.limit, end - 1 - s->base);
    if (c.limit > SMALL_LIMIT)
        c.limit = ROUND_DOWN(c.limit + 1, PAGE_SIZE) - 1;
    return c;
}

static uint16_t
load_slot(unsigned n, const struct guest_segment *s, uint32_t end)
{
    struct cached c = imitate(s, end);

    if (memcmp(&slots[n], &c, sizeof(c)) != 0)
        write_ldt(SLOT_FIRST + n, &c, LDT_DATA);
    slots[n] = c;
    return (uint16_t)SELECTOR(SLOT_FIRST + n);
}

void
segments_load_host(struct machine *m)
{
    memcpy(m->segment, host, sizeof(host));
}

void
segments_load(const struct config *config, const struct vcpu *v,
              struct machine *m)
{
    bool in_gs = config->slot_segment == SEG_GS;

    segments_load_host(m);
    if (is_refused)
        return;
    for (unsigned n = 0; n < SEG_NONE; n++) {
        const struct guest_segment *s = &v->cpu.segment[n];

        if (config->is_user)
            m->segment[n] = s->selector;
        else if (n != SEG_CS)
            m->segment[n] = load_slot(n, s, in_gs ? ENGINE_AT
                                                  : USER_LIMIT + 1);
    }
    if (config->is_user && !config->is_native)
        m->segment[SEG_CS] = host[SEG_CS];
    if (in_gs)
        m->segment[SEG_GS] = SELECTOR(SLOT_ENGINE);
}

void
segments_store(struct vcpu *v, const struct machine *m)
{
    struct segdesc ldt[USER_SELECTORS];

    if (is_refused)
        return;
    segments_write_ldt(ldt);
    for (unsigned n = 0; n < SEG_NONE; n++) {
        struct guest_segment *s = &v->cpu.segment[n];
        unsigned entry = m->segment[n] >> SEL_INDEX_SHIFT;

        if (n == SEG_CS || m->segment[n] == s->selector)
            continue;
        if ((m->segment[n] & SEL_TI) != 0 && entry < USER_SELECTORS) {
            *s = segment_make(m->segment[n], &ldt[entry]);
        } else {
            *s = (struct guest_segment){ .selector = m->segment[n] };
            segment_derive(s, true);
        }
    }
}
