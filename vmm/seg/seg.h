/*
 * seg.h - the guest's segments in the machine's descriptor tables.
 *
 * Translated code runs on *cached descriptors*: one GDT slot for each guest
 * segment register (VMM_SEL_BT_...), made from its hidden part, whatever the
 * guest's GDT says by now, with the ring that translated code runs in.  In the
 * segment sandbox they end below VMM_BASE.
 *
 * Direct execution runs on the *shadow GDT and LDT*: copies of the guest's
 * tables at the guest's own indices, because user code loads selectors itself.
 * Exact in base, limit and type; gates and system segments, and whatever would
 * reach the monitor, are made so that their use traps.
 *
 * The vcpu's thread, outside the guest.  SDM 3A 3.4.5.
 */
#ifndef VMM_SEG_SEG_H
#define VMM_SEG_SEG_H

#include "kernel/x86/trapframe.h"
#include "vmm/shared.h"
#include "vmm/vcpu.h"

/* IS_TRUNCATED: the segment sandbox, translated code in ring 1; else 3. */
void seg_init(bool is_truncated);

/* Translated code finds its slots, and the tables behind them, at linear AT. */
void seg_place_slots(uint32_t at);

/*
 * For translated code: brings the cached descriptors up to date with V's
 * segments, and puts selectors into FRAME (cs, ss, ds, es, fs, gs).  False:
 * interpret, since SS cannot be expressed or has 16 bits, which IRET cannot
 * enter with all of ESP.  DS, ES or FS that cannot be expressed are null.
 */
MUST_CHECK bool seg_enter_bt(struct vcpu *v, struct trapframe *frame);

/*
 * The instruction at V's eip trapped in translated code, and will be
 * interpreted.  True: it reached for the half of a segment that was not there
 * (one that wraps at 4 GB, in the segment sandbox: vmm/seg/backing.c), and that
 * half will be, from the next seg_enter_bt() on; so the trap is no reason to
 * translate this instruction in another way.
 */
MUST_CHECK bool seg_on_fault(struct vcpu *v);

/*
 * For direct execution at CPL 3: brings the shadow tables up to date with the
 * guest's, checks that each segment register could be loaded again (is
 * reversible) and that IRET can go to V's eip, and puts the guest's selectors
 * into FRAME.  False: interpret.
 */
MUST_CHECK bool seg_enter_direct(struct vcpu *v, struct trapframe *frame);

/* Behind direct execution: take what user code loaded into V's segments. */
void seg_leave_direct(struct vcpu *v, const struct trapframe *frame);

#endif
