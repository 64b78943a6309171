/*
 * near_int.h - handlers (handlers_int.h) for code that is not flat 32-bit code.
 */
#ifndef BT_NEAR_INT_H
#define BT_NEAR_INT_H

#include "bt/handlers_int.h"

/* --- code.c --------------------------------------------------------------- */
/* 32-bit code and stack, no limit. */
bool code_is_flat(const struct bt *bt);

/* Are the SIZE (at least 1) bytes at EIP within the limit of CS? */
bool code_permits(const struct bt *bt, uint32_t eip, uint32_t size);

/* --- xlate_near.c --------------------------------------------------------- */
void xlate_near_jcc(struct xlate *x, const struct insn *insn);
void xlate_near_loop(struct xlate *x, const struct insn *insn);
void xlate_near_jmp(struct xlate *x, const struct insn *insn);
void xlate_near_call(struct xlate *x, const struct insn *insn);
void xlate_near_jmp_indirect(struct xlate *x, const struct insn *insn);
void xlate_near_call_indirect(struct xlate *x, const struct insn *insn);
void xlate_near_ret(struct xlate *x, const struct insn *insn);

/* --- xlate_16.c ----------------------------------------------------------- */
/* xlate_ident() for 16-bit code. */
void xlate_ident_16(struct xlate *x, const struct insn *insn);

#endif
