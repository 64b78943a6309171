/*
 * test.h - what every unit test includes first: cmocka and our own words.
 *
 * A test file is tests/unit/test_<file>.c with a main() that runs a group; the
 * Makefile finds it, builds it for 32 and 64 bits with ASan and UBSan, and
 * links all PURE code and the fakes (fake_*.c) to it.
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/random.h"

#endif
