/*
 * main.c - lockstep [--config NAME] [--seed N] [--count N] [--step] [--trace]
 *      [--first]
 *
 * Runs COUNT random programs, seeds N and up, in each configuration, under the
 * translator and under the interpreter (and natively), and compares.  What
 * differs is shrunk and shown, and makes it fail; --first stops there.  --step
 * compares at every machine instruction, --trace shows where it stops.  Without
 * arguments: a fixed set, reported like a unit test's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/assert.h"
#include "lockstep/generate.h"
#include "lockstep/run.h"

#define COUNT_DEFAULT   500u
#define SHOWN_MAX       3u              /* failures of a configuration */
#define EVERY_NTH       100u            /* program is stopped everywhere */
#define LATE_USEC       1000000u
#define STOPS_MAX       300u

static struct {
    const char *config;
    uint64_t seed, count;
    bool steps, is_first;
} options = { .seed = 1, .count = COUNT_DEFAULT };

static char why[WHY_SIZE];

void
assert_failed(const char *what, const char *file, unsigned line)
{
    fprintf(stderr, "lockstep: assertion failed: %s at %s:%u\n", what, file,
            line);
    abort();
}

static bool
fails(const struct program *p)
{
    return run_program(p, why) == VERDICT_DIFFERENT;
}

/* Stop it once, at each of its machine instructions in turn. */
static bool
fails_at_any(struct program *p)
{
    const struct treatment before = p->treatment;

    p->treatment.steps = p->treatment.stops = false;
    for (unsigned n = 1; n <= STOPS_MAX; n++) {
        p->treatment.stop_at = n;
        if (fails(p))
            return true;
        if (run_steps < n)
            break;
    }
    p->treatment = before;
    return false;
}

static void
show(struct program *p)
{
    printf("--- %s, seed %llu\n%s", p->config->name,
           (unsigned long long)p->seed, why);
    fflush(stdout);
    program_shrink(p, fails);
    if (fails(p))
        printf("made small:\n%s", why);
    program_print(p);
    fflush(stdout);
}

static unsigned
run_config(const struct config *config)
{
    static struct program p;
    unsigned failed = 0;

    printf("[ RUN      ] %s\n", config->name);
    fflush(stdout);
    for (uint64_t n = 0; n < options.count && failed < SHOWN_MAX; n++) {
        program_generate(&p, config, options.seed + n);
        p.treatment.steps |= options.steps;
        if (run_trace)
            program_print(&p);
        if (!fails(&p) && ((options.seed + n) % EVERY_NTH != 0 ||
                           !fails_at_any(&p)))
            continue;
        failed++;
        show(&p);
        if (options.is_first)
            exit(EXIT_FAILURE);
    }
    printf("[ %s ] %s\n", failed ? " FAILED " : "      OK", config->name);
    return failed != 0;
}

static void
print_stats(void)
{
    const struct run_stats *s = &run_stats;

    printf("%llu programs (%llu open), %llu entries, exits",
           (unsigned long long)s->programs, (unsigned long long)s->open,
           (unsigned long long)s->entries);
    for (unsigned n = 0; n < BT_EXIT_STOP; n++)
        printf(" %llu", (unsigned long long)s->exits[n]);
    printf("; %llu faults, %llu interrupts, %llu stops, %llu steps, %llu "
           "beyond limits, %llu hidden, %llu watched\n",
           (unsigned long long)s->faults, (unsigned long long)s->interrupts,
           (unsigned long long)s->stops, (unsigned long long)s->steps,
           (unsigned long long)s->limits, (unsigned long long)s->hidden,
           (unsigned long long)s->watched);
}

static void
parse(int argc, char **argv)
{
    for (int n = 1; n < argc; n++) {
        const char *value = n + 1 < argc ? argv[n + 1] : "";

        if (strcmp(argv[n], "--step") == 0)
            options.steps = true;
        else if (strcmp(argv[n], "--first") == 0)
            options.is_first = true;
        else if (strcmp(argv[n], "--trace") == 0)
            run_trace = true;
        else if (strcmp(argv[n], "--config") == 0)
            options.config = value, n++;
        else if (strcmp(argv[n], "--seed") == 0)
            options.seed = strtoull(value, NULL, 0), n++;
        else if (strcmp(argv[n], "--count") == 0)
            options.count = strtoull(value, NULL, 0), n++;
        else
            exit((fprintf(stderr, "lockstep: %s?\n", argv[n]), EXIT_FAILURE));
    }
}

int
main(int argc, char **argv)
{
    unsigned failed = 0, skipped = 0, passed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    parse(argc, argv);
    run_start(LATE_USEC);
    encodings_find();
    for (unsigned n = 0; n < CONFIG_COUNT; n++) {
        if (options.config != NULL &&
            strcmp(options.config, configs[n].name) != 0)
            continue;
        if (!run_has(&configs[n])) {
            printf("[  SKIPPED ] %s\n", configs[n].name);
            skipped++;
        } else if (run_config(&configs[n])) {
            failed++;
        } else {
            passed++;
        }
    }
    print_stats();
    if (skipped != 0)
        printf("[  SKIPPED ] %u test(s)\n", skipped);
    if (failed != 0)
        printf("[  FAILED  ] %u test(s)\n", failed);
    return failed != 0 || passed == 0;
}
