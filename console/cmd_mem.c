/*
 * cmd_mem.c - `mem`: machine memory, by zone and by owner.
 *
 * Sizes are rounded down, so they need not add up to the last MB.  Run in the
 * shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "kernel/backtrace.h"
#include "mm/mm_info.h"

#define PAGES_PER_MB    (MB(1) / PAGE_SIZE)
#define NAME_COLUMN     16
#define SITE_NAME_SIZE  28u
#define SITES_SHOWN     12u

static const char *
pages_text(char *buf, uint32_t pages)
{
    return units_bytes(buf, (uint64_t)pages * PAGE_SIZE);
}

static void
show_zones(const struct mm_info *info)
{
    char total[UNITS_SIZE], free[UNITS_SIZE];

    output_print("ZONE                  TOTAL       FREE\n");
    for (unsigned z = 0; z < ZONE_COUNT; z++) {
        if (info->zones[z].total_pages == 0)
            continue;
        output_print("%-*s %10s %10s\n", NAME_COLUMN, info->zones[z].name,
                     pages_text(total, info->zones[z].total_pages),
                     pages_text(free, info->zones[z].free_pages));
    }
}

static void
show_owners(const struct mm_info *info)
{
    char size[UNITS_SIZE];

    output_print("OWNER                  SIZE\n");
    for (unsigned o = 0; o < OWNER_COUNT; o++)
        if (info->owner_pages[o] > 0)
            output_print("%-*s %10s\n", NAME_COLUMN,
                         page_owner_name((enum page_owner)o),
                         pages_text(size, info->owner_pages[o]));
}

/* One caller of heap_alloc and what it holds; SITE 0: all the others. */
static void
show_site(void *arg UNUSED, uint32_t site, size_t blocks, size_t bytes)
{
    char size[UNITS_SIZE], name[SITE_NAME_SIZE];

    symtab_format(site, name, sizeof(name));
    output_print("%-28s %8u %10s\n", site == 0 ? "(others)" : name,
                 (unsigned)blocks, units_bytes(size, bytes));
}

static void
show_heap(void)
{
    output_print("\nHELD BY                        BLOCKS       SIZE\n");
    heap_report_leaks(SITES_SHOWN, show_site, NULL);
}

void
cmd_mem(const struct args *args)
{
    struct mm_info info;
    char heap[UNITS_SIZE];

    mm_get_info(&info);
    output_print("Machine memory: %u MB, of which %u MB are free\n\n",
                 info.total_pages / PAGES_PER_MB,
                 info.free_pages / PAGES_PER_MB);
    show_zones(&info);
    output_print("\n");
    show_owners(&info);
    output_print("\nHeap: %s in %u blocks\n",
                 units_bytes(heap, info.heap_bytes),
                 (unsigned)info.heap_blocks);
    if (args_option(args, 'v') != NULL)
        show_heap();
}
