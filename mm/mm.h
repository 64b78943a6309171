/*
 * mm.h - machine memory: pages, heap, mappings.  The public face of mm/.
 *
 * Machine pages come in zones, from scarce to plenty; an allocation names the
 * best zone that it can live with and falls back to scarcer ones:
 *
 *      ZONE_DMA      below 16 MB      ISA devices
 *      ZONE_DIRECT   below 2 GB       always mapped: direct_ptr()
 *      ZONE_DMA32    below 4 GB       devices with 32-bit addresses, PDPTs
 *      ZONE_HIGH     up to 64 GB      everything else: kmap_page()
 *
 * Running out is an error, never a panic.  All functions take their own locks;
 * unless said otherwise they may be called in any context but NMI.
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "kernel/base/addr.h"
#include "kernel/base/bits.h"
#include "kernel/base/mem_reader.h"
#include "kernel/base/status.h"

enum zone_id { ZONE_DMA, ZONE_DIRECT, ZONE_DMA32, ZONE_HIGH, ZONE_COUNT };

/* Whose page: shown by `mem`. */
enum page_owner {
#define PAGE_OWNER(name, text) OWNER_##name,
#include "mm/page_owners.def"
#undef PAGE_OWNER
    OWNER_COUNT
};

#define PAGE_ORDER_MAX  10u     /* the largest block: 4 MB */

/* The end of machine addresses: what PAE and the frame records reach. */
#define MACHINE_BITS    36u
#define MACHINE_LIMIT   BIT64(MACHINE_BITS)

/* 2^ORDER machine pages, aligned to their size; contents are undefined. */
MUST_CHECK status_t page_alloc(enum zone_id zone, unsigned order,
                               enum page_owner owner, mpn_t *mpn);
void page_free(mpn_t mpn, unsigned order);

/* Machine memory below 2 GB is always mapped, at one fixed offset. */
#define DIRECT_BASE     0x40000000u
#define DIRECT_SIZE     0x80000000u
void *direct_ptr(maddr_t maddr);
maddr_t direct_maddr(const void *ptr);

/*
 * A window onto any page, read-write, on this processor, until kunmap: nest
 * (16 deep at most, interrupts included), don't block.
 */
void *kmap_page(mpn_t mpn);
void kunmap_page(void *window);

/*
 * Copy from any machine address, also from what is not RAM to us: firmware's
 * tables.  ERR_RANGE if it does not exist.  Works before mm_init, for the first
 * GB only.
 */
MUST_CHECK status_t machine_read(maddr_t from, void *buf, size_t size);

/* The same for parsers. */
extern const struct mem_reader machine_reader;

/*
 * COUNT pages of zeroed memory at consecutive linear addresses with an
 * unmapped guard page below and above: stacks, large buffers; NULL if there is
 * not enough.  Not in interrupt context, no spinlock held (TLBs are flushed on
 * all processors).  COUNT must be the same for both.
 */
void *kva_alloc(unsigned count, enum page_owner owner);
void kva_free(void *ptr, unsigned count);

/*
 * Show a machine page below 2 MB also at its own address, to read and execute
 * only, and take that away again (interrupts on, no lock held).
 */
void mm_map_identity_page(maddr_t page);
void mm_unmap_identity_page(maddr_t page);

/* Map device memory uncached (for ever); NULL if there is no room. */
void *mmio_map(maddr_t maddr, size_t size);

/* The heap: size classes up to a few pages, then whole pages. */
void *heap_alloc(size_t size);          /* 16-byte aligned, or NULL */
void *heap_alloc_zero(size_t size);
void heap_free(void *ptr);              /* NULL is allowed */

#endif
