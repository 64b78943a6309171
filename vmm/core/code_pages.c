/*
 * code_pages.c - a table of the pages that have translations, by linear page.
 *
 * A load of CR3 leaves global pages as they are, and a kernel's own code is
 * global wherever it can be: then nothing is walked.  INVLPG matters only for
 * pages that are in the table, or in a large page with one that is.
 *
 * Entries that no translation needs any more do no harm; when the table is
 * full, the owner forgets all translations and begins anew.
 *
 * The vcpu's thread; no locks.  SDM 3A 4.10.4.1.
 */
#include "vmm/core/code_pages.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "vmm/mmu/guest_walk.h"

#define PAGES_MAX   4096u
#define BATCH_PAGES 256u
#define HASH_SIZE   8192u       /* a power of 2, more than PAGES_MAX */
#define REGION_SHIFT 22         /* the largest page is 4 MB */
#define REGIONS     1024u

enum flush { FLUSH_NONE, FLUSH_LOCAL, FLUSH_ALL };

struct code_page {
    uint32_t page;              /* linear, in pages */
    uint32_t ppn;
    bool is_global;
};

static struct code_page pages[PAGES_MAX];
static uint32_t count;
static uint16_t hash[HASH_SIZE];            /* index in pages, + 1 */
static bool has_large[REGIONS];             /* code in a large page there */
static enum flush flush;
static uint32_t last_cr0, last_cr4, last_efer;

static uint16_t *
find(uint32_t page)
{
    uint32_t n = page % HASH_SIZE;

    while (hash[n] != 0 && pages[hash[n] - 1].page != page)
        n = (n + 1) % HASH_SIZE;
    return &hash[n];
}

/* The page at AT as code sees it; false: there is none now. */
static bool
walk(struct vcpu *v, uint32_t page, struct guest_mapping *mapping)
{
    return guest_walk_peek(v, make_gla(page << PAGE_SHIFT), GUEST_FETCH,
                           mapping);
}

void
code_pages_note(struct vcpu *v, gla_t at, uint32_t ppn)
{
    uint32_t page = gla_raw(at) >> PAGE_SHIFT;
    uint16_t *entry = find(page);
    struct guest_mapping mapping;

    if (*entry != 0 && pages[*entry - 1].ppn == ppn)
        return;
    if (!walk(v, page, &mapping))
        return;
    if (*entry == 0) {
        ASSERT(count < PAGES_MAX);
        *entry = (uint16_t)++count;
    }
    pages[*entry - 1] = (struct code_page){ page, ppn, mapping.is_global };
    if (mapping.page_size != PAGE_SIZE)
        has_large[gla_raw(at) >> REGION_SHIFT] = true;
}

bool
code_pages_has_room(void)
{
    return count <= PAGES_MAX - BATCH_PAGES;
}

void
code_pages_forget(void)
{
    count = 0;
    memset(hash, 0, sizeof(hash));
    memset(has_large, 0, sizeof(has_large));
}

/* Changes of CR0, CR4 and EFER concern global pages, too. */
void
code_pages_flush(const struct vcpu *v)
{
    const struct guest_cpu *cpu = &v->cpu;
    bool is_cr3 = cpu->cr0 == last_cr0 && cpu->cr4 == last_cr4 &&
                  (uint32_t)cpu->efer == last_efer;

    flush = MAX(flush, is_cr3 ? FLUSH_LOCAL : FLUSH_ALL);
    last_cr0 = cpu->cr0;
    last_cr4 = cpu->cr4;
    last_efer = (uint32_t)cpu->efer;
}

void
code_pages_flush_page(gla_t at)
{
    if (has_large[gla_raw(at) >> REGION_SHIFT] ||
        *find(gla_raw(at) >> PAGE_SHIFT) != 0)
        flush = FLUSH_ALL;
}

void
code_pages_check(struct vcpu *v, void (*moved)(uint32_t ppn))
{
    bool is_all = flush == FLUSH_ALL;

    if (flush == FLUSH_NONE)
        return;
    flush = FLUSH_NONE;
    for (uint32_t n = 0; n < count; n++) {
        struct code_page *p = &pages[n];
        struct guest_mapping mapping;

        if (p->is_global && !is_all)
            continue;
        if (!walk(v, p->page, &mapping)) {
            moved(p->ppn);
        } else if (ppn_raw(gpa_to_ppn(mapping.at)) != p->ppn) {
            moved(p->ppn);
            p->ppn = (uint32_t)ppn_raw(gpa_to_ppn(mapping.at));
        }
    }
}
