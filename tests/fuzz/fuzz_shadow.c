/*
 * fuzz_shadow.c - the choices of a guest that does anything to its page tables,
 * from any bytes: each access comes to what the guest's tables say, and the
 * audit is clean after every step.  The first four bytes choose the tables,
 * each pair of the others is a choice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/fake_shadow_model.h"

#define STEPS_MAX   400u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *next, *end;
    uint32_t mixed;             /* what goes on when the bytes have ended */
};

/* Two bytes a choice; behind the end a sequence that they began. */
static uint32_t
choose(void *ctx, uint32_t limit)
{
    struct bytes *b = ctx;

    b->mixed = b->mixed * 1664525u + 1013904223u;
    if (b->end - b->next >= 2) {
        b->mixed ^= (uint32_t)b->next[0] << 24 | (uint32_t)b->next[1] << 16;
        b->next += 2;
        return (b->next[-2] | b->next[-1] << 8) % limit;
    }
    return (uint32_t)((uint64_t)b->mixed * limit >> 32);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = { data, data, 0 };
    struct shadow_model m = { .below = choose, .ctx = &bytes };

    if (size < sizeof(bytes.mixed))
        return 0;
    memcpy(&bytes.mixed, data, sizeof(bytes.mixed));
    shadow_model_start(&m);
    bytes.next = data + sizeof(bytes.mixed);
    bytes.end = data + size;
    for (unsigned n = 0; n < STEPS_MAX && bytes.next < bytes.end - 1; n++) {
        const char *wrong = shadow_model_step(&m);

        if (wrong != NULL) {
            fprintf(stderr, "step %u: %s\n", n, wrong);
            abort();
        }
    }
    return 0;
}
