/*
 * fake_image.h - what was logged, for tests of what is said and how often.
 */
#ifndef TESTS_UNIT_FAKE_IMAGE_H
#define TESTS_UNIT_FAKE_IMAGE_H

#include "kernel/base/log.h"

/* Warnings and errors since fake_log_reset(), and the last of them. */
struct fake_log {
    unsigned warnings;
    unsigned errors;
    char last[256];
};

extern struct fake_log fake_log;

void fake_log_reset(void);

#endif
