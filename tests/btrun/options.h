/*
 * options.h - btrun's command line.
 */
#ifndef TESTS_BTRUN_OPTIONS_H
#define TESTS_BTRUN_OPTIONS_H

#include "kernel/base/types.h"

struct options {
    bool stats, stress, trace, interp;
    uint32_t seed;
    const char *program;    /* path, also for /proc/self/exe */
    char **args;            /* argv from its [0] */
    char **environment;
    char itself[4096];      /* btrun's own path */
};
extern struct options options;

/* Ends the process if there is something wrong, or help is wanted. */
void options_parse(char **argv, char **environment);

#define OPTIONS_WORDS_MAX 8
/*
 * The words with which a program PATH runs as this one does; the program's
 * arguments, from its NAME on, follow them.  Returns how many there are.
 */
unsigned options_words(char **words, const char *path, const char *name);

#endif
