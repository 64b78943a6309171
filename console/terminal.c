/*
 * terminal.c - from bytes to keys (terminal.h).
 *
 * A state machine over the syntax of ECMA-48 5.4: ESC [ parameters
 * intermediates final.  Terminals disagree about what their keys send (VT100,
 * VT220, xterm, rxvt and the Linux console all differ), but not about this
 * syntax; so whatever is not understood is still recognised to its end, and
 * swallowed as a whole instead of landing in the line.
 *
 * Input is hostile: a sequence ends after SEQUENCE_MAX bytes or by timeout,
 * whatever comes; and a control character inside one ends it and counts, so
 * that Ctrl-C and Enter always work.
 *
 * Pure; called by the shell's world only.
 */
#include "console/terminal.h"

#define ESC             0x1bu
#define SEQUENCE_MAX    32u         /* longer than any key's */
#define PARAM_MAX       9999u
#define MODIFIER_ALT    3u          /* xterm: 2 Shift, 3 Alt, 5 Ctrl, ... */

enum state {
    GROUND,
    ESCAPE,                     /* after ESC */
    CSI,                        /* after ESC [ */
    SS3,                        /* after ESC O: one more byte */
    LINUX_FUNCTION,             /* after ESC [ [: one more byte */
    STRING                      /* after ESC ] and the like, up to BEL or ST */
};

/* CSI number ~ : the editing keypad, as VT220, rxvt and PuTTY count it. */
static const short keypad[] = {
    [1] = KEY_HOME, [3] = KEY_DELETE, [4] = KEY_END,
    [7] = KEY_HOME, [8] = KEY_END
};

void
terminal_init(struct terminal *t, enum terminal_policy policy,
              unsigned width_max)
{
    *t = (struct terminal){ .policy = policy };
    t->width_max = MIN(MAX(width_max, TERMINAL_WIDTH_MIN),
                       TERMINAL_WIDTH_MAX);
    t->width = MIN(TERMINAL_WIDTH_DEFAULT, t->width_max);
    t->ansi = policy == TERMINAL_ANSI;
    t->ask_width = true;
}

void
terminal_set_width(struct terminal *t, unsigned width)
{
    t->width = MIN(MAX(width, TERMINAL_WIDTH_MIN), TERMINAL_WIDTH_MAX);
    t->width_given = true;
}

bool
terminal_in_sequence(const struct terminal *t)
{
    return t->state != GROUND;
}

void
terminal_forget_width(struct terminal *t)
{
    t->ask_width = true;
}

bool
terminal_take_query(struct terminal *t)
{
    if (!t->ansi || !t->ask_width || t->width_given)
        return false;
    t->ask_width = false;
    t->asked_width = true;
    return true;
}

/* The key of a cursor-key letter, the same behind CSI and SS3. */
static int
letter_key(uint8_t final, unsigned modifier)
{
    switch (final) {
    case 'A': return KEY_UP;
    case 'B': return KEY_DOWN;
    case 'C': return modifier >= MODIFIER_ALT ? KEY_WORD_RIGHT : KEY_RIGHT;
    case 'D': return modifier >= MODIFIER_ALT ? KEY_WORD_LEFT : KEY_LEFT;
    case 'F': return KEY_END;
    case 'H': return KEY_HOME;
    default:  return KEY_NONE;
    }
}

/* Where the cursor stopped on its way to the right. */
static int
cursor_report(struct terminal *t)
{
    if (!t->asked_width || t->params != 2)
        return KEY_NONE;
    t->asked_width = false;
    t->width = MIN(MAX(t->param[1], TERMINAL_WIDTH_MIN), t->width_max);
    return KEY_RESIZED;
}

static int
csi_key(struct terminal *t, uint8_t final)
{
    if (final == '~') {
        unsigned n = t->param[0];
        return n < ARRAY_LEN(keypad) && keypad[n] != 0 ? keypad[n] : KEY_NONE;
    }
    if (final == 'R')
        return cursor_report(t);
    return letter_key(final, t->params >= 2 ? t->param[1] : 0);
}

static int
ss3_key(uint8_t final)
{
    switch (final) {
    case 'M': return '\r';              /* Enter of the keypad */
    case 'c': return KEY_WORD_RIGHT;    /* rxvt: Ctrl with a cursor key */
    case 'd': return KEY_WORD_LEFT;
    default:  return letter_key(final, 0);
    }
}

/* A key that arrived as a sequence of an ANSI terminal: now we know. */
static int
proven(struct terminal *t, int key)
{
    t->state = GROUND;
    if (key != KEY_NONE && t->policy == TERMINAL_LEARN && !t->deaf)
        t->ansi = true;
    return key;
}

static int
feed_escape(struct terminal *t, uint8_t byte)
{
    t->state = GROUND;
    switch (byte) {
    case '[':
        t->state = CSI;
        t->params = 0;
        t->param[0] = t->param[1] = 0;
        return KEY_NONE;
    case 'O':
        t->state = SS3;
        return KEY_NONE;
    case ']': case 'P': case 'X': case '^': case '_':
        t->state = STRING;
        return KEY_NONE;
    /* Alt and a letter; a patient person can type that anywhere: no proof. */
    case 'b': return KEY_WORD_LEFT;
    case 'f': return KEY_WORD_RIGHT;
    case 'd': return KEY_WORD_DELETE;
    case '\b': case KEY_RUBOUT: return KEY_WORD_RUBOUT;
    default:  return KEY_NONE;
    }
}

static void
csi_param(struct terminal *t, uint8_t byte)
{
    if (t->params == 0)
        t->params = 1;
    if (byte == ';') {
        t->params++;
    } else if (byte >= '0' && byte <= '9' && t->params <= TERMINAL_PARAMS) {
        unsigned *p = &t->param[t->params - 1];
        *p = MIN(*p * 10 + (byte - '0'), PARAM_MAX);
    }
}

static int
feed_csi(struct terminal *t, uint8_t byte)
{
    if (byte == '[' && t->size == sizeof("\x1b[[") - 1) {
        t->state = LINUX_FUNCTION;
        return KEY_NONE;
    }
    if (byte >= '@' && byte <= '~')
        return proven(t, csi_key(t, byte));
    if (byte >= '0' && byte <= '?')
        csi_param(t, byte);
    else if (byte < ' ' || byte > '~')
        t->state = GROUND;          /* not ECMA-48: give up */
    return KEY_NONE;
}

/* Enter sends CR; pasted text may have CR LF, which is one Enter too. */
static int
ground_key(struct terminal *t, uint8_t byte)
{
    bool second = byte == '\n' && t->after_cr;

    t->after_cr = byte == '\r';
    return second ? KEY_NONE : byte;
}

int
terminal_feed(struct terminal *t, uint8_t byte)
{
    /* BEL and the ESC of ST end a string; elsewhere ESC starts afresh. */
    if (byte == ESC) {
        t->state = ESCAPE;
        t->size = 1;
        return KEY_NONE;
    }
    if (t->state == STRING && byte == '\a') {
        t->state = GROUND;
        return KEY_NONE;
    }
    if (byte < ' ' && !(t->state == ESCAPE && byte == '\b'))
        t->state = GROUND;
    if (t->state == GROUND)
        return ground_key(t, byte);
    if (++t->size > SEQUENCE_MAX) {
        t->state = GROUND;
        return KEY_NONE;
    }
    switch (t->state) {
    case ESCAPE: return feed_escape(t, byte);
    case CSI:    return feed_csi(t, byte);
    case SS3:    return proven(t, ss3_key(byte));
    case LINUX_FUNCTION:
        t->state = GROUND;
        return KEY_NONE;
    default:     return KEY_NONE;       /* within a string */
    }
}

int
terminal_timeout(struct terminal *t)
{
    bool lone = t->state == ESCAPE;

    t->state = GROUND;
    return lone ? KEY_ESCAPE : KEY_NONE;
}
