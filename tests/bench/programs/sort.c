/*
 * sort.c - quicksort, with insertion sort for what is short.
 *
 * Unpredictable branches, and recursion that is not deep.
 */
#include "tests/bench/programs/program.h"

#define COUNT       100000
#define SHORT       12

const unsigned default_rounds = 80;

static uint32_t items[COUNT];

static void
swap(uint32_t *a, uint32_t *b)
{
    uint32_t t = *a;

    *a = *b;
    *b = t;
}

static void
sort_short(uint32_t *first, uint32_t *end)
{
    for (uint32_t *p = first + 1; p < end; p++) {
        uint32_t item = *p, *q = p;

        for (; q > first && q[-1] > item; q--)
            *q = q[-1];
        *q = item;
    }
}

/* The smaller half by recursion, so that the depth is logarithmic. */
static void
sort(uint32_t *first, uint32_t *end)
{
    while (end - first > SHORT) {
        uint32_t pivot, *low = first, *high = end - 1;

        swap(first + (end - first) / 2, high);
        pivot = *high;
        for (uint32_t *p = first; p < high; p++) {
            if (*p < pivot)
                swap(p, low++);
        }
        swap(low, high);
        if (low - first < end - low) {
            sort(first, low);
            first = low + 1;
        } else {
            sort(low + 1, end);
            end = low;
        }
    }
    sort_short(first, end);
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < COUNT; i++)
            items[i] = random_next();
        sort(items, items + COUNT);
        for (int i = 0; i < COUNT; i += COUNT / 100)
            sum = checksum_add(sum, items[i]);
    }
    return sum;
}
