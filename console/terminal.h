/*
 * terminal.h - what kind of terminal does the person have, and what did it say?
 *
 * A serial line does not tell what hangs on it, and a dumb terminal shows
 * rubbish for every escape sequence it is sent.  So none is sent until one has
 * come in: the first cursor key (or Home, End, Delete...) arrives as an escape
 * sequence that only an ANSI terminal makes, and proves that it understands
 * them as well.  Until then, and for ever with the policy PLAIN, only
 * printable characters, CR, LF and BS go out, which is enough for all that the
 * line editor does.
 *
 * The width is taken to be 80 until an ANSI terminal has answered where the
 * cursor stops when it is sent far to the right.
 */
#ifndef CONSOLE_TERMINAL_H
#define CONSOLE_TERMINAL_H

#include "console/keys.h"
#include "kernel/base/types.h"

#define TERMINAL_WIDTH_DEFAULT  80u
#define TERMINAL_WIDTH_MIN      10u
#define TERMINAL_WIDTH_MAX      132u

/* A sequence whose next byte takes longer than this has ended. */
#define TERMINAL_ESCAPE_NS      (250 * NSEC_PER_MSEC)

/* To the far right, say where that is, and back to the row's beginning. */
#define TERMINAL_WIDTH_QUERY    "\x1b[999C\x1b[6n\r"

enum terminal_policy {
    TERMINAL_LEARN,             /* plain until it has proved to be ANSI */
    TERMINAL_PLAIN,             /* plain whatever it sends */
    TERMINAL_ANSI               /* ANSI from the start */
};

#define TERMINAL_PARAMS         2u

struct terminal {
    enum terminal_policy policy;
    bool ansi;                  /* escape sequences may be sent */
    bool deaf;                  /* sequences come from somebody else: the PC's
                                 * keyboard proves nothing about this one */
    unsigned width;             /* columns, MIN .. width_max */
    unsigned width_max;         /* never believed to be wider than this */
    bool width_given;           /* by a person */
    bool ask_width;             /* to be asked at the next occasion */
    bool asked_width;           /* an answer is due */

    unsigned state;             /* where in an escape sequence: terminal.c */
    unsigned size;              /* bytes of the sequence so far */
    bool after_cr;              /* the last key was CR */
    unsigned params;            /* parameters begun, may exceed the array */
    unsigned param[TERMINAL_PARAMS];
};

void terminal_init(struct terminal *t, enum terminal_policy policy,
                   unsigned width_max);

/* A person knows the width: it is neither asked for nor limited. */
void terminal_set_width(struct terminal *t, unsigned width);

/* A byte came in: the key that it completes, or KEY_NONE. */
int terminal_feed(struct terminal *t, uint8_t byte);

/* Whether the next byte belongs to a sequence that has begun. */
bool terminal_in_sequence(const struct terminal *t);

/* It did not come: KEY_ESCAPE if that key alone was pressed, or KEY_NONE. */
int terminal_timeout(struct terminal *t);

/* Ask for the width when next possible (an ANSI terminal only). */
void terminal_forget_width(struct terminal *t);

/*
 * Whether TERMINAL_WIDTH_QUERY should be sent now; says so only once.  The
 * answer arrives as KEY_RESIZED, or never.
 */
bool terminal_take_query(struct terminal *t);

#endif
