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
#include "kernel/base/number.h"
#include "kernel/percpu.h"
#include "sched/world.h"

#define STATE_SIZE      32u
#define FULL_PERMILLE   1000u
#define MS_PER_SEC      1000u

/* "wait console input": the state, and what for. */
static const char *
state_text(char *buf, const struct world_info *w)
{
    format_buf(buf, STATE_SIZE, "%s%s%s", w->state,
               w->wait_reason[0] != '\0' ? " " : "", w->wait_reason);
    return buf;
}

/* In percent of one processor; "-" where there is no such limit. */
static const char *
limit_text(char *buf, unsigned permille, unsigned none)
{
    if (permille == 0 || permille == none)
        return "-";
    return units_permille(buf, permille);
}

/* May it run on one processor only? */
static bool
is_bound(const struct world_info *w)
{
    return cpu_count() > 1 && IS_POWER_OF_2(w->affinity);
}

static void
show_world(const struct world_info *w)
{
    unsigned ms = (unsigned)(w->run_ns / NSEC_PER_MSEC);
    char state[STATE_SIZE], min[UNITS_SIZE], max[UNITS_SIZE];

    output_print("%3u %-12.12s %-18.18s %s%-2u %6u %7s %7s %6u.%03u %4uK\n",
                 w->id, w->name, state_text(state, w),
                 is_bound(w) ? "=" : " ", w->cpu, w->shares,
                 limit_text(min, w->min_permille, 0),
                 limit_text(max, w->max_permille, FULL_PERMILLE),
                 ms / MS_PER_SEC, ms % MS_PER_SEC, w->stack_used / KB(1));
}

void
cmd_worlds(const struct args *args UNUSED)
{
    struct world_info w;

    output_print(" ID NAME         STATE              CPU SHARES     MIN     "
                 "MAX    SECONDS STACK\n");
    for (unsigned id = 0; world_get_info(&id, &w); id++)
        show_world(&w);
}

void
cmd_kill(const struct args *args)
{
    const char *word = args->word[0];
    uint32_t id;
    status_t status = parse_u32(word, &id);

    if (status == OK)
        status = world_kill_id(id);
    if (status == OK)
        output_print("World %s was told to end.\n", word);
    else if (status == ERR_INVALID)
        output_error(args->command, "world %s is the VMkernel's own: expected "
                     "another", word);
    else
        output_error(args->command, "there is no world '%s': expected an ID "
                     "that 'worlds' shows", word);
}
