/*
 * flags.h - which arithmetic flags inserted code may destroy.
 */
#ifndef BT_FLAGS_H
#define BT_FLAGS_H

#include "bt/xlate_int.h"

/*
 * Can it raise an exception or leave translated code, for all that its
 * encoding tells?  True for memory operands (but LEA's and NOP's), stack and
 * string instructions, divisions, x87 and MMX and SSE (#NM, #MF), transfers of
 * control, what some CPUs have not (#UD), and everything privileged.
 */
bool insn_may_fault(const struct insn *insn);

/*
 * The arithmetic flags (EFLAGS bits, a part of FL_OSZAPC) that code inserted
 * in front of instruction I (0 to UNIT->count) may change for good.  For what
 * is inserted in front of a whole unit, its checked entry for example: I = 0,
 * and only on the way that does enter the unit.
 */
unsigned flags_dead_at(const struct unit *unit, unsigned i);

#endif
