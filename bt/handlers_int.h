/*
 * handlers_int.h - one function for each way to translate an instruction.
 *
 * Called by translate.c with X where the instruction's code goes (xlate_int.h
 * has the rules); classes share them by the table there.
 */
#ifndef BT_HANDLERS_INT_H
#define BT_HANDLERS_INT_H

#include "bt/xlate_int.h"

void xlate_ident(struct xlate *x, const struct insn *insn);
void xlate_emulate(struct xlate *x, const struct insn *insn);
void xlate_int(struct xlate *x, const struct insn *insn);
void xlate_undefined(struct xlate *x, const struct insn *insn);
void xlate_jcc(struct xlate *x, const struct insn *insn);
void xlate_loop(struct xlate *x, const struct insn *insn);
void xlate_jmp(struct xlate *x, const struct insn *insn);
void xlate_call(struct xlate *x, const struct insn *insn);
void xlate_jmp_indirect(struct xlate *x, const struct insn *insn);
void xlate_call_indirect(struct xlate *x, const struct insn *insn);
void xlate_ret(struct xlate *x, const struct insn *insn);
void xlate_user_sensitive(struct xlate *x, const struct insn *insn);

#endif
