/*
 * vm_image.c - a monitor's address space: its 4 MB at the top of linear space.
 *
 * What lies where is vmm/layout.h.  Text and rodata are the same for all
 * monitors and stay where they are, in the VMkernel's own rodata; data is
 * copied; everything else begins as zeroed pages of this instance's own.
 * Where the CPU has NX nothing is both writable and executable: the TC is one
 * in the views, the other in the permanent root.
 *
 *      PDPT of a view --[3]--> shadow PD --[510]--> lower table of the view
 *      permanent PDPT --[3]--> our PD ----[511]--> upper table, of all views
 *                     --[0]--> our PD ----[2..]--> the translator's memory
 *
 * The lower tables are the monitor's from then on: vmm/core/tc_area.c.  The
 * shadow's PDs are the monitor's to make, with the PDEs that are in its
 * parameters; it starts on the permanent root, where no guest is.
 *
 * All pages are below 2 GB, so that the VMkernel always has them mapped, and in
 * one list, which frees them all.  Called by vm_instance_create(), in any
 * world.  SDM 3A 4.4 (PAE); ELF: System V ABI, chapter 5.
 */
#include "vmm/vmk/vm_image.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/sandbox.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/cpuid.h"
#include "mm/pagetable.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/world_switch.h"
#include "vmm/layout.h"
#include "vmm/vmk/instance_int.h"
#include "vmm/vmk/vm_elf.h"

/* What a page may be used for; P and A come by themselves. */
#define DATA            (PTE_RW | PTE_D | PTE_NX)
#define USER_CODE       PTE_US
#define USER_DATA       (PTE_US | DATA)
#define USER_RODATA     (PTE_US | PTE_NX)
#define RODATA          PTE_NX
#define TEXT            0

STATIC_ASSERT(GUEST_INT_SYSCALL >= VEC_GUEST_FIRST &&
              GUEST_INT_CALLOUT <= VEC_GUEST_LAST);

#define TRACED_PER_PAGE (PAGE_SIZE * 8u)
#define TSS_SIZE        ((uint32_t)sizeof(struct tss))

/* As if the permanent root were a view, too: one without a guest. */
#define VIEW_PERMANENT  VIEW_COUNT
#define VIEWS           (VIEW_COUNT + 1u)

/* Rights of the same page in each view. */
struct rights {
    pte_t view[VIEWS];
};
#define RIGHTS(exact, kernel, user, permanent)                            \
    { { [VIEW_EXACT] = (exact), [VIEW_KERNEL] = (kernel),                 \
        [VIEW_USER] = (user), [VIEW_PERMANENT] = (permanent) } }
#define RIGHTS_ALIKE(rights) RIGHTS(rights, rights, rights, rights)

static const struct rights text_rights = RIGHTS_ALIKE(TEXT);
static const struct rights rodata_rights = RIGHTS_ALIKE(RODATA);
static const struct rights data_rights = RIGHTS_ALIKE(DATA);

/* Blocks of 2^order pages each, zeroed; machine addresses go on in a block. */
struct region {
    uint32_t at, size;
    unsigned order;
    struct rights rights;
};

static const struct region regions[] = {
    { VMM_TC_AT, VMM_TC_SIZE, 0, RIGHTS(TEXT, USER_CODE, RODATA, DATA) },
    { VMM_SLOTS_AT, PAGE_SIZE, 0, RIGHTS(DATA, USER_DATA, DATA, DATA) },
    { VMM_TABLES_AT, VMM_TABLES_SIZE, 0,
      RIGHTS(RODATA, USER_RODATA, RODATA, DATA) },
    { VMM_BT_AT, VMM_BT_SIZE, 0, RIGHTS_ALIKE(DATA) },
    { VMM_GDT_AT, VMM_DESCRIPTORS_SIZE, 0, RIGHTS_ALIKE(DATA) },
    { VMM_LDT_AT, VMM_DESCRIPTORS_SIZE, 0, RIGHTS_ALIKE(DATA) },
    { VMM_STACK_AT, VMM_STACK_TOP - VMM_STACK_AT, 0, RIGHTS_ALIKE(DATA) },
    { VMM_SHARED_AT, PAGE_SIZE, 0, RIGHTS_ALIKE(DATA) },
    { VMM_RINGS_AT, 2 * PAGE_SIZE, 1, RIGHTS_ALIKE(DATA) },
    { VMM_STATS_AT, 2 * PAGE_SIZE, 1, RIGHTS_ALIKE(DATA) },
    { VMM_PMAP_ROOT_AT, PAGE_SIZE, 0, RIGHTS_ALIKE(RODATA) },
    { VMM_PDPT_AT, PAGE_SIZE, 0, RIGHTS_ALIKE(DATA) },
    { VMM_VMK_AT, PAGE_SIZE, 0, RIGHTS_ALIKE(RODATA) },
    { VMM_EVENTS_AT, 4 * PAGE_SIZE, 2, RIGHTS_ALIKE(DATA) },
};

#define BT_TABLES       (VMM_BT_SIZE / LARGE_PAGE_SIZE)
STATIC_ASSERT(VMM_BT_SIZE % LARGE_PAGE_SIZE == 0 &&
              VMM_BT_AT % LARGE_PAGE_SIZE == 0);

/* An address space while it is made. */
struct space {
    struct vm_instance *i;
    pte_t supported;            /* bits that this CPU knows */
    pte_t *lower[VIEWS];        /* NULL: the sandbox has no such view */
    pte_t *upper;
    pte_t *bt[BT_TABLES];       /* in the permanent root */
    struct vm_elf elf;
};

/* The page at VMM_PDPT_AT. */
struct pdpt_page {
    pte_t view[VIEW_COUNT][PDPT_ENTRIES];
    pte_t permanent[PDPT_ENTRIES];
};

/* The VMkernel's page table of the top 2 MB. */
static pte_t switch_table[PT_ENTRIES] ALIGNED(PAGE_SIZE);

/* --- Pages -----------------------------------------------------------------*/

static status_t
new_block(struct space *s, unsigned order, void **block)
{
    mpn_t mpn;
    status_t status = page_list_alloc(&s->i->pages, order, &mpn);

    if (status != OK)
        return status;
    *block = direct_ptr(mpn_to_maddr(mpn));
    memset(*block, 0, PAGE_SIZE << order);
    return OK;
}

static void
map_page(struct space *s, uint32_t at, const void *page,
         const struct rights *rights)
{
    pte_t entry = maddr_raw(direct_maddr(page)) | PTE_P | PTE_A;

    if (at >= VMM_UPPER || at < VMM_BASE) {
        pte_t *table = at >= VMM_UPPER ? s->upper
                       : s->bt[(at - VMM_BT_AT) / LARGE_PAGE_SIZE];

        table[pt_index(at)] =
            (entry | rights->view[VIEW_PERMANENT]) & s->supported;
        return;
    }
    for (unsigned v = 0; v < VIEWS; v++)
        if (s->lower[v] != NULL)
            s->lower[v][pt_index(at)] =
                (entry | rights->view[v]) & s->supported;
}

/* Our own pointer to what the monitor will see at AT, in VMM_UPPER. */
static void *
upper_ptr(const struct space *s, uint32_t at)
{
    pte_t entry = s->upper[pt_index(at)];
    uint8_t *page = direct_ptr(make_maddr(entry & PTE_ADDR));

    ASSERT(at >= VMM_UPPER && (entry & PTE_P));
    return page + (at & PAGE_MASK);
}

static status_t
make_region(struct space *s, const struct region *r)
{
    uint32_t block_size = PAGE_SIZE << r->order;

    for (uint32_t done = 0; done < r->size; done += block_size) {
        void *block;
        status_t status = new_block(s, r->order, &block);

        if (status != OK)
            return status;
        for (uint32_t n = 0; n < block_size; n += PAGE_SIZE)
            map_page(s, r->at + done + n, (uint8_t *)block + n, &r->rights);
    }
    return OK;
}

/* As many pages of the bitmap at AT as the guest's memory needs. */
static status_t
make_traces(struct space *s, uint32_t at)
{
    uint32_t pages = DIV_ROUND_UP(s->i->params.memory_pages,
                                  TRACED_PER_PAGE);
    const struct region bitmap = {
        at, pages * PAGE_SIZE, 0, RIGHTS_ALIKE(DATA)
    };

    ASSERT(bitmap.size <= VMM_TRACES_SIZE);
    return make_region(s, &bitmap);
}

/* --- The program -----------------------------------------------------------*/

static status_t
read_program(struct vm_elf *elf)
{
    return vm_elf_read(vmm_image_start,
                       (size_t)(vmm_image_end - vmm_image_start), elf);
}

/* The page at OFFSET of a writable segment: a copy of its own. */
static status_t
copy_page(struct space *s, const struct vm_elf_segment *segment,
          uint32_t offset)
{
    void *page;
    status_t status = new_block(s, 0, &page);

    if (status != OK)
        return status;
    if (offset < segment->file_size)
        memcpy(page, segment->bytes + offset,
               MIN(segment->file_size - offset, (uint32_t)PAGE_SIZE));
    map_page(s, segment->address + offset, page, &data_rights);
    return OK;
}

static status_t
make_segment(struct space *s, const struct vm_elf_segment *segment)
{
    const struct rights *rights = segment->is_executable ? &text_rights :
                                  &rodata_rights;
    status_t status = OK;

    if (segment->address < VMM_UPPER)
        return TRACE_ERR(ERR_CORRUPT);
    for (uint32_t n = 0; n < segment->memory_size && status == OK;
         n += PAGE_SIZE) {
        if (segment->is_writable)
            status = copy_page(s, segment, n);
        else
            map_page(s, segment->address + n, segment->bytes + n, rights);
    }
    return status;
}

static status_t
make_program(struct space *s)
{
    status_t status = read_program(&s->elf);

    for (unsigned n = 0; status == OK && n < s->elf.count; n++)
        status = make_segment(s, &s->elf.segment[n]);
    return status;
}

/* --- Tables ----------------------------------------------------------------*/

static bool
has_view(unsigned view)
{
    return view == VIEW_PERMANENT ||
           (view == VIEW_EXACT) == (sandbox_mode() == SANDBOX_SEGMENT);
}

static status_t
new_table(struct space *s, pte_t **table)
{
    void *page;
    status_t status = new_block(s, 0, &page);

    if (status == OK)
        *table = page;
    return status;
}

static status_t
make_page_tables(struct space *s)
{
    status_t status = new_table(s, &s->upper);

    for (unsigned v = 0; v < VIEWS && status == OK; v++)
        if (has_view(v))
            status = new_table(s, &s->lower[v]);
    for (unsigned n = 0; n < BT_TABLES && status == OK; n++)
        status = new_table(s, &s->bt[n]);
    if (status != OK)
        return status;
    map_page(s, VMM_TABLE_AT, s->upper, &data_rights);
    if (has_view(VIEW_KERNEL)) {
        map_page(s, VMM_VIEW_TABLES_AT, s->lower[VIEW_KERNEL], &data_rights);
        map_page(s, VMM_VIEW_TABLES_AT + PAGE_SIZE, s->lower[VIEW_USER],
                 &data_rights);
    }
    return OK;
}

static pte_t
table_entry(const pte_t *table, pte_t rights)
{
    return maddr_raw(direct_maddr(table)) | PTE_P | PTE_A | PTE_RW | rights;
}

/* What the monitor puts into the PD that ends a view's linear space. */
static void
set_monitor_pdes(const struct space *s, unsigned view, pte_t *pde)
{
    pde[0] = table_entry(s->lower[view],
                         view == VIEW_KERNEL ? PTE_US : 0);
    pde[1] = table_entry(s->upper, 0);
}

static status_t
make_permanent_root(struct space *s, pte_t *pdpt)
{
    pte_t *monitor, *bt;
    status_t status = new_table(s, &monitor);

    if (status == OK)
        status = new_table(s, &bt);
    if (status != OK)
        return status;
    set_monitor_pdes(s, VIEW_PERMANENT, &monitor[pd_index(VMM_BASE)]);
    for (unsigned n = 0; n < BT_TABLES; n++)
        bt[pd_index(VMM_BT_AT) + n] = table_entry(s->bt[n], 0);
    pdpt[pdpt_index(VMM_BASE)] = maddr_raw(direct_maddr(monitor)) | PTE_P;
    pdpt[pdpt_index(VMM_BT_AT)] = maddr_raw(direct_maddr(bt)) | PTE_P;
    return OK;
}

static status_t
make_roots(struct space *s)
{
    struct vmm_params *params = &s->i->shared->params;
    struct pdpt_page *pdpts = upper_ptr(s, VMM_PDPT_AT);
    status_t status = make_permanent_root(s, pdpts->permanent);

    if (status != OK)
        return status;
    params->permanent_cr3 =
        (uint32_t)maddr_raw(direct_maddr(pdpts->permanent));
    for (unsigned v = 0; v < VIEW_COUNT; v++) {
        if (!has_view(v))
            continue;
        params->pdpt[v] = (uint32_t)maddr_raw(direct_maddr(pdpts->view[v]));
        set_monitor_pdes(s, v, params->monitor_pde[v]);
    }
    return OK;
}

/* --- The state to begin with: vmm/core/world_switch.h ----------------------*/

static void
make_descriptors(const struct space *s)
{
    struct segdesc *code = upper_ptr(s, VMM_GDT_AT + VMM_SEL_CODE);
    struct segdesc *data = upper_ptr(s, VMM_GDT_AT + VMM_SEL_DATA);
    struct segdesc *tss = upper_ptr(s, VMM_GDT_AT + VMM_SEL_TSS);

    *code = (struct segdesc)SEGDESC_PAGES(
        0, SEG_LIMIT_4GB, SEG_CODE | SEG_CODE_R | SEG_ACCESSED, 0);
    *data = (struct segdesc)SEGDESC_PAGES(
        0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED, 0);
    /* Zeros will do: the monitor brings a true one. */
    *tss = (struct segdesc)SEGDESC_PAGES(VMM_STACK_AT, TSS_SIZE - 1,
                                         SYS_TSS32_AVAIL, 0);
    tss->s = 0;
    tss->g = 0;
    tss->db = 0;
}

static void
make_context(const struct space *s)
{
    struct vmm_shared *shared = s->i->shared;
    uint32_t esp = VMM_STACK_TOP - sizeof(struct world_switch_stack);
    struct world_switch_stack *stack = upper_ptr(s, esp);

    *stack = (struct world_switch_stack){ .eip = s->elf.entry };
    shared->vmm = (struct cpu_context){
        .esp = esp, .cr0 = read_cr0(), .cr3 = shared->params.permanent_cr3,
        .cr4 = read_cr4(),
        .gdtr = { VMM_DESCRIPTORS_SIZE - 1, VMM_GDT_AT },
        .tr = VMM_SEL_TSS, .cs = VMM_SEL_CODE, .ss = VMM_SEL_DATA,
        .ds = VMM_SEL_DATA, .es = VMM_SEL_DATA,
        .idtr = { 0, VMM_IMAGE_AT }
    };
    s->i->made.first = shared->vmm;
    memcpy(s->i->made.root, shared->params.pdpt, sizeof(shared->params.pdpt));
    s->i->made.root[VIEW_COUNT] = shared->params.permanent_cr3;
}

static void
set_params(struct vm_instance *i)
{
    struct vmm_params *p = &i->shared->params;

    p->sandbox = sandbox_mode() == SANDBOX_SEGMENT ? VMM_SANDBOX_SEGMENT :
                 VMM_SANDBOX_PAGING;
    p->engine = i->params.engine;
    p->memory_pages = i->params.memory_pages;
    p->shadow_pages = i->params.shadow_pages;
    p->stress = i->params.stress;
    p->misread = i->params.misread;
    p->audit = i->params.audit;
    p->tsc_hz = (uint64_t)clock_tsc_khz() * 1000u;
    p->wall_base = i->params.wall_base;
}

/* --- Public ----------------------------------------------------------------*/

status_t
vm_image_build(struct vm_instance *i)
{
    struct space s = { .i = i,
                       .supported = cpu_has(CPU_NX) ? ~0ull : ~PTE_NX };
    status_t status = make_page_tables(&s);

    for (unsigned n = 0; n < ARRAY_LEN(regions) && status == OK; n++)
        status = make_region(&s, &regions[n]);
    if (status == OK)
        status = make_traces(&s, VMM_TRACES_AT);
    if (status == OK)
        status = make_traces(&s, VMM_TRACES_AT + VMM_TRACES_SIZE);
    if (status == OK)
        status = make_program(&s);
    if (status != OK)
        return status;
    i->shared = upper_ptr(&s, VMM_SHARED_AT);
    i->vmk = upper_ptr(&s, VMM_VMK_AT);
    i->rings = upper_ptr(&s, VMM_RINGS_AT);
    i->stats = upper_ptr(&s, VMM_STATS_AT);
    i->events = upper_ptr(&s, VMM_EVENTS_AT);
    set_params(i);
    status = make_roots(&s);
    if (status != OK)
        return status;
    make_descriptors(&s);
    make_context(&s);
    return vm_memory_init(i, upper_ptr(&s, VMM_PMAP_ROOT_AT));
}

status_t
vm_image_init(void)
{
    struct vm_elf elf;
    status_t status = read_program(&elf);

    for (unsigned n = 0; status == OK && n < elf.count; n++) {
        const struct vm_elf_segment *segment = &elf.segment[n];

        if (segment->address != VMM_SWITCH_AT)
            continue;
        pagetable_use_table(VMM_SWITCH_AT, switch_table);
        pagetable_map(VMM_SWITCH_AT,
                      maddr_to_mpn(direct_maddr(segment->bytes)), MAP_TEXT);
        return OK;
    }
    return TRACE_ERR(ERR_CORRUPT);
}
