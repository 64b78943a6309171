/*
 * tty.h - standard input and output as what stands behind a serial port.
 *
 * A terminal is set to raw mode and back at exit.  Ctrl-] leaves.
 */
#ifndef TESTS_VMRUN_TTY_H
#define TESTS_VMRUN_TTY_H

#include "kernel/base/types.h"
#include "vmm/dev/backend.h"

#define TTY_BUFFER      1024u

struct tty {
    uint8_t in[TTY_BUFFER], out[TTY_BUFFER];
    uint32_t in_first, in_count, out_count;
    bool is_closed;         /* no input will come */
    bool is_left;           /* Ctrl-] */
};

extern const struct char_backend_ops tty_ops;

void tty_init(struct tty *t);
/* The terminal as it was; for messages of our own. */
void tty_close(void);

/* Write out what the guest said; fetch what was typed.  True: there is some. */
bool tty_poll(struct tty *t);

/*
 * Wait for input, NS at most; returns how long it took, or NS at once when no
 * input can come.
 */
uint64_t tty_wait(struct tty *t, uint64_t ns);

#endif
