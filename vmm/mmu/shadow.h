/*
 * shadow.h - the page tables that the hardware uses while a guest runs.
 *
 * A guest's tables translate linear to guest-physical; the hardware needs
 * linear to machine.  So the monitor keeps tables of its own, the shadow: a
 * cache of the guest's, filled on faults and never allowing more than they do.
 *
 *      guest CR3 -> PD -> PT ----> guest page    what the guest wrote
 *                   |     |            |
 *      PDPT[view] -> PD' -> PT' -> machine page  what the hardware walks
 *
 * Views.  Where segments protect the monitor, VIEW_EXACT has user and
 * supervisor pages as the guest has.  Where guest kernels run in ring 3 there
 * are two: VIEW_KERNEL, in which all guest pages are user pages, and VIEW_USER,
 * which has only those that the guest's user code may touch.
 *
 * Who must be called: shadow_fault() on a #PF in guest context; shadow_switch()
 * when CR0, CR3, CR4, EFER or the latched PDPTEs were loaded; shadow_invlpg();
 * mmu_guest_write() of trace.h after every write to guest memory that the
 * hardware did not make through the shadow; shadow_revoke().
 *
 * Pure; the vcpu's thread, outside the guest.  SDM 3A 4.4, 4.10.
 */
#ifndef VMM_MMU_SHADOW_H
#define VMM_MMU_SHADOW_H

#include "kernel/base/addr.h"
#include "kernel/base/list.h"
#include "kernel/base/status.h"
#include "kernel/x86/paging.h"
#include "vmm/vcpu.h"

#define SHADOW_MONITOR_BASE 0xffc00000u     /* from here up: the monitor's */
#define SHADOW_MONITOR_PDES 2
#define SHADOW_PAGES_MIN    16u             /* for the pinned ones, and some */
#define SHADOW_BUCKETS      512u
#define RMAP_BUCKETS        4096u

enum shadow_view { VIEW_EXACT, VIEW_KERNEL, VIEW_USER, VIEW_COUNT };

/* What a #PF in guest context was. */
enum shadow_result {
    SHADOW_HIDDEN,      /* the shadow lacked it, now has it: resume */
    SHADOW_TRUE,        /* the guest's: v->fault is to be delivered */
    SHADOW_EMULATE,     /* interpret this instruction */
    SHADOW_BLOCK,       /* pmap_get() said so: wait, then resume */
    SHADOW_RESULT_COUNT
};

enum pmap_intent { PMAP_PEEK, PMAP_READ, PMAP_WRITE };
enum pmap_result { PMAP_OK, PMAP_BLOCK, PMAP_EMULATE };
struct pmap_page {
    mpn_t mpn;
    bool  is_writable;  /* false: shared or ROM; ask again to write */
};

enum shadow_part { SHADOW_TABLE, SHADOW_LINKS, SHADOW_PART_COUNT };

/*
 * What the monitor provides.  CTX is passed to each function.
 *
 * pmap_get: the machine page behind PPN, which stays so until shadow_revoke();
 *     READ and WRITE may call that.  When contents go, too (a balloon), that
 *     is a write: mmu_guest_write().  PEEK has no side effects; BLOCK then is
 *     memory not there at present.  EMULATE: no memory, an alias, ROM's write.
 * large_page: the first of 512 machine pages in a row, aligned and writable,
 *     behind the 512 guest pages from FIRST; INVALID_MPN: there are none.
 * alloc: memory for shadow page INDEX: PART_COUNT pages, kept for ever.
 *     *MPN is the table's.  False: not now; a page in use is taken instead.
 * map: a pointer to a part of a shadow page.  It and the one before are good.
 * invalidate, flush: forget one linear page, or all, in the hardware's TLB;
 *     flush also makes it read the PDPT again.  Both may be put off until the
 *     guest runs next, or until settle(): on return all of it is done.
 * written: a page that trace_set() named was written to.
 */
struct shadow_machine {
    void *ctx;
    enum pmap_result (*pmap_get)(void *ctx, ppn_t ppn, enum pmap_intent intent,
                                 struct pmap_page *page);
    mpn_t (*large_page)(void *ctx, ppn_t first);
    bool (*alloc)(void *ctx, unsigned index, mpn_t *mpn);
    void *(*map)(void *ctx, unsigned index, enum shadow_part part);
    void (*invalidate)(void *ctx, gla_t at);
    void (*flush)(void *ctx), (*settle)(void *ctx);
    void (*written)(void *ctx, ppn_t ppn, uint32_t offset, uint32_t size);
    pte_t low_set, low_clear;           /* rights: VIEW_USER below 2 MB */
    pte_t *pdpt[VIEW_COUNT];            /* aligned to 32, below 4 GB */
    pte_t monitor_pde[VIEW_COUNT][SHADOW_MONITOR_PDES];
    struct shadow_page *page;           /* room for page_count of them */
    unsigned page_count;                /* at least SHADOW_PAGES_MIN */
    uint32_t *table_traces, *code_traces;   /* bitmaps, a bit for each PPN */
    uint32_t trace_count;               /* no RAM at or above this PPN */
};

/* What a shadow table is the shadow of: shadow_int.h. */
struct shadow_key {
    ppn_t ppn;                  /* the guest's table */
    uint32_t role;              /* ROLE_ */
};

/* One shadow table: shadow_page.c. */
struct shadow_page {
    struct list link;           /* in its bucket; when unused, in `free` */
    struct shadow_key key;
    mpn_t mpn;
    uint16_t live;              /* entries present, without the monitor's */
    uint16_t writes;            /* to the guest's table since it was used */
    bool is_used;               /* the clock's bit */
};

struct shadow_stats {
    uint64_t faults[SHADOW_RESULT_COUNT];
    uint64_t made, reclaimed, reused_as_data, flushes, table_writes;
};

struct shadow {
    struct vcpu *vcpu;
    struct shadow_machine machine;
    bool has_views;             /* VIEW_KERNEL and VIEW_USER */
    bool is_stale;              /* the TLB may hold what the shadow dropped */
    unsigned allocated, hand;   /* pages that have memory; the clock's hand */
    struct list free;
    struct list bucket[SHADOW_BUCKETS];
    uint32_t rmap[RMAP_BUCKETS];
    struct shadow_page *root[VIEW_COUNT][PDPT_ENTRIES];
    uint32_t monitor_pde_writes;    /* to guest PDEs of the monitor's 4 MB */
    struct shadow_stats stats;
};

/* ERR_NO_MEMORY: fewer than SHADOW_PAGES_MIN pages could be had. */
MUST_CHECK status_t shadow_init(struct shadow *s, struct vcpu *v,
                                const struct shadow_machine *machine,
                                bool has_views);

/* The view that all code of the present CPL runs in, translated or not. */
enum shadow_view shadow_view(const struct shadow *s);

/* A #PF at AT with the hardware's ERROR code, guest state precise. */
enum shadow_result shadow_fault(struct shadow *s, gla_t at, uint32_t error);

void shadow_switch(struct shadow *s);
void shadow_invlpg(struct shadow *s, gla_t at);

/* MPN is no more to be used, or to be written; on return the TLB knows. */
void shadow_revoke(struct shadow *s, mpn_t mpn);

/* What guest-physical memory consists of changed. */
void shadow_drop_all(struct shadow *s);

#endif
