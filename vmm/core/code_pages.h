/*
 * code_pages.h - do the pages that code was translated from still lie there?
 *
 * Translations are found by linear address.  What a page holds is watched by
 * its trace; that the guest's tables still show the same page at that address
 * is for the guest to say, by INVLPG or a load of a control register, as it
 * must on a real processor (SDM 3A 4.10.4).  If its tables were written to
 * since they were looked at, the pages are walked to once more then, and what
 * is no longer so is forgotten.
 *
 * The vcpu's thread, between exit and entry.
 */
#ifndef VMM_CORE_CODE_PAGES_H
#define VMM_CORE_CODE_PAGES_H

#include "kernel/base/addr.h"
#include "vmm/vcpu.h"

/* Code was fetched from AT, which is in PPN. */
void code_pages_note(struct vcpu *v, gla_t at, uint32_t ppn);

/* Is there room for what one batch of translations can note? */
bool code_pages_has_room(void);

/* All translations are gone. */
void code_pages_forget(void);

/* The guest has said that mappings may have changed: all, or those of AT. */
void code_pages_flush(const struct vcpu *v);
void code_pages_flush_page(const struct vcpu *v, gla_t at);

/* PPN, which has a trace, was written to. */
void code_pages_written(uint32_t ppn);

/*
 * Look at what the guest has flushed; MOVED is called with the PPN behind each
 * page that is no longer where it was.
 */
void code_pages_check(struct vcpu *v, void (*moved)(uint32_t ppn));

#endif
