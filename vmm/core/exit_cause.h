/*
 * exit_cause.h - what an exit of translated code is counted as (vmm/exits.def).
 *
 * Pure.
 */
#ifndef VMM_CORE_EXIT_CAUSE_H
#define VMM_CORE_EXIT_CAUSE_H

#include "bt/bt.h"
#include "bt/insn.h"
#include "kernel/base/addr.h"
#include "vmm/mmu/shadow.h"
#include "vmm/vmm_stats.h"

/* An instruction that was interpreted; EXIT_LINK: there is nothing to say. */
enum vmm_exit exit_cause_of_insn(const struct insn *insn);

/* EXIT_COUNT: there is no such reason. */
enum vmm_exit exit_cause_of_callout(uint32_t reason);

/* A page fault at AT that the shadow has answered so. */
enum vmm_exit exit_cause_of_fault(enum shadow_result result, gla_t at);

#endif
