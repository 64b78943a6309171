/*
 * options.c - btrun's command line, read, and written for children.
 *
 * A program that the guest executes runs under a btrun of its own, with the
 * same options.  Its argv[0] need not be its path: --name says what it is.
 */
#include "tests/btrun/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/btrun/btrun.h"

#define SEED_TEXT_MAX 24

struct options options;

static char seed_text[SEED_TEXT_MAX];

static const char help[] =
    "usage: btrun [OPTION...] [--] PROGRAM [ARGUMENT...]\n"
    "Runs a 32-bit Linux program under Socle's translator.\n"
    "  --stats          say at the end what was translated, and why it left\n"
    "  --stress[=SEED]  disturb the translator all the time, as SEED says;\n"
    "                   SEED modulo 4: the size of its cache\n"
    "  --trace          show guest code and its translation as it is made\n"
    "  --interp         interpret instead of translating\n"
    "  --name=NAME      the program's argv[0], if not PROGRAM\n"
    "  --help           this\n"
    "All that btrun itself says goes to standard error.\n";

/* What is behind PREFIX in WORD, or NULL. */
static const char *
value_of(const char *word, const char *prefix)
{
    size_t size = strlen(prefix);

    return strncmp(word, prefix, size) == 0 ? word + size : NULL;
}

static void
set_seed(const char *text)
{
    char *end;

    errno = 0;
    options.stress = true;
    options.seed = strtoul(text, &end, 0);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        die("--stress=%s: SEED must be a number of 32 bits", text);
}

/* False: that was the last one, "--". */
static bool
set_option(const char *word, const char **name)
{
    const char *value;

    if (strcmp(word, "--") == 0)
        return false;
    if (strcmp(word, "--help") == 0) {
        fputs(help, stdout);
        exit(0);
    }
    if (strcmp(word, "--stats") == 0)
        options.stats = true;
    else if (strcmp(word, "--stress") == 0)
        options.stress = true;
    else if ((value = value_of(word, "--stress=")) != NULL)
        set_seed(value);
    else if (strcmp(word, "--trace") == 0)
        options.trace = true;
    else if (strcmp(word, "--interp") == 0)
        options.interp = true;
    else if ((value = value_of(word, "--name=")) != NULL)
        *name = value;
    else
        die("%s: unknown option; see btrun --help", word);
    return true;
}

void
options_parse(char **argv, char **environment)
{
    const char *name = NULL;

    options.seed = 1;
    argv++;
    while (*argv != NULL && (*argv)[0] == '-') {
        if (!set_option(*argv++, &name))
            break;
    }
    if (*argv == NULL)
        die("no program given; see btrun --help");
    if (options.interp && (options.stress || options.trace))
        die("--interp excludes --stress and --trace: nothing is translated");
    options.program = *argv;
    options.args = argv;
    options.environment = environment;
    if (name != NULL)
        *argv = strdup(name);
    if (readlink("/proc/self/exe", options.itself,
                 sizeof(options.itself) - 1) < 0)
        die("/proc/self/exe cannot be read");
    snprintf(seed_text, sizeof(seed_text), "--stress=%u", options.seed);
}

unsigned
options_words(char **words, const char *path, const char *name)
{
    static char name_text[sizeof("--name=") + sizeof(options.itself)];
    unsigned n = 0;

    words[n++] = options.itself;
    if (options.stats)
        words[n++] = (char *)"--stats";
    if (options.stress)
        words[n++] = seed_text;
    if (options.trace)
        words[n++] = (char *)"--trace";
    if (options.interp)
        words[n++] = (char *)"--interp";
    snprintf(name_text, sizeof(name_text), "--name=%s", name);
    words[n++] = name_text;
    words[n++] = (char *)"--";
    words[n++] = (char *)path;
    return n;
}
