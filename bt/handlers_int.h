/*
 * handlers_int.h - one function for each way to translate an instruction.
 *
 * Called by translate.c with X where the instruction's code goes (xlate_int.h
 * has the rules); who is called when is in handlers.c.
 */
#ifndef BT_HANDLERS_INT_H
#define BT_HANDLERS_INT_H

#include "bt/site.h"
#include "bt/xlate_int.h"

struct handler {
    void (*handle)(struct xlate *x, const struct insn *insn);
    bool ends_unit;
};

const struct handler *handler_of(const struct bt *bt,
                                 const struct insn *insn);

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
/* To the target in ECX, the guest's ECX being in its slot; ends the unit. */
void xlate_tail(struct xlate *x, enum site_kind kind);
void xlate_user_sensitive(struct xlate *x, const struct insn *insn);

#endif
