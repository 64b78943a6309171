/*
 * report.h - the translator's counters, to standard error.
 */
#ifndef TESTS_BTRUN_REPORT_H
#define TESTS_BTRUN_REPORT_H

#include "bt/bt_stats.h"

void report_translator(const struct bt_stats *stats);

#endif
