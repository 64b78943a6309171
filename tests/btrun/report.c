/*
 * report.c - what the translator counted, for --stats.
 *
 * One line for each subject, of names and numbers: made to be read, and to be
 * found by grep.
 */
#include "tests/btrun/report.h"

#include <stdio.h>

/* For %llu. */
#define NUMBER(n) ((unsigned long long)(n))

static void
print_translated(const struct bt_stats *s)
{
    fprintf(stderr, "btrun: %llu instructions in %llu units, %llu batches\n",
            NUMBER(s->instructions), NUMBER(s->units), NUMBER(s->batches));
    fprintf(stderr, "btrun: bytes: guest %llu translated %llu, %.2f a byte\n",
            NUMBER(s->guest_bytes), NUMBER(s->bytes),
            s->guest_bytes == 0 ? 0
                : (double)s->bytes / (double)s->guest_bytes);
    fprintf(stderr, "btrun: units of 1 instruction, 2, ...:");
    for (unsigned i = 1; i <= BT_UNIT_INSN_MAX; i++)
        fprintf(stderr, " %llu", NUMBER(s->units_of[i]));
    fputc('\n', stderr);
}

static void
print_forgotten(const struct bt_stats *s)
{
    static const char *const causes[BT_DROP_COUNT] = {
        [BT_DROP_INVALID] = "invalid", [BT_DROP_WRITTEN] = "written",
        [BT_DROP_UNWATCH] = "unwatch", [BT_DROP_WATCH] = "watch",
        [BT_DROP_CHANGED] = "changed", [BT_DROP_ADAPTED] = "adapted",
    };

    fprintf(stderr, "btrun: flushes %llu; units dropped:",
            NUMBER(s->flushes));
    for (unsigned i = 0; i < BT_DROP_COUNT; i++)
        fprintf(stderr, " %s %llu", causes[i], NUMBER(s->dropped[i]));
    fputc('\n', stderr);
}

static void
print_learned(const struct bt_stats *s)
{
    fprintf(stderr, "btrun: writes to code pages %llu, harmless %llu; pages"
            " unwatched %llu, watched again %llu\n",
            NUMBER(s->writes), NUMBER(s->harmless_writes),
            NUMBER(s->pages_unwatched), NUMBER(s->pages_rewatched));
    fprintf(stderr, "btrun: self-checking units %llu, of %llu bytes; changes"
            " %llu; instructions emulated %llu, acquitted %llu\n",
            NUMBER(s->checking_units), NUMBER(s->checking_bytes),
            NUMBER(s->changes), NUMBER(s->emulated), NUMBER(s->acquitted));
}

void
report_translator(const struct bt_stats *s)
{
    print_translated(s);
    print_forgotten(s);
    print_learned(s);
    fprintf(stderr, "btrun: links %llu, misses %llu\n", NUMBER(s->links),
            NUMBER(s->misses));
}
