/*
 * main.c - btrun [OPTION...] [--] PROGRAM [ARGUMENT...]
 *
 * Runs an unmodified 32-bit Linux program under the translator.  Its output,
 * input and exit code are btrun's own; what btrun itself has to say goes to
 * standard error.  Single-threaded programs; their signal handlers never run.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>

#include "kernel/base/assert.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/interpret.h"
#include "tests/btrun/options.h"

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

int
main(int argc, char **argv, char **environment)
{
    (void)argc;
    options_parse(argv, environment);
    host_vsyscall = getauxval(AT_SYSINFO);
    if (host_vsyscall == 0)
        die("this kernel gives no AT_SYSINFO");
    __asm__("fxsave %0" : "=m"(guest.fpu));
    __asm__("mov %%gs, %0" : "=r"(host_gs));
    guest.eflags = EFLAGS_FIXED | EFLAGS_IF;
    engine_start();
    load_program();
    if (options.interp)
        interpret_run();
    traps_start();
    engine_run();
}
