/*
 * stress.h - disturbing the translator, to see that nobody notices.
 */
#ifndef TESTS_BTRUN_STRESS_H
#define TESTS_BTRUN_STRESS_H

#include "bt/bt.h"

/* As little room as there can be. */
void stress_capacities(struct bt_env *env);

/* What the engine is to do besides, for the next entry. */
enum stress { STRESS_NOTHING, STRESS_NO_LINK, STRESS_STEP };

/* Between an exit and the next entry, with the guest's state in `guest`. */
enum stress stress_act(void);

#endif
