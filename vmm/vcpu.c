/*
 * vcpu.c - a virtual CPU's state at power-on, and what its segments hold.
 *
 * Pure: no lock, no memory but the vcpu's own.  Called by the vcpu's thread,
 * or by whoever creates it.
 */
#include "vmm/vcpu.h"

#include "kernel/base/string.h"
#include "kernel/x86/descriptor.h"

/* SDM 3A table 9-1, "following power-up, reset". */
#define RESET_CS_SELECTOR   0xf000
#define RESET_CS_BASE       0xffff0000
#define RESET_EIP           0x0000fff0
#define RESET_LIMIT         0x0000ffff
#define RESET_CR0           (CR0_CD | CR0_NW | CR0_ET)
#define RESET_DR6           0xffff0ff0
#define RESET_DR7           0x00000400
#define RESET_PAT           0x0007040600070406ull
#define APIC_BASE_DEFAULT   0xfee00000ull

#define RIGHTS_DATA (RIGHTS_P | RIGHTS_S | SEG_DATA_W | SEG_ACCESSED)
#define RIGHTS_CODE (RIGHTS_DATA | SEG_CODE)

/* The image of FXSAVE (SDM 1 table 10-2): bytes that are not 0 at reset. */
#define FXSAVE_FCW          0
#define FXSAVE_FTW          4
#define FXSAVE_MXCSR        24
#define RESET_FCW           0x0040
#define RESET_FTW           0xff        /* all registers hold +0.0 */
#define RESET_MXCSR         0x1f80

static unsigned
allowed(const struct guest_segment *s, bool is_protected)
{
    unsigned type = FIELD_GET(s->rights, RIGHTS_TYPE);

    if (!is_protected)
        return ALLOW_READ | ALLOW_WRITE | ALLOW_EXECUTE;
    if ((type & SEG_CODE) == 0)
        return type & SEG_DATA_W ? ALLOW_READ | ALLOW_WRITE : ALLOW_READ;
    return type & SEG_CODE_R ? ALLOW_READ | ALLOW_EXECUTE : ALLOW_EXECUTE;
}

static bool
is_expand_down(const struct guest_segment *s)
{
    return (s->rights & RIGHTS_S) != 0 &&
           (s->rights & (SEG_CODE | SEG_DATA_E)) == SEG_DATA_E;
}

static void
set_nothing(struct guest_segment *s)
{
    s->first = 1;
    s->last = 0;
    s->allow = 0;
}

void
segment_derive(struct guest_segment *s, bool is_protected)
{
    uint32_t top = s->rights & RIGHTS_DB ? UINT32_MAX : UINT16_MAX;

    if ((s->rights & RIGHTS_P) == 0) {
        set_nothing(s);
        return;
    }
    s->allow = allowed(s, is_protected);
    s->first = 0;
    s->last = s->limit;
    if (is_expand_down(s)) {
        if (s->limit >= top) {
            set_nothing(s);
            return;
        }
        s->first = s->limit + 1;
        s->last = top;
    }
}

uint32_t
descriptor_limit(const struct segdesc *d)
{
    uint32_t limit = d->limit_low | (uint32_t)d->limit_high << 16;

    return d->g ? limit << PAGE_SHIFT | PAGE_MASK : limit;
}

struct guest_segment
segment_make(uint32_t selector, const struct segdesc *d)
{
    struct guest_segment s = {
        .selector = (uint16_t)selector,
        .base = d->base_low | (uint32_t)d->base_mid << 16 |
                (uint32_t)d->base_high << 24,
        .limit = descriptor_limit(d),
    };
    uint32_t rights = FIELD_SET(0u, RIGHTS_TYPE, d->type);

    rights = FIELD_SET(rights, RIGHTS_S, d->s);
    rights = FIELD_SET(rights, RIGHTS_DPL, d->dpl);
    rights = FIELD_SET(rights, RIGHTS_P, d->p);
    rights = FIELD_SET(rights, RIGHTS_AVL, d->avl);
    rights = FIELD_SET(rights, RIGHTS_L, d->l);
    rights = FIELD_SET(rights, RIGHTS_DB, d->db);
    rights = FIELD_SET(rights, RIGHTS_G, d->g);
    s.rights = (uint16_t)rights;
    segment_derive(&s, true);
    return s;
}

void
vcpu_derive_segments(struct vcpu *v)
{
    bool is_protected = vcpu_is_protected(v);

    for (unsigned i = 0; i < ARRAY_LEN(v->cpu.segment); i++)
        segment_derive(&v->cpu.segment[i], is_protected);
    segment_derive(&v->cpu.ldtr, true);
    segment_derive(&v->cpu.tr, true);
}

enum guest_pending
vcpu_pending(const struct vcpu *v, bool has_interrupt)
{
    const struct guest_cpu *cpu = &v->cpu;

    if ((cpu->block & BLOCK_MOV_SS) != 0 ||
        cpu->activity == ACTIVITY_SHUTDOWN)
        return PENDING_NONE;
    if (cpu->pending_debug != 0)
        return PENDING_DEBUG;
    if (cpu->pending_nmi != 0 && (cpu->block & BLOCK_NMI) == 0)
        return PENDING_NMI;
    if (has_interrupt && (cpu->eflags & EFLAGS_IF) != 0 &&
        (cpu->block & BLOCK_STI) == 0)
        return PENDING_INTERRUPT;
    return PENDING_NONE;
}

static void
reset_fpu(uint8_t *image)
{
    const uint16_t fcw = RESET_FCW;
    const uint32_t mxcsr = RESET_MXCSR;

    memcpy(image + FXSAVE_FCW, &fcw, sizeof(fcw));
    image[FXSAVE_FTW] = RESET_FTW;
    memcpy(image + FXSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

static void
reset_segments(struct guest_cpu *cpu)
{
    for (unsigned i = 0; i < ARRAY_LEN(cpu->segment); i++) {
        cpu->segment[i].rights = RIGHTS_DATA;
        cpu->segment[i].limit = RESET_LIMIT;
    }
    cpu->segment[SEG_CS].selector = RESET_CS_SELECTOR;
    cpu->segment[SEG_CS].base = RESET_CS_BASE;
    cpu->segment[SEG_CS].rights = RIGHTS_CODE;
    cpu->ldtr.rights = RIGHTS_P | SYS_LDT;
    cpu->ldtr.limit = RESET_LIMIT;
    cpu->tr.rights = RIGHTS_P | SYS_TSS32_BUSY;
    cpu->tr.limit = RESET_LIMIT;
    cpu->gdtr.limit = RESET_LIMIT;
    cpu->idtr.limit = RESET_LIMIT;
}

void
vcpu_reset(struct vcpu *v)
{
    struct guest_cpu *cpu = &v->cpu;

    memset(v, 0, sizeof(*v));
    reset_fpu(cpu->fpu);
    reset_segments(cpu);
    cpu->eip = RESET_EIP;
    cpu->eflags = EFLAGS_FIXED;
    cpu->cr0 = RESET_CR0;
    cpu->dr[DR6] = RESET_DR6;
    cpu->dr[DR7] = RESET_DR7;
    cpu->pat = RESET_PAT;
    cpu->apic_base = APIC_BASE_DEFAULT | APIC_BASE_EN | APIC_BASE_BSP;
    vcpu_derive_segments(v);
}
