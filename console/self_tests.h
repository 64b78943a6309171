/*
 * self_tests.h - the self-tests that end well, behind `test NAME`: their
 * handlers, one for each row of self_tests.def, get the arguments after NAME.
 */
#ifndef CONSOLE_SELF_TESTS_H
#define CONSOLE_SELF_TESTS_H

#include "console/args.h"

#define SELF_TEST(name, usage, summary) \
    void self_test_##name(const struct args *args);
#include "console/self_tests.def"
#undef SELF_TEST

#endif
