/*
 * report.c - results, one line each, over COM1.
 *
 *      ok TOPIC: NAME
 *      FAIL TOPIC: NAME: got ..., expected ...
 *      skip TOPIC: NAME
 *      done: N passed, N failed
 *
 * The line is polled, so that no interrupt is needed.  PC16550D data sheet 8.
 */
#include "guest/guest.h"
#include "kernel/base/format.h"

#define COM1            0x3f8
#define COM1_IER        (COM1 + 1)
#define COM1_FCR        (COM1 + 2)
#define COM1_LCR        (COM1 + 3)
#define COM1_MCR        (COM1 + 4)
#define COM1_LSR        (COM1 + 5)
#define LCR_DLAB        0x80
#define LCR_8N1         0x03
#define MCR_DTR_RTS     0x03
#define LSR_THRE        0x20
#define LSR_TEMT        0x40

static const char *topic_name;
static unsigned passed, failed;

void
report_init(void)
{
    out8(COM1_LCR, LCR_DLAB);
    out8(COM1, 1);                      /* 115200 baud */
    out8(COM1_IER, 0);
    out8(COM1_LCR, LCR_8N1);
    out8(COM1_FCR, 0);
    out8(COM1_IER, 0);
    out8(COM1_MCR, MCR_DTR_RTS);
}

void
report_topic(const char *name)
{
    topic_name = name;
}

static void
send(UNUSED void *arg, const char *text, size_t size)
{
    for (size_t n = 0; n < size; n++) {
        while ((in8(COM1_LSR) & LSR_THRE) == 0)
            cpu_pause();
        out8(COM1, (uint8_t)text[n]);
    }
}

void
print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_to_sink(send, NULL, format, args);
    va_end(args);
}

static bool
count(bool is_right, const char *name)
{
    if (is_right)
        passed++;
    else
        failed++;
    print("%s %s: %s", is_right ? "ok" : "FAIL", topic_name, name);
    if (is_right)
        print("\n");
    return is_right;
}

void
check(const char *name, uint32_t got, uint32_t expected)
{
    if (!count(got == expected, name))
        print(": got %#x, expected %#x\n", got, expected);
}

void
skip(const char *name)
{
    print("skip %s: %s\n", topic_name, name);
}

void
check_trap(const char *name, const struct context *c, unsigned vector,
           uint32_t error, const void *eip)
{
    bool is_right = c->vector == vector && c->error == error &&
                    c->eip == (uint32_t)eip;

    if (!count(is_right, name))
        print(": got vector %u (%x) at %x, expected %u (%x) at %x\n",
              c->vector, c->error, c->eip, vector, error, (uint32_t)eip);
}

/* Until the last character is on the line. */
void
report_done(void)
{
    print("done: %u passed, %u failed\n", passed, failed);
    while ((in8(COM1_LSR) & LSR_TEMT) == 0)
        cpu_pause();
}
