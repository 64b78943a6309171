/*
 * direct_map.c - see direct_map.h.
 *
 * Each 2 MB is looked at once.  If it is RAM all over and nothing in it needs
 * rights of its own it gets one large entry; if it has no RAM it stays
 * unmapped, so that nothing can be read ahead from devices there; else it gets
 * a page table.  The first 2 MB always get one: large pages across the fixed
 * ranges of the MTRRs are slow or wrong (SDM 3A 11.11.9).
 */
#include "mm/direct_map.h"

#include "kernel/image.h"
#include "mm/mm.h"
#include "mm/pagetable.h"

#define CHUNK_PAGES     (LARGE_PAGE_SIZE / PAGE_SIZE)
#define DIRECT_CHUNKS   (DIRECT_SIZE / LARGE_PAGE_SIZE)

/* The PC's first MB (the ISA memory map), in pages. */
#define LOW_FIRST       0x001u          /* page 0 stays unmapped */
#define VGA_FIRST       0x0a0u
#define ROM_FIRST       0x0c0u
#define LOW_END         0x100u

static bool
in_section(uint32_t linear, const char *start, const char *end)
{
    return linear >= (uint32_t)start && linear < (uint32_t)end;
}

static enum map_kind
page_kind(const struct memmap *ram, uint32_t mpn)
{
    uint32_t linear = DIRECT_BASE + mpn * PAGE_SIZE;

    if (in_section(linear, text_start, text_end))
        return MAP_TEXT;
    if (in_section(linear, rodata_start, rodata_end))
        return MAP_RODATA;
    if (mpn < LOW_FIRST)
        return MAP_NONE;
    if (mpn >= VGA_FIRST && mpn < ROM_FIRST)
        return MAP_DEVICE;
    if (memmap_count(ram, (struct page_range){ mpn, mpn + 1 }) != 0)
        return MAP_DATA;
    return mpn < LOW_END ? MAP_RODATA : MAP_NONE;
}

/* The image's sections have rights page by page. */
static bool
chunk_has_image(uint32_t linear)
{
    return linear < (uint32_t)image_end &&
           linear + LARGE_PAGE_SIZE > (uint32_t)image_start;
}

static status_t
map_pages(const struct memmap *ram, uint32_t first,
          status_t (*source)(mpn_t *mpn))
{
    uint32_t linear = DIRECT_BASE + first * PAGE_SIZE;
    status_t status = pagetable_prepare(linear, CHUNK_PAGES, source);

    if (status != OK)
        return status;
    for (uint32_t i = 0; i < CHUNK_PAGES; i++) {
        enum map_kind kind = page_kind(ram, first + i);

        if (kind != MAP_NONE)
            pagetable_map(linear + i * PAGE_SIZE, make_mpn(first + i), kind);
    }
    return OK;
}

status_t
direct_map_build(const struct memmap *ram, status_t (*source)(mpn_t *mpn))
{
    for (uint32_t i = 0; i < DIRECT_CHUNKS; i++) {
        uint32_t first = i * CHUNK_PAGES;
        uint32_t linear = DIRECT_BASE + i * LARGE_PAGE_SIZE;
        uint32_t pages = memmap_count(ram, (struct page_range){
                                      first, first + CHUNK_PAGES });
        status_t status = OK;

        if (i == 0 || chunk_has_image(linear))
            status = map_pages(ram, first, source);
        else if (pages == CHUNK_PAGES)
            pagetable_map_large(linear, make_mpn(first), MAP_DATA);
        else if (pages > 0)
            status = map_pages(ram, first, source);
        if (status != OK)
            return status;
    }
    return OK;
}
