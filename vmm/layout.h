/*
 * layout.h - what lies where in the monitor's 4 MB at the top of linear space.
 *
 * While a guest or its monitor runs, linear 0 .. VMM_BASE is the guest's; from
 * there up is the monitor's, and no guest code can reach it but for what
 * translated code needs: the TC (read and execute), the tables (read) and the
 * slots, which in the paging sandbox are user pages in the kernel view.
 *
 *      ffc00000    TC              translated code
 *      ffdb8000    slots, tables   what translated code reads: base of its %gs
 *                                  (these move: vmm/core/tc_area.h)
 *      ffe00000    image           vmm.elf: text, rodata, data, bss
 *      ffec8000    traces          two bitmaps, one bit for each guest page
 *      fff00000    windows         onto guest pages, shadow tables, the pmap
 *      fffb0000    GDT, LDT        all 8192 slots of each
 *      fffd0000    guard, stack
 *      fffe0000    shared pages    with the VMkernel: vmm/shared.h
 *      fffff000    the switch page: here in the VMkernel's space, too
 *
 * What only the translator itself needs is larger than all that.  It lies in
 * the guest's part of linear space, in the permanent root alone: the page
 * tables in which there is no guest, and in which the TC can be written.
 *
 * The lower 2 MB have a page table for each view, because user code must not
 * see what the translated kernel may.  The upper 2 MB have one for all views,
 * which the monitor writes itself when it moves a window (VMM_TABLE_AT).
 *
 * Plain numbers: assembly includes this too.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#define VMM_BASE            0xffc00000

#define VMM_TC_AT           0xffc00000
#define VMM_TC_SIZE         0x001b8000
#define VMM_SLOTS_AT        0xffdb8000      /* one page */
#define VMM_TABLES_AT       0xffdb9000      /* struct bt_tables and its links */
#define VMM_TABLES_SIZE     0x00047000
#define VMM_BT_AT           0x00400000      /* bt_init()'s memory */
#define VMM_BT_SIZE         0x00400000      /* whole large pages */

#define VMM_UPPER           0xffe00000      /* from here up: one page table */
#define VMM_IMAGE_AT        0xffe00000
#define VMM_IMAGE_SIZE      0x000c8000
#define VMM_TRACES_AT       0xffec8000      /* table traces, code traces */
#define VMM_TRACES_SIZE     0x0001c000      /* of each: 3.5 GB of guest pages */

#define VMM_GUEST_WINDOWS_AT    0xfff00000
#define VMM_GUEST_WINDOWS       96          /* pages */
#define VMM_SHADOW_WINDOWS_AT   0xfff60000
#define VMM_SHADOW_WINDOWS      64
#define VMM_PMAP_WINDOWS_AT     0xfffa0000
#define VMM_PMAP_WINDOWS        16

#define VMM_GDT_AT          0xfffb0000
#define VMM_LDT_AT          0xfffc0000
#define VMM_DESCRIPTORS_SIZE 0x00010000     /* of each */
#define VMM_STACK_GUARD     0xfffd0000      /* not mapped */
#define VMM_STACK_AT        0xfffd1000
#define VMM_STACK_TOP       0xfffe0000

#define VMM_SHARED_AT       0xfffe0000      /* struct vmm_shared */
#define VMM_RINGS_AT        0xfffe1000      /* struct vmm_rings, 2 pages */
#define VMM_STATS_AT        0xfffe3000      /* struct vmm_stats, 2 pages */
#define VMM_PMAP_ROOT_AT    0xfffe5000      /* MPNs of the pmap's pages */
#define VMM_TABLE_AT        0xfffe6000      /* the page table of VMM_UPPER */
#define VMM_PDPT_AT         0xfffe7000      /* the views' PDPTs, the root's */
#define VMM_EVENTS_AT       0xfffe8000      /* struct vmm_events, 4 pages */
#define VMM_VIEW_TABLES_AT  0xfffec000      /* of the lower 2 MB: tc_area.c */
#define VMM_VMK_AT          0xfffee000      /* struct cpu_context, read-only */
#define VMM_SWITCH_AT       0xfffff000

#endif
