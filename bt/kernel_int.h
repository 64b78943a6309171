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

#endif
