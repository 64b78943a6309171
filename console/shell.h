/*
 * shell.h - the console: a person types commands, and sees what the log says.
 *
 *      console_init(...)       drivers/console.h
 *      shell_show_log()        the log appears on the console from here on
 *      ...                     interrupts, scheduler, console_start()
 *      shell_start()           the prompt
 *
 * A panic writes past all of this; nothing here needs to be told.
 */
#ifndef CONSOLE_SHELL_H
#define CONSOLE_SHELL_H

#include "console/terminal.h"
#include "kernel/base/status.h"

void shell_show_log(void);

/* Create the worlds of shell and log.  From a world or the start-up code. */
MUST_CHECK status_t shell_start(void);

/* What the shell believes about its terminal: for the command `terminal`. */
struct terminal *shell_terminal(void);

#endif
