/*
 * keys.h - what a person can press, after the terminal's dialect is removed.
 *
 * A key is the byte that it sends (control characters included), or one of the
 * names below for keys that send several.  The editor's commands are the ones
 * of the readline family, so that hands trained elsewhere work here.
 */
#ifndef CONSOLE_KEYS_H
#define CONSOLE_KEYS_H

/* The character that Ctrl and LETTER (upper case) send. */
#define CTRL(letter)    ((letter) & 0x1f)

enum key {
    KEY_NONE = -1,          /* nothing yet: in the middle of a sequence */
    KEY_TAB = '\t',
    KEY_ESCAPE = 0x1b,      /* the key itself, and not what begins with it */
    KEY_RUBOUT = 0x7f,
    KEY_UP = 0x100,
    KEY_DOWN,
    KEY_LEFT,
    KEY_RIGHT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_WORD_LEFT,          /* Ctrl or Alt with a cursor key, Alt-B, Alt-F */
    KEY_WORD_RIGHT,
    KEY_WORD_DELETE,        /* Alt-D */
    KEY_WORD_RUBOUT,        /* Alt-Backspace */
    KEY_RESIZED             /* the terminal told its width */
};

#endif
