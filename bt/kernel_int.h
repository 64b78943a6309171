/*
 * kernel_int.h - handlers (handlers_int.h) for guest kernels only.
 */
#ifndef BT_KERNEL_INT_H
#define BT_KERNEL_INT_H

#include "bt/handlers_int.h"

/* --- xlate_flags.c -------------------------------------------------------- */
void xlate_cli(struct xlate *x, const struct insn *insn);
void xlate_sti(struct xlate *x, const struct insn *insn);
void xlate_pushf(struct xlate *x, const struct insn *insn);
void xlate_popf(struct xlate *x, const struct insn *insn);

/* At the start of a sequence: ECX and EAX go to their slots. */
void xlate_save_scratch(struct xlate *x);

/* --- xlate_segment.c ------------------------------------------------------ */
void xlate_mov_from_seg(struct xlate *x, const struct insn *insn);
void xlate_push_seg(struct xlate *x, const struct insn *insn);
void xlate_mov_to_seg(struct xlate *x, const struct insn *insn);
void xlate_pop_seg(struct xlate *x, const struct insn *insn);

/* --- xlate_control.c ------------------------------------------------------ */
void xlate_mov_from_cr(struct xlate *x, const struct insn *insn);
void xlate_rdtsc(struct xlate *x, const struct insn *insn);

/* --- xlate_gs.c ----------------------------------------------------------- */
/* Through GS, with SEGMENT_BY_SLOT; 32-bit code only. */
void xlate_gs(struct xlate *x, const struct insn *insn);

#endif
