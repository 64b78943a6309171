/*
 * options.c - the command line.
 */
#include "vmrun/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/base/number.h"

#define MEMORY_DEFAULT  128u

static const char usage[] =
    "usage: vmrun [options] VM.vmx\n"
    "       vmrun [options] --kernel FILE\n"
    "  --kernel FILE          Linux bzImage or Multiboot kernel\n"
    "  --initrd FILE          Linux's initrd, or a Multiboot module; again\n"
    "                         for more modules\n"
    "  --append TEXT          the kernel's command line\n"
    "  --memory MB            4 to 2048; 128 if not given\n"
    "  --wall                 time is the host's; else instructions count\n"
    "  --max-instructions N   stop after so many\n"
    "  --no-reset             stop where the machine would reset\n"
    "  --trace                dump the last instructions when it stops\n"
    "  --stats                say at the end what was done\n";

enum {
    OPTION_KERNEL, OPTION_INITRD, OPTION_APPEND, OPTION_MEMORY, OPTION_WALL,
    OPTION_MAX, OPTION_NO_RESET, OPTION_TRACE, OPTION_STATS, OPTION_HELP
};

static const struct option long_options[] = {
    { "kernel", required_argument, NULL, OPTION_KERNEL },
    { "initrd", required_argument, NULL, OPTION_INITRD },
    { "append", required_argument, NULL, OPTION_APPEND },
    { "memory", required_argument, NULL, OPTION_MEMORY },
    { "wall", no_argument, NULL, OPTION_WALL },
    { "max-instructions", required_argument, NULL, OPTION_MAX },
    { "no-reset", no_argument, NULL, OPTION_NO_RESET },
    { "trace", no_argument, NULL, OPTION_TRACE },
    { "stats", no_argument, NULL, OPTION_STATS },
    { "help", no_argument, NULL, OPTION_HELP },
    { NULL, 0, NULL, 0 },
};

void
die(const char *format, ...)
{
    va_list args;

    fputs("vmrun: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\n", stderr);
    exit(EXIT_FAILURE);
}

static void
add_module(struct vm_options *o, const char *file)
{
    if (o->module_count == GUEST_MODULES_MAX)
        die("--initrd %s: no more than %u", file, GUEST_MODULES_MAX);
    o->module_line[o->module_count] = file;
    o->module[o->module_count++] = file;
}

static void
set_memory(struct vm_options *o, const char *text)
{
    if (parse_u32(text, &o->memory_mb) != OK || o->memory_mb < MEMORY_MIN_MB ||
        o->memory_mb > MEMORY_MAX_MB)
        die("--memory %s: expected %u to %u megabytes", text, MEMORY_MIN_MB,
            MEMORY_MAX_MB);
}

static void
set_option(struct vm_options *o, int option, const char *name)
{
    switch (option) {
    case OPTION_KERNEL:
        o->kernel = optarg;
        return;
    case OPTION_INITRD:
        add_module(o, optarg);
        return;
    case OPTION_APPEND:
        o->command_line = optarg;
        return;
    case OPTION_MEMORY:
        set_memory(o, optarg);
        return;
    case OPTION_MAX:
        if (parse_u64(optarg, &o->max_instructions) != OK)
            die("--max-instructions %s: expected a number", optarg);
        return;
    case OPTION_WALL:
        o->is_wall = true;
        return;
    case OPTION_NO_RESET:
        o->no_reset = true;
        return;
    case OPTION_TRACE:
        o->wants_trace = true;
        return;
    case OPTION_STATS:
        o->wants_stats = true;
        return;
    case OPTION_HELP:
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    default:
        die("%s: what is that? try --help", name);
    }
}

void
options_read(struct vm_options *o, int argc, char **argv)
{
    int option;

    *o = (struct vm_options){ .memory_mb = MEMORY_DEFAULT,
                              .command_line = "",
                              .max_instructions = UINT64_MAX };
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        set_option(o, option, argv[optind - 1]);
    if (optind < argc - 1)
        die("%s: unexpected; try --help", argv[optind + 1]);
    if (optind < argc && o->kernel != NULL)
        die("%s: a .vmx file or --kernel, not both", argv[optind]);
    if (optind < argc)
        options_read_vmx(o, argv[optind]);
    else if (o->kernel == NULL)
        die("which machine? try --help");
}
