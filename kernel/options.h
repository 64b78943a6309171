/*
 * options.h - read a line of `key=value` words into a structure, by a table.
 *
 * The table says which keys there are, of which type, and where in the
 * structure the value goes.  Words are separated by spaces; of two with the
 * same key the last wins.  A wrong word is reported with what was expected
 * instead, and changes nothing.  Pure; the text may be anything.
 *
 *      TYPE            FIELD IS    VALUE
 *      OPTION_BOOL     bool        on, off
 *      OPTION_UINT     uint32_t    a number from min to max
 *      OPTION_SIZE     uint64_t    the same, with K, M or G behind it
 *      OPTION_CHOICE   uint32_t    one of the choices
 *      OPTION_FLAGS    uint32_t    several choices, commas between: their OR
 *      OPTION_TEXT     char[OPTION_TEXT_MAX]   anything not empty that fits
 */
#ifndef KERNEL_OPTIONS_H
#define KERNEL_OPTIONS_H

#include "kernel/base/types.h"

#define OPTION_TEXT_MAX     128u    /* with the NUL */

enum option_type {
    OPTION_BOOL,
    OPTION_UINT,
    OPTION_SIZE,
    OPTION_CHOICE,
    OPTION_FLAGS,
    OPTION_TEXT
};

/* A word of a CHOICE or FLAGS value, and what it stands for. */
struct option_choice {
    const char *name;
    uint32_t value;
};

struct option_key {
    const char *name;
    enum option_type type;
    size_t offset;              /* of the field in the structure of values */
    uint64_t min, max;
    const struct option_choice *choices;
    size_t choice_count;
};

struct option_table {
    const struct option_key *keys;
    size_t count;
};

/* Called with one sentence, without newline, for each thing that is wrong. */
struct option_reporter {
    void (*report)(void *ctx, const char *message);
    void *ctx;
};

/*
 * Set the fields of the structure at VALUES that TEXT has options for, and
 * leave the others alone; returns how many options were wrong.
 */
unsigned options_parse(const struct option_table *table, void *values,
                       const char *text, const struct option_reporter *to);

#endif
