/*
 * tty.c - standard input and output behind the first serial port.
 *
 * Bytes are kept here between the guest's pace and the host's.  Output is never
 * refused: a full buffer is written out at once.
 */
#include "vmrun/tty.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "vmrun/machine.h"

#define KEY_LEAVE       0x1d            /* Ctrl-] */
#define WAIT_FOREVER    (-1)

static struct termios saved;
static bool is_terminal;

void
tty_close(void)
{
    if (is_terminal)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    is_terminal = false;
}

static void
flush(struct tty *t)
{
    uint32_t done = 0;

    while (done < t->out_count) {
        ssize_t n = write(STDOUT_FILENO, t->out + done, t->out_count - done);

        if (n < 0 && errno != EINTR && errno != EAGAIN)
            break;
        done += n > 0 ? (uint32_t)n : 0;
    }
    t->out_count = 0;
}

static bool
put(void *context, uint8_t byte)
{
    struct tty *t = context;

    if (t->out_count == sizeof(t->out))
        flush(t);
    t->out[t->out_count++] = byte;
    return true;
}

static bool
get(void *context, uint8_t *byte)
{
    struct tty *t = context;

    if (t->in_count == 0)
        return false;
    *byte = t->in[t->in_first++];
    t->in_count--;
    return true;
}

const struct char_backend_ops tty_ops = { put, get };

void
tty_init(struct tty *t)
{
    struct termios raw;

    memset(t, 0, sizeof(*t));
    is_terminal = tcgetattr(STDIN_FILENO, &saved) == 0;
    if (!is_terminal)
        return;
    raw = saved;
    cfmakeraw(&raw);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    atexit(tty_close);
}

/* Is there something to read within MS milliseconds? */
static bool
is_readable(int ms)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

    return poll(&p, 1, ms) > 0;
}

bool
tty_poll(struct tty *t)
{
    ssize_t n;

    flush(t);
    if (t->in_count > 0)
        return true;
    if (t->is_closed || !is_readable(0))
        return false;
    n = read(STDIN_FILENO, t->in, sizeof(t->in));
    t->is_closed = n <= 0;
    t->in_first = 0;
    t->in_count = n > 0 ? (uint32_t)n : 0;
    t->is_left = is_terminal &&
                 memchr(t->in, KEY_LEAVE, t->in_count) != NULL;
    return t->in_count > 0;
}

uint64_t
tty_wait(struct tty *t, uint64_t ns)
{
    uint64_t start = wall_ns();
    uint64_t ms = DIV_ROUND_UP(ns, NSEC_PER_MSEC);

    flush(t);
    if (t->is_closed)
        return ns;
    if (!is_readable(ms > INT32_MAX ? WAIT_FOREVER : (int)ms))
        return ns;
    return MIN(ns, wall_ns() - start);
}
