/*
 * test_clock.c - `test clock [ROUNDS]`: time never goes back, wherever it is
 * read.
 *
 * One world on each processor: they pass a token around, and who has it reads
 * the clock, which must not show less than what the one before read.  Meanwhile
 * some others wander from processor to processor and watch the clock alone.
 */
#include "console/self_tests.h"

#include "console/commands.h"
#include "console/output.h"
#include "kernel/base/bits.h"
#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "sched/world.h"

#define ROUNDS_DEFAULT  200u
#define ROUNDS_MAX      10000000u
#define WANDERERS       2u
#define LOOKS           100u            /* in a row, before wandering on */

/* One run; the shell runs one at a time. */
static struct {
    uint32_t rounds;
    uint32_t turn;              /* counts the token's steps */
    uint64_t last;              /* what the token's last holder read */
    uint32_t backwards;         /* how often, and at most ... */
    uint32_t worst_ns;          /* ... how far; the worst is not exact */
    uint32_t ended;             /* worlds on processors: all rounds done */
    uint32_t stop;              /* not all could be started */
} run;

static void
compare(uint64_t before, uint64_t after)
{
    if (after >= before)
        return;
    atomic_add(&run.backwards, 1);
    atomic_store(&run.worst_ns,
                 MAX(run.worst_ns, (uint32_t)(before - after)));
}

/* The token is at CPU whenever the steps so far say so. */
static void
holder_world(void *arg)
{
    uint32_t cpu = (uint32_t)arg;
    uint32_t count = cpu_count();

    for (uint32_t i = 0; i < run.rounds; i++) {
        uint64_t now;

        while (atomic_load(&run.turn) != i * count + cpu &&
               atomic_load(&run.stop) == 0)
            cpu_pause();
        now = clock_now();
        compare(run.last, now);
        run.last = now;
        atomic_store(&run.turn, i * count + cpu + 1);
    }
    atomic_add(&run.ended, 1);
}

static void
wanderer_world(void *arg UNUSED)
{
    uint64_t before = clock_now();

    while (atomic_load(&run.ended) < cpu_count() &&
           atomic_load(&run.stop) == 0) {
        for (unsigned i = 0; i < LOOKS; i++) {
            uint64_t now = clock_now();

            compare(before, now);
            before = now;
        }
        world_yield();
    }
}

/* A holder for whom there is no memory would stop the token: then all stop. */
static unsigned
start_worlds(struct world **worlds)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cpu_count() + WANDERERS; i++) {
        bool is_holder = i < cpu_count();
        struct world_params params = {
            .name = is_holder ? "token" : "wanderer",
            .fn = is_holder ? holder_world : wanderer_world,
            .arg = (void *)i, .affinity = is_holder ? BIT(i) : 0
        };

        if (world_create(&params, &worlds[count]) != OK) {
            atomic_store(&run.stop, 1);
            break;
        }
        count++;
    }
    return count;
}

void
self_test_clock(const struct args *args)
{
    static const struct number_range range = {
        "a number of rounds", 1, ROUNDS_MAX
    };
    struct world *worlds[CPU_MAX + WANDERERS];
    uint32_t rounds = ROUNDS_DEFAULT;
    unsigned count;

    if (args->count > 0 &&
        !command_number(args, args->word[0], &range, &rounds))
        return;
    run.rounds = rounds;
    run.turn = run.backwards = run.worst_ns = run.ended = run.stop = 0;
    run.last = 0;
    count = start_worlds(worlds);
    for (unsigned i = 0; i < count; i++)
        world_join(worlds[i]);
    output_print("%u rounds over %u processors: ", rounds, cpu_count());
    if (run.stop != 0)
        output_print("FAILED: no memory for the worlds\n");
    else if (run.backwards == 0)
        output_print("time never went back\n");
    else
        output_print("FAILED: time went back %u times, by up to %u ns\n",
                     run.backwards, run.worst_ns);
}
