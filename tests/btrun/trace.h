/*
 * trace.h - guest code and its translation, side by side.
 */
#ifndef TESTS_BTRUN_TRACE_H
#define TESTS_BTRUN_TRACE_H

#include "bt/bt.h"

/* Show the units that were made since last time. */
void trace_new_units(struct bt *bt, const struct bt_env *env);

#endif
