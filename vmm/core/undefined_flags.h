/*
 * undefined_flags.h - which flags an instruction leaves undefined, and which it
 * makes use of.
 *
 * opcodes.def says it for a row.  What it cannot know is the count: a shift by
 * zero leaves all flags as they were, and one by 1 defines OF.  Pure.
 */
#ifndef VMM_CORE_UNDEFINED_FLAGS_H
#define VMM_CORE_UNDEFINED_FLAGS_H

#include "bt/insn.h"

/* INSN repeats, and ECX, or its half that INSN counts in, is 0. */
bool is_count_zero(const struct insn *insn, uint32_t ecx);

/* Flags whose values INSN uses: not those that it may only leave alone. */
uint32_t flags_used(const struct insn *insn);

/*
 * The flags that are undefined behind INSN, if UNDEFINED were before it, where
 * eCX was ECX.
 */
uint32_t flags_undefined_after(const struct insn *insn, uint32_t ecx,
                               uint32_t undefined);

#endif
