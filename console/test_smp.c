/*
 * test_smp.c - `test smp [ROUNDS [JOB]]`: everything at once, on all
 * processors (console/stress.h).
 *
 * The shell's world starts the worlds of all jobs, waits until they end, and
 * looks whether the machine is as it was before: no page, heap block or world
 * more.  A run in which no world gets on any more is reported, too.
 */
#include "console/stress.h"

#include "console/commands.h"
#include "console/output.h"
#include "console/self_tests.h"
#include "console/units.h"
#include "drivers/console.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/x86/atomic.h"
#include "mm/mm_info.h"
#include "sched/world.h"

#define ROUNDS_DEFAULT  100u
#define ROUNDS_MAX      1000000u
#define FAILURES_SHOWN  10u
#define LINE_SIZE       160u

#define POLL_NS         (20 * NSEC_PER_MSEC)
#define STUCK_NS        (60 * NSEC_PER_SEC)

/* The reaper needs a moment for the last worlds. */
#define SETTLE_NS       NSEC_PER_MSEC
#define SETTLE_TRIES    1000u

/* xorshift: Marsaglia, Journal of Statistical Software 8(14), 2003. */
#define SEED_STEP       0x9e3779b9u

static const struct stress_job jobs[] = {
#define STRESS_JOB(name, worlds, per_cpu, summary) \
    { #name, worlds, per_cpu, stress_##name },
#include "console/stress_jobs.def"
#undef STRESS_JOB
};

/* One run; the shell runs one at a time. */
static struct {
    uint32_t rounds;
    uint32_t stop;
    uint32_t failures;
    unsigned count;
    struct stress_world *worlds;
} run;

/* What must be the same afterwards. */
struct inventory {
    unsigned worlds;
    uint32_t stack_pages, test_pages;
    size_t heap_blocks, heap_bytes;
};

/* --- For the jobs --------------------------------------------------------- */

bool
stress_next_round(struct stress_world *self)
{
    if (self->rounds == run.rounds || atomic_load(&run.stop) != 0)
        return false;
    atomic_store(&self->rounds, self->rounds + 1);
    return true;
}

uint32_t
stress_random(struct stress_world *self, uint32_t limit)
{
    uint32_t x = self->seed;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    self->seed = x;
    return x % limit;
}

void
stress_fail(const struct stress_world *self, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    atomic_store(&run.stop, 1);
    if (atomic_add(&run.failures, 1) >= FAILURES_SHOWN)
        return;
    va_start(args, format);
    format_buf_args(line, sizeof(line), format, args);
    va_end(args);
    output_print("%s %u, round %u: %s\n", self->job->name, self->index,
                 self->rounds, line);
}

/* --- Running -------------------------------------------------------------- */

static void
job_world(void *arg)
{
    struct stress_world *self = arg;

    self->job->run(self);
    atomic_store(&self->ended, true);
}

static unsigned
worlds_of(const struct stress_job *job)
{
    return job->worlds + job->per_cpu * cpu_count();
}

/* Those of the one JOB, or of all; run.worlds has room for them. */
static void
fill_worlds(const char *job)
{
    run.count = 0;
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        if (job != NULL && strcmp(job, jobs[i].name) != 0)
            continue;
        for (unsigned w = 0; w < worlds_of(&jobs[i]); w++) {
            struct stress_world *world = &run.worlds[run.count++];

            *world = (struct stress_world){
                .job = &jobs[i], .index = w, .seed = run.count * SEED_STEP
            };
        }
    }
}

static void
start_world(struct stress_world *w)
{
    struct world_params params = {
        .name = w->job->name, .fn = job_world, .arg = w
    };
    status_t status = world_create(&params, &w->world);

    if (status != OK)
        stress_fail(w, "no world: %s", status_text(status));
}

/* How many rounds all worlds have begun; *LEFT is how many worlds still run. */
static uint32_t
progress(unsigned *left)
{
    uint32_t rounds = 0;

    *left = 0;
    for (unsigned i = 0; i < run.count; i++) {
        rounds += atomic_load(&run.worlds[i].rounds);
        if (run.worlds[i].world != NULL && !atomic_load(&run.worlds[i].ended))
            ++*left;
    }
    return rounds;
}

static void
tell_stuck(void)
{
    for (unsigned i = 0; i < run.count; i++)
        if (!atomic_load(&run.worlds[i].ended))
            stress_fail(&run.worlds[i], "does not get on");
}

static void
wait_for_worlds(void)
{
    uint64_t since = clock_now();
    uint32_t before = 0;
    uint32_t rounds;
    unsigned left;

    while ((rounds = progress(&left)), left > 0) {
        if (console_interrupted())
            atomic_store(&run.stop, 1);
        if (rounds != before)
            since = clock_now();
        before = rounds;
        if (clock_now() - since > STUCK_NS) {
            tell_stuck();
            since = UINT64_MAX / 2;     /* once is enough */
        }
        world_sleep(POLL_NS);
    }
}

static void
run_worlds(void)
{
    for (unsigned i = 0; i < run.count; i++)
        start_world(&run.worlds[i]);
    wait_for_worlds();
    for (unsigned i = 0; i < run.count; i++)
        if (run.worlds[i].world != NULL)
            world_join(run.worlds[i].world);
}

/* --- Leaks ---------------------------------------------------------------- */

static void
take_inventory(struct inventory *inv)
{
    struct world_info world;
    struct mm_info mm;

    mm_get_info(&mm);
    *inv = (struct inventory){
        .stack_pages = mm.owner_pages[OWNER_STACKS],
        .test_pages = mm.owner_pages[OWNER_TEST],
        .heap_blocks = mm.heap_blocks, .heap_bytes = mm.heap_bytes
    };
    for (unsigned id = 0; world_get_info(&id, &world); id++)
        inv->worlds++;
}

/* Less is no leak: what had ended before the test may go during it. */
static bool
has_more(const struct inventory *now, const struct inventory *before)
{
    return now->worlds > before->worlds ||
           now->stack_pages > before->stack_pages ||
           now->test_pages > before->test_pages ||
           now->heap_blocks > before->heap_blocks ||
           now->heap_bytes > before->heap_bytes;
}

/* The worlds that nobody joined may still be about to go. */
static void
check_leaks(const struct inventory *before)
{
    struct inventory now;

    take_inventory(&now);
    for (unsigned i = 0; i < SETTLE_TRIES && has_more(&now, before); i++) {
        world_sleep(SETTLE_NS);
        take_inventory(&now);
    }
    heap_check_all();
    if (!has_more(&now, before))
        return;
    run.failures++;
    output_print("left behind: %d worlds, %d stack pages, %d other pages, "
                 "%d heap blocks of %d bytes\n",
                 (int)(now.worlds - before->worlds),
                 (int)(now.stack_pages - before->stack_pages),
                 (int)(now.test_pages - before->test_pages),
                 (int)(now.heap_blocks - before->heap_blocks),
                 (int)(now.heap_bytes - before->heap_bytes));
}

/* --- The command ---------------------------------------------------------- */

static const struct stress_job *
find_job(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    return NULL;
}

static bool
parse(const struct args *args, const char **job)
{
    static const struct number_range range = {
        "a number of rounds", 1, ROUNDS_MAX
    };

    run.rounds = ROUNDS_DEFAULT;
    *job = args->count > 1 ? args->word[1] : NULL;
    if (args->count > 0 &&
        !command_number(args, args->word[0], &range, &run.rounds))
        return false;
    if (*job == NULL || find_job(*job) != NULL)
        return true;
    output_error(args->command, "no job '%s': expected one of", *job);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        output_print("  %s\n", jobs[i].name);
    return false;
}

void
self_test_smp(const struct args *args)
{
    uint64_t start = clock_now();
    char time[UNITS_SIZE];
    struct inventory before;
    unsigned count = 0;
    const char *job;

    if (!parse(args, &job))
        return;
    take_inventory(&before);
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++)
        count += worlds_of(&jobs[i]);
    run.worlds = heap_alloc_zero(count * sizeof(*run.worlds));
    if (run.worlds == NULL) {
        output_error(args->command, "%s", status_text(ERR_NO_MEMORY));
        return;
    }
    run.stop = run.failures = 0;
    fill_worlds(job);
    run_worlds();
    heap_free(run.worlds);
    check_leaks(&before);
    output_print("%u worlds on %u processors, %u rounds each,%s seconds: %s\n",
                 run.count, cpu_count(), run.rounds,
                 units_seconds(time, clock_now() - start),
                 run.failures > 0 ? "FAILED" :
                 run.stop != 0 ? "interrupted" : "passed");
}
