/*
 * main.c - btrun [--stats] [--stress[=SEED]] [--] PROGRAM [ARGUMENT...]
 *
 * Runs an unmodified 32-bit Linux program under the translator.  Its output,
 * input and exit code are btrun's own; what btrun itself has to say goes to
 * standard error.  Single-threaded programs; their signal handlers never run.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "kernel/base/assert.h"
#include "tests/btrun/btrun.h"

struct options options;

void
die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("btrun: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(127);
}

void
assert_failed(const char *what, const char *file, unsigned line)
{
    fprintf(stderr, "btrun: assertion failed: %s at %s:%u\n", what, file,
            line);
    abort();
}

static char **
parse(char **argv)
{
    options.seed = 1;
    for (argv++; *argv != NULL && strncmp(*argv, "--", 2) == 0; argv++) {
        if (strcmp(*argv, "--stats") == 0)
            options.stats = true;
        else if (strcmp(*argv, "--stress") == 0)
            options.stress = true;
        else if (strncmp(*argv, "--stress=", 9) == 0)
            options.stress = true, options.seed = strtoul(*argv + 9, NULL, 0);
        else if (strcmp(*argv, "--") == 0)
            return argv + 1;
        else
            die("%s: unknown option", *argv);
    }
    return argv;
}

int
main(int argc, char **argv, char **environment)
{
    (void)argc;
    options.args = parse(argv);
    options.environment = environment;
    if (options.args[0] == NULL)
        die("usage: btrun [--stats] [--stress[=SEED]] PROGRAM [ARGUMENT...]");
    options.program = options.args[0];
    host_vsyscall = getauxval(AT_SYSINFO);
    if (host_vsyscall == 0)
        die("this kernel gives no AT_SYSINFO");
    __asm__("fxsave %0" : "=m"(guest.fpu));
    __asm__("mov %%gs, %0" : "=r"(host_gs));
    guest.eflags = EFLAGS_FIXED | EFLAGS_IF;
    engine_start();
    load_program();
    traps_start();
    engine_run();
}
