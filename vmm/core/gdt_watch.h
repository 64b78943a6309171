/*
 * gdt_watch.h - which segment registers would not change if they were loaded
 * with their own selectors again.
 *
 * Kernels load DS, ES and FS on every entry, nearly always with what is there
 * already, and translated code does that in line (bt_slots_set_selector).  But
 * then the descriptors in memory must be what the registers hold, so the GDT's
 * page has a trace.  The first write to it ends that until the guest's user
 * code has run again, for a kernel that switches threads writes it several
 * times.
 *
 * The vcpu's thread, between exit and entry.
 */
#ifndef VMM_CORE_GDT_WATCH_H
#define VMM_CORE_GDT_WATCH_H

#include "kernel/base/addr.h"
#include "vmm/vcpu.h"

/*
 * Before questions.  True: the answers of last time hold, for registers that
 * have the same selectors as then.
 */
bool gdt_watch_begin(struct vcpu *v);

/* Is it so for segment register N?  Until the next gdt_watch_begin(). */
bool gdt_watch_is_same(struct vcpu *v, enum segment n);

/* PPN was written to. */
void gdt_watch_written(uint32_t ppn);

/* User code runs: it is worth a new try. */
void gdt_watch_rearm(void);

/* Mappings may have changed: all, or those of AT. */
void gdt_watch_flush(void);
void gdt_watch_flush_page(const struct vcpu *v, gla_t at);

#endif
