/*
 * output.h - who may write to the console, and when.
 *
 * Three write: the person's line being edited, the command that runs, and log
 * lines that come whenever they like.  They take turns by a lock for worlds,
 * which may be held while the serial line is waited for.  A log line that
 * comes while a line is edited makes room for itself, and the edited line
 * comes back below it.
 *
 * Worlds only; before they run, and in panic, drivers/console.h is used as it
 * is.
 */
#ifndef CONSOLE_OUTPUT_H
#define CONSOLE_OUTPUT_H

#include "console/line_editor.h"

/* EDITOR is the one that may be in the way. */
void output_init(struct line_editor *editor);

/*
 * Take a turn, for more than one of the calls below or for the editor's.
 * Returns false, and no turn, to a world that was killed.
 */
MUST_CHECK bool output_begin(void);
void output_end(void);

/* What commands print with; at most about 1000 characters at a time. */
PRINTF_LIKE(1, 2)
void output_print(const char *format, ...);

/*
 * COMMAND: what is wrong, what was expected; broken as by output_folded().  A
 * newline is added.
 */
PRINTF_LIKE(2, 3)
void output_error(const char *command, const char *format, ...);

/*
 * LABEL and TEXT, broken between words where the terminal's row ends; further
 * rows are indented as far as the first one's label.
 */
void output_folded(const char *label, const char *text);

/* A whole line, its newline included, from somebody who is not a command. */
void output_line(const char *line);

/* To the beginning of a row, if the output so far ended within one. */
void output_fresh_row(void);

#endif
