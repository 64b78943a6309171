/*
 * mirror.h - the log on the console, as it comes.
 *
 * At first every line is written by whoever logs it, in whatever context; once
 * the shell runs a world does it, so that lines and the person's typing do not
 * get into each other, and logging never waits for a slow serial line.
 */
#ifndef CONSOLE_MIRROR_H
#define CONSOLE_MIRROR_H

#include "kernel/base/status.h"
#include "kernel/log_ring.h"

#define MIRROR_LABEL_SIZE   64u

/* From now on, by whoever logs; needs console_init() to have run. */
void mirror_start_direct(void);

/* From now on by a world of its own; output_init() has run. */
MUST_CHECK status_t mirror_start_world(void);

/* Show the lines that are there now, in the caller's turn (output.h). */
void mirror_catch_up(void);

/* Let lines pass unseen while somebody else shows them. */
void mirror_hold(bool hold);

/*
 * What stands before ENTRY's text, into BUF of MIRROR_LABEL_SIZE bytes; the
 * level only where it is not the usual one.
 *
 *         12.345678 pci: warn: 00:1f.2 has no interrupt
 */
const char *mirror_label(char *buf, const struct log_entry *entry);

#endif
