/*
 * program.h - a benchmark program: what each defines and what it may use.
 */
#ifndef TESTS_BENCH_PROGRAMS_PROGRAM_H
#define TESTS_BENCH_PROGRAMS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

/* How many rounds take about half a second on the hardware itself. */
extern const unsigned default_rounds;
/* The work; what it returns depends on all that was computed. */
uint32_t work(unsigned rounds);

/* A pseudo-random sequence that is the same everywhere; never 0. */
uint32_t random_next(void);
/* SIZE bytes of something like English: words from a small vocabulary. */
void random_text(char *text, size_t size);
/* One more value for a checksum. */
uint32_t checksum_add(uint32_t sum, uint32_t value);

#endif
