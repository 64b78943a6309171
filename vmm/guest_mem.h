/*
 * guest_mem.h - guest memory as instructions see it: linear, and it may fault.
 *
 * The only way in which interpreter and event delivery touch guest memory.
 * Each image brings its own implementation: the monitor walks the guest's
 * tables and uses its windows, `vmrun` an array, btrun the process itself, and
 * tests one that faults where they say.  Segmentation has been applied before
 * (guest_segment.h); paging, device memory and write traces are behind here.
 *
 * A function that returns false has left the fault in v->fault (a #PF with its
 * error code and address), has changed nothing in memory, and the instruction
 * must not commit.  Sizes are 1 to 512 bytes and may cross a page: all pages
 * are checked before the first byte is written.  Linear addresses wrap at 4 GB.
 * Accessed and dirty bits are set as the CPU would (SDM 3A 4.8).
 *
 * Called by the vcpu's own thread, at any point of an instruction.
 */
#ifndef VMM_GUEST_MEM_H
#define VMM_GUEST_MEM_H

#include "kernel/base/addr.h"
#include "kernel/base/types.h"
#include "vmm/vcpu.h"

/* What an access is, for its rights and the #PF error code: SDM 3A 4.7. */
enum guest_access {
    GUEST_READ,
    GUEST_WRITE,
    GUEST_FETCH,
    GUEST_ACCESS_MASK = BITS(1, 0),
    /*
     * As supervisor whatever the CPL: descriptor tables, TSS, and the stack
     * of the ring that an event or a gate goes to.
     */
    GUEST_SYSTEM = BIT(2),
};

MUST_CHECK bool guest_read(struct vcpu *v, gla_t at, void *to, size_t size,
                           unsigned access);
MUST_CHECK bool guest_write(struct vcpu *v, gla_t at, const void *from,
                            size_t size, unsigned access);

/*
 * Would the access fault?  Asked before a first write whose instruction must
 * still be able to fault (read-modify-write, pushes of several words), so that
 * a guest_write() of the same bytes afterwards succeeds.
 */
MUST_CHECK bool guest_probe(struct vcpu *v, gla_t at, size_t size,
                            unsigned access);

/*
 * If the SIZE (1, 2, 4, 8) bytes are *OLD make them NEW, in one step for all
 * processors; *OLD becomes what was found.  The access is a write, at the
 * CPL.  LOCKed instructions are loops around this.
 */
MUST_CHECK bool guest_compare_exchange(struct vcpu *v, gla_t at, size_t size,
                                       uint64_t *old, uint64_t new);

/*
 * A pointer to the byte at AT, good for *SIZE bytes (to the end of its page)
 * and this kind of access as long as v->memory_generation stays as it is; or
 * NULL where there is no plain memory or the access would fault: then the
 * functions above do it byte by byte, or tell the fault.  For instruction
 * fetch and for REP MOVS and STOS.
 */
void *guest_window(struct vcpu *v, gla_t at, unsigned access, size_t *size);

/*
 * CR0, CR3, CR4 or EFER changed what addresses mean; INVLPG.  A load of CR3 may
 * leave what is global: SDM 3A 4.10.4.1.
 */
void guest_mem_flush(struct vcpu *v, bool with_global);
void guest_mem_flush_page(struct vcpu *v, gla_t at);

/*
 * Guest-physical memory, for tables that paging itself reads, loaders and
 * devices.  False: not all of it is RAM, and nothing was done.  Writes fire
 * traces like any other.
 */
MUST_CHECK bool guest_phys_read(struct vcpu *v, gpa_t at, void *to,
                                size_t size);
MUST_CHECK bool guest_phys_write(struct vcpu *v, gpa_t at, const void *from,
                                 size_t size);

#endif
