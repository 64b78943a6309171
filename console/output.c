/*
 * output.c - who may write to the console, and when (output.h).
 *
 * `busy` is the lock that worlds take turns by; the spinlock only guards it.
 * The holder may print further, so that a command's helper functions need not
 * know whether they are in somebody's turn.
 */
#include "console/output.h"

#include "drivers/console.h"
#include "kernel/base/assert.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "sched/wait.h"
#include "sched/world.h"

#define TEXT_SIZE   (LINE_MAX + 80u)

static struct {
    struct lock lock;           /* guards holder */
    struct wait_queue queue;
    struct world *holder;       /* whose turn it is, or NULL */

    /* The rest is the holder's. */
    unsigned depth;             /* turns within the turn */
    struct line_editor *editor;
    bool within_row;            /* the last character was not a newline */
    char text[TEXT_SIZE];
} output;

void
output_init(struct line_editor *editor)
{
    lock_init(&output.lock, "output", RANK_SUBSYSTEM);
    wait_init(&output.queue, "output");
    output.editor = editor;
}

bool
output_begin(void)
{
    struct world *self = world_current();
    status_t status = OK;

    lock_acquire(&output.lock);
    while (output.holder != NULL && output.holder != self && status == OK)
        status = wait_block(&output.queue, &output.lock, WAIT_FOREVER);
    if (status == OK) {
        output.holder = self;
        output.depth++;
    }
    lock_release(&output.lock);
    return status == OK;
}

void
output_end(void)
{
    ASSERT(output.holder == world_current());
    if (--output.depth > 0)
        return;
    lock_acquire(&output.lock);
    output.holder = NULL;
    lock_release(&output.lock);
    wait_wake_one(&output.queue);
}

static void
write_text(const char *text)
{
    size_t size = strlen(text);

    if (size == 0)
        return;
    console_write(text, size);
    output.within_row = text[size - 1] != '\n';
}

void
output_print(const char *format, ...)
{
    va_list args;

    if (!output_begin())
        return;
    va_start(args, format);
    format_buf_args(output.text, sizeof(output.text), format, args);
    va_end(args);
    write_text(output.text);
    output_end();
}

/* How much of TEXT goes into ROOM columns; at least one character. */
static unsigned
fold(const char *text, unsigned room)
{
    unsigned size = (unsigned)strlen(text);
    unsigned last;

    if (size <= room)
        return size;
    for (last = room; last > 0 && text[last] != ' '; last--)
        ;
    return last > 0 ? last : MAX(room, 1u);
}

/* TEXT from column INDENT on, where the cursor is. */
static void
write_folded(const char *text, unsigned indent)
{
    unsigned width = output.editor->setup.terminal->width - 1;
    unsigned room = width > indent ? width - indent : 1;

    for (;;) {
        unsigned size = fold(text, room);

        console_write(text, size);
        write_text("\n");
        for (text += size; *text == ' '; text++)
            ;
        if (*text == '\0')
            return;
        for (unsigned n = 0; n < indent; n++)
            write_text(" ");
    }
}

void
output_error(const char *command, const char *format, ...)
{
    va_list args;

    if (!output_begin())
        return;
    va_start(args, format);
    format_buf_args(output.text, sizeof(output.text), format, args);
    va_end(args);
    write_text(command);
    write_text(": ");
    write_folded(output.text, (unsigned)strlen(command) + 2);
    output_end();
}

void
output_folded(const char *label, const char *text)
{
    if (!output_begin())
        return;
    write_text(label);
    write_folded(text, (unsigned)strlen(label));
    output_end();
}

void
output_fresh_row(void)
{
    if (!output_begin())
        return;
    if (output.within_row)
        write_text("\n");
    output_end();
}

void
output_line(const char *line)
{
    bool editing;

    if (!output_begin())
        return;
    editing = line_editor_hide(output.editor);
    output_fresh_row();
    write_text(line);
    if (editing)
        line_editor_show(output.editor);
    output_end();
}
