/*
 * cmd_log.c - `log`: the lines kept in memory, and those that come.
 *
 * Which lines are wanted is a struct filter.  -n shows the newest of them, so
 * the ring is walked twice: once to count, once to show.
 */
#include "console/commands.h"
#include "console/mirror.h"
#include "console/output.h"
#include "drivers/console.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "sched/world.h"

#define LINES_MAX   100000u
#define LABEL_SIZE  (MIRROR_LABEL_SIZE + 8u)
#define FOLLOW_NS   (100 * NSEC_PER_MSEC)   /* -f looks for new lines */

struct filter {
    enum log_level level;               /* and more urgent ones */
    enum log_module module;             /* LOG_MODULE_COUNT: all */
    bool verbose;
};

static struct log_entry entry;          /* too large for the shell's stack */

/* --- Words ---------------------------------------------------------------- */

static bool
find_level(const char *word, enum log_level *level)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++) {
        if (strcmp(word, log_level_name((enum log_level)i)) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool
find_module(const char *word, enum log_module *module)
{
    for (unsigned i = 0; i < LOG_MODULE_COUNT; i++) {
        if (strcmp(word, log_module_name((enum log_module)i)) == 0) {
            *module = (enum log_module)i;
            return true;
        }
    }
    return false;
}

/* WORD selects a level or a module, each at most once. */
static bool
apply_word(const struct args *args, const char *word, struct filter *f)
{
    enum log_level level;
    enum log_module module;

    if (find_level(word, &level) && f->level == LOG_LEVEL_COUNT) {
        f->level = level;
        return true;
    }
    if (find_module(word, &module) && f->module == LOG_MODULE_COUNT) {
        f->module = module;
        return true;
    }
    if (f->level != LOG_LEVEL_COUNT)
        output_error(args->command, "unknown module '%s': Tab lists them",
                     word);
    else if (f->module != LOG_MODULE_COUNT)
        output_error(args->command, "unknown level '%s': expected error, "
                     "warn, info or debug", word);
    else
        output_error(args->command, "'%s' is neither a level (error, warn, "
                     "info, debug) nor a module", word);
    return false;
}

void
complete_log(const struct words *words UNUSED, struct completion *c)
{
    for (unsigned i = 0; i < LOG_LEVEL_COUNT; i++)
        completion_offer(c, log_level_name((enum log_level)i));
    for (unsigned i = 0; i < LOG_MODULE_COUNT; i++)
        completion_offer(c, log_module_name((enum log_module)i));
}

/* --- Lines ---------------------------------------------------------------- */

static bool
is_wanted(const struct filter *f)
{
    return entry.level <= f->level &&
           (f->module == LOG_MODULE_COUNT || f->module == entry.module);
}

/* How many lines of the ring are wanted. */
static unsigned
count_wanted(const struct filter *f)
{
    unsigned count = 0;

    for (uint64_t seq = 0; log_read(seq, &entry); seq = entry.seq + 1)
        count += is_wanted(f);
    return count;
}

static void
show_line(const struct filter *f)
{
    char label[MIRROR_LABEL_SIZE], with_cpu[LABEL_SIZE];

    format_buf(with_cpu, sizeof(with_cpu), "cpu%-2u%s", entry.cpu,
               mirror_label(label, &entry));
    output_folded(f->verbose ? with_cpu : label, entry.text);
}

/*
 * Show the wanted lines from *SEQ on but for SKIP of them, and leave where to
 * go on.  False if the person had enough.
 */
static bool
show_lines(const struct filter *f, uint64_t *seq, unsigned skip)
{
    for (; log_read(*seq, &entry); *seq = entry.seq + 1) {
        if (console_interrupted())
            return false;
        if (!is_wanted(f))
            continue;
        if (skip > 0)
            skip--;
        else
            show_line(f);
    }
    return true;
}

/* All there is, then what comes, until Ctrl-C. */
static void
follow(const struct filter *f, uint64_t seq)
{
    mirror_hold(true);
    while (show_lines(f, &seq, 0) && !console_interrupted())
        world_sleep(FOLLOW_NS);
    mirror_hold(false);
}

static void
set_console_level(const struct args *args, const char *word)
{
    enum log_level level;

    if (!find_level(word, &level)) {
        output_error(args->command, "unknown level '%s': expected error, "
                     "warn, info or debug", word);
        return;
    }
    log_set_console_level(level);
    output_print("The console shows log lines of level %s%s as they come.\n",
                 word, level == LOG_ERROR ? "" : " and more urgent ones");
}

static bool
make_filter(const struct args *args, struct filter *f)
{
    *f = (struct filter){ LOG_LEVEL_COUNT, LOG_MODULE_COUNT,
                          args_option(args, 'v') != NULL };
    for (unsigned i = 0; i < args->count; i++)
        if (!apply_word(args, args->word[i], f))
            return false;
    return true;
}

void
cmd_log(const struct args *args)
{
    static const struct number_range range = {
        "a number of lines", 1, LINES_MAX
    };
    const char *lines = args_option(args, 'n');
    const char *console = args_option(args, 'c');
    struct filter f;
    uint32_t most = LINES_MAX;
    unsigned wanted;
    uint64_t seq = 0;

    if (!make_filter(args, &f) ||
        (lines != NULL && !command_number(args, lines, &range, &most)))
        return;
    if (console != NULL) {
        set_console_level(args, console);
        return;
    }
    wanted = count_wanted(&f);
    if (wanted == 0)
        output_print("there are no such lines\n");
    if (show_lines(&f, &seq, wanted > most ? wanted - most : 0) &&
        args_option(args, 'f') != NULL)
        follow(&f, seq);
}
