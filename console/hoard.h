/*
 * hoard.h - all of the machine's free pages, for tests of having none.
 *
 * Begin with { .first = INVALID_MPN }.
 */
#ifndef CONSOLE_HOARD_H
#define CONSOLE_HOARD_H

#include "mm/mm.h"

/* Pages in a row, each holding the number of the next one. */
struct hoard {
    mpn_t first;                /* or INVALID_MPN */
    unsigned count;
};

/*
 * Take all there are; those that the heap can use come back first.  What other
 * worlds free meanwhile is not in it.
 */
void hoard_take_all(struct hoard *hoard);

/* Give one page back; there must be one. */
void hoard_give(struct hoard *hoard);
void hoard_give_all(struct hoard *hoard);

#endif
