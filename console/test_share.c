/*
 * test_share.c - `test share [MS [CASE]]`: does everybody get what is theirs?
 *
 * Worlds with different settings do nothing but run for a while; then what they
 * got is compared with what they are entitled to.  The latter is computed here
 * in a way of its own: by trying water levels (sched/prop_share.c explains the
 * word) until the rates add up to the processors.
 *
 * A case is a few settings; each stands for one world per processor, so that
 * what one is entitled to does not depend on the machine.
 */
#include "console/self_tests.h"

#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "kernel/base/bits.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/percpu.h"
#include "kernel/x86/atomic.h"
#include "mm/mm.h"
#include "sched/world.h"

#define MS_DEFAULT      1000u
#define MS_MAX          600000u
#define SETTLE_NS       (200 * NSEC_PER_MSEC)
#define ROWS_MAX        4u

#define PERMILLE_ONE    1000u
#define RATE_ONE        1000000ull      /* one processor */
#define LEVEL_BITS      42              /* any level is below: see rate_at */
#define LEVEL_SHIFT     20

struct row {
    unsigned shares;            /* 0: the case has no more rows */
    unsigned min_permille, max_permille;
    bool bound;                 /* each to a processor of its own */
};

struct share_case {
    const char *name;
    struct row rows[ROWS_MAX];
};

static const struct share_case cases[] = {
    { "equal", { { .shares = 1000 }, { .shares = 1000 },
                 { .shares = 1000 } } },
    { "shares", { { .shares = 500 }, { .shares = 1000 },
                  { .shares = 2000 } } },
    { "limits", { { .shares = 1000, .max_permille = 100 },
                  { .shares = 1000, .min_permille = 600 },
                  { .shares = 1000 } } },
    { "minimum", { { .shares = 10, .min_permille = 250 },
                   { .shares = 1000 }, { .shares = 2000 } } },
    { "bound", { { .shares = 1000, .bound = true },
                 { .shares = 2000, .bound = true }, { .shares = 1000 } } },
    { "idle", { { .shares = 1000, .max_permille = 300 },
                { .shares = 3000, .max_permille = 500 } } },
};

/* A world of the present case. */
struct contender {
    const struct row *row;
    char name[WORLD_NAME_SIZE];
    struct world *world;
    uint64_t ran, when;         /* as of the last look */
    unsigned permille;          /* what it got before that */
};

static uint32_t stop;

/* --- What is theirs ------------------------------------------------------- */

static uint64_t
rate_at(const struct row *r, uint64_t level)
{
    uint64_t rate = (level * r->shares) >> LEVEL_SHIFT;
    uint64_t max = r->max_permille != 0 ?
                   r->max_permille * RATE_ONE / PERMILLE_ONE : RATE_ONE;

    rate = MAX(rate, r->min_permille * RATE_ONE / PERMILLE_ONE);
    return MIN(rate, max);
}

/* The highest level at which the rows take no more than one processor. */
static uint64_t
find_level(const struct share_case *c)
{
    uint64_t level = 0;

    for (unsigned bit = LEVEL_BITS; bit > 0; bit--) {
        uint64_t higher = level | BIT64(bit - 1);
        uint64_t sum = 0;

        for (unsigned i = 0; i < ROWS_MAX && c->rows[i].shares > 0; i++)
            sum += rate_at(&c->rows[i], higher);
        if (sum <= RATE_ONE)
            level = higher;
    }
    return level;
}

/* --- What they get -------------------------------------------------------- */

static void
spin_world(void *arg UNUSED)
{
    while (atomic_load(&stop) == 0)
        ;
}

static status_t
start_contender(struct contender *c, unsigned number)
{
    struct world_params params = {
        .name = c->name, .fn = spin_world, .shares = c->row->shares,
        .min_permille = c->row->min_permille,
        .max_permille = c->row->max_permille,
        .affinity = c->row->bound ? BIT(number % cpu_count()) : 0
    };

    format_buf(c->name, sizeof(c->name), "share %u", number);
    return world_create(&params, &c->world);
}

/* RAN in the time since the last call: of that, how many permille? */
static void
account(struct contender *c, uint64_t ran)
{
    uint64_t now = clock_now();
    uint64_t past = now - c->when;

    c->permille = (unsigned)(((ran - c->ran) * PERMILLE_ONE + past / 2) /
                             past);
    c->ran = ran;
    c->when = now;
}

/* By the scheduler's own accounts, which name the worlds. */
static void
read_accounts(struct contender *all, unsigned count)
{
    struct world_info w;

    for (unsigned id = 0; world_get_info(&id, &w); id++)
        for (unsigned i = 0; i < count; i++)
            if (strcmp(w.name, all[i].name) == 0)
                account(&all[i], w.run_ns);
}

static void
measure(struct contender *all, unsigned count, uint32_t ms)
{
    world_sleep(SETTLE_NS);
    read_accounts(all, count);
    world_sleep(ms * NSEC_PER_MSEC);
    read_accounts(all, count);
}

/* --- One case ------------------------------------------------------------- */

/* A line for ROW: its worlds are ALL[i], i = FIRST ... for each processor. */
static unsigned
show_row(const struct row *row, const struct contender *all, uint64_t level)
{
    unsigned entitled = (unsigned)((rate_at(row, level) * PERMILLE_ONE +
                                    RATE_ONE / 2) / RATE_ONE);
    char from[UNITS_SIZE], to[UNITS_SIZE], due[UNITS_SIZE];
    unsigned least = all[0].permille;
    unsigned most = all[0].permille;

    for (unsigned i = 1; i < cpu_count(); i++) {
        least = MIN(least, all[i].permille);
        most = MAX(most, all[i].permille);
    }
    output_print("  %6u %6u %6u %-5s %8s %8s %8s\n", row->shares,
                 row->min_permille, row->max_permille,
                 row->bound ? "bound" : "", units_permille(due, entitled),
                 units_permille(from, least), units_permille(to, most));
    return MAX(entitled > least ? entitled - least : 0,
               most > entitled ? most - entitled : 0);
}

/* Returns by how much the worst one is off, in permille of a processor. */
static unsigned
show_case(const struct share_case *c, const struct contender *all)
{
    uint64_t level = find_level(c);
    unsigned worst = 0;
    unsigned off;

    output_print("%s:\n  SHARES    MIN    MAX       ENTITLED    LEAST     "
                 "MOST\n", c->name);
    for (unsigned i = 0; i < ROWS_MAX && c->rows[i].shares > 0; i++) {
        off = show_row(&c->rows[i], &all[i * cpu_count()], level);
        worst = MAX(worst, off);
    }
    return worst;
}

static status_t
run_case(const struct share_case *c, uint32_t ms, unsigned *worst)
{
    struct contender *all = heap_alloc_zero(ROWS_MAX * cpu_count() *
                                            sizeof(*all));
    status_t status = all != NULL ? OK : ERR_NO_MEMORY;
    unsigned count = 0;

    atomic_store(&stop, 0);
    for (unsigned i = 0; i < ROWS_MAX * cpu_count() && status == OK; i++) {
        all[i].row = &c->rows[i / cpu_count()];
        if (all[i].row->shares == 0)
            break;
        status = start_contender(&all[i], i);
        count += status == OK;
    }
    if (status == OK)
        measure(all, count, ms);
    atomic_store(&stop, 1);
    for (unsigned i = 0; i < count; i++)
        world_join(all[i].world);
    if (status == OK)
        *worst = show_case(c, all);
    heap_free(all);
    return status;
}

/* --- The command ---------------------------------------------------------- */

void
self_test_share(const struct args *args)
{
    static const struct number_range range = {
        "a number of milliseconds", 1, MS_MAX
    };
    uint32_t ms = MS_DEFAULT;
    char text[UNITS_SIZE];
    unsigned worst = 0;
    unsigned off = 0;

    if (args->count > 0 && !command_number(args, args->word[0], &range, &ms))
        return;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        status_t status;

        if (args->count > 1 && strcmp(args->word[1], cases[i].name) != 0)
            continue;
        status = run_case(&cases[i], ms, &off);
        worst = MAX(worst, off);
        if (status != OK)
            output_error(args->command, "%s", status_text(status));
    }
    output_print("%u processors, %u ms each: off by %s at most\n",
                 cpu_count(), ms, units_permille(text, worst));
}
