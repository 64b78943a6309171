/*
 * cmd_stats.c - `stats`: the event counters that the linker gathered.
 *
 * They are shown in the order in which they were linked, which keeps those of
 * one file together.  Run in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/image.h"

#define NAME_SIZE   40u

void
cmd_stats(const struct args *args)
{
    const char *module = args->count > 0 ? args->word[0] : NULL;
    bool all = args_option(args, 'a') != NULL;
    bool known = false;
    char name[NAME_SIZE];

    for (const struct stat_counter *c = stats_start; c < stats_end; c++) {
        if (module != NULL && strcmp(module, c->module) != 0)
            continue;
        known = true;
        if (stat_read(c) == 0 && !all)
            continue;
        format_buf(name, sizeof(name), "%s.%s", c->module, c->name);
        output_print("%-39s %20llu\n", name,
                     (unsigned long long)stat_read(c));
    }
    if (!known && module != NULL)
        output_error(args->command, "nothing is counted by '%s': Tab lists "
                     "who counts", module);
}

void
complete_stats(const struct words *words, struct completion *c)
{
    if (words->count > 2)
        return;
    for (const struct stat_counter *s = stats_start; s < stats_end; s++)
        completion_offer(c, s->module);
}
