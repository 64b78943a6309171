/*
 * stress.h - disturbances that a guest must not notice: vm.stress.
 *
 * What a monitor caches it may forget at any time, and what it need not do at
 * once it may do at once.  With a seed other than 0 it does so at random, much
 * more often than by itself, so that bugs which need a rare coincidence show.
 * The same seed gives the same choices, though not the same moments.
 *
 * The vcpu's thread.  Off, each of these costs a look at a word.
 */
#ifndef VMM_CORE_STRESS_H
#define VMM_CORE_STRESS_H

#include "bt/bt.h"
#include "vmm/shared.h"
#include "vmm/vcpu.h"

/* PARAMS may become smaller; before anything else looks at them. */
void stress_init(struct vmm_params *params);

/* ENV, complete, may get smaller capacities. */
void stress_translator(struct bt_env *env);

/* At the safe point. */
void stress_safe_point(struct vcpu *v);

/* Should the guest, about to be entered, come to the safe point instead? */
bool stress_wants_exit(void);

#endif
