/*
 * fake_shadow_model.h - a guest that does anything to its page tables, and the
 * naive model of what its accesses must come to.
 *
 * Shared by the unit test, which makes choices at random, and the fuzzer.
 */
#ifndef TESTS_UNIT_FAKE_SHADOW_MODEL_H
#define TESTS_UNIT_FAKE_SHADOW_MODEL_H

#include "kernel/base/types.h"

struct shadow_model {
    uint32_t (*below)(void *ctx, uint32_t limit);   /* a choice */
    void *ctx;
    /* What happened, so that a test can see that it tests something. */
    uint32_t done, stale, faults, emulated, steps;
};

/* Tables of any content; some mode; a pool of few or many shadow pages. */
void shadow_model_start(struct shadow_model *m);

/* One operation and its check; NULL, or what was wrong. */
const char *shadow_model_step(struct shadow_model *m);

#endif
