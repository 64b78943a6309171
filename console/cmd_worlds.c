/*
 * cmd_worlds.c - `worlds` and `kill`: what the scheduler runs.
 *
 * Worlds come and go while they are listed; each line is true by itself.  Run
 * in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/percpu.h"
#include "sched/world.h"

#define STATE_SIZE      32u
#define FULL_PERMILLE   1000u

/* "wait console input": the state, and what for. */
static const char *
state_text(char *buf, const struct world_info *w)
{
    format_buf(buf, STATE_SIZE, "%s%s%s", w->state,
               w->wait_reason[0] != '\0' ? " " : "", w->wait_reason);
    return buf;
}

/* In percent of one processor; "-" where it says nothing. */
static const char *
limit_text(char *buf, unsigned permille, unsigned nothing)
{
    return permille == nothing ? "-" : units_permille(buf, permille);
}

/* May it run on processor CPU only? */
static bool
is_bound(const struct world_info *w)
{
    return cpu_count() > 1 && IS_POWER_OF_2(w->affinity);
}

static void
show_world(const struct world_info *w)
{
    char state[STATE_SIZE], time[UNITS_SIZE];
    char min[UNITS_SIZE], max[UNITS_SIZE];

    output_print("%4u %-14.14s %-20.20s %2s%-2u %6u %6s %6s %s %u KB\n",
                 w->id, w->name, state_text(state, w),
                 is_bound(w) ? "=" : "", w->cpu, w->shares,
                 limit_text(min, w->min_permille, 0),
                 limit_text(max, w->max_permille, FULL_PERMILLE),
                 units_seconds(time, w->run_ns), w->stack_used / KB(1));
}

void
cmd_worlds(const struct args *args UNUSED)
{
    struct world_info w;

    output_print("  ID NAME           STATE                 CPU SHARES    "
                 "MIN    MAX     SECONDS STACK\n");
    for (unsigned id = 0; world_get_info(&id, &w); id++)
        show_world(&w);
}

void
cmd_kill(const struct args *args)
{
    static const struct number_range range = {
        "the number of a world", 0, UINT32_MAX
    };
    uint32_t id;
    status_t status;

    if (!command_number(args, args->word[0], &range, &id))
        return;
    status = world_kill_id(id);
    if (status == OK)
        output_print("World %u was told to end.\n", id);
    else if (status == ERR_NOT_FOUND)
        output_error(args->command, "there is no world %u: expected one that "
                     "'worlds' shows", id);
    else
        output_error(args->command, "world %u is the VMkernel's own: expected "
                     "another", id);
}
