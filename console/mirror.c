/*
 * mirror.c - the log on the console, as it comes (mirror.h).
 *
 * Lines are logged in every context, also with locks held that the scheduler's
 * rank below, so the world cannot always be woken on the spot.  Whoever holds
 * a spinlock has interrupts masked; so where they are on the world is woken at
 * once, and where they are masked this processor sends itself an interrupt,
 * which comes when the last lock is released.  Without a local APIC the world
 * looks after the log by itself from time to time.
 *
 * The world reads the ring by number, so it cannot lose a line without knowing
 * how many.
 */
#include "console/mirror.h"

#include "console/output.h"
#include "console/units.h"
#include "drivers/console.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/irq.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "sched/wait.h"
#include "sched/world.h"

#define LINE_SIZE   (LOG_LINE_MAX + MIRROR_LABEL_SIZE)
#define LOOK_NS     NSEC_PER_SEC        /* without a local APIC */

static struct {
    struct lock lock;           /* orders the world's look and the wake-up */
    struct wait_queue queue;
    uint32_t shown;             /* the last line shown before the world ran */
    bool called;                /* the interrupt to ourselves is under way */

    /* Who has the turn to write (output.h) has these too. */
    uint64_t next;              /* the first line that is to be shown */
    bool held;                  /* `log -f` shows them */
    struct log_entry entry;     /* too large for a stack */
    char line[LINE_SIZE];
} mirror = {
    .lock = LOCK_INIT("log mirror", RANK_DEVICE)
};

const char *
mirror_label(char *buf, const struct log_entry *entry)
{
    bool usual = entry->level == LOG_INFO;
    char time[UNITS_SIZE];

    format_buf(buf, MIRROR_LABEL_SIZE, "%s %s: %s%s",
               units_seconds(time, entry->time_ns),
               log_module_name(entry->module),
               usual ? "" : log_level_name(entry->level), usual ? "" : ": ");
    return buf;
}

/* The whole line, with its newline, into BUF of LINE_SIZE bytes. */
static void
format_line(const struct log_entry *entry, char *buf)
{
    char label[MIRROR_LABEL_SIZE];

    format_buf(buf, LINE_SIZE, "%s%s\n", mirror_label(label, entry),
               entry->text);
}

/* --- Before the shell runs ------------------------------------------------ */

static void
show_directly(const struct log_entry *entry)
{
    char line[LINE_SIZE];

    format_line(entry, line);
    console_write(line, strlen(line));
    atomic_store(&mirror.shown, (uint32_t)entry->seq);
}

void
mirror_start_direct(void)
{
    log_set_mirror(show_directly);
}

/* --- By a world ----------------------------------------------------------- */

/* No spinlock is held. */
static void
wake(void)
{
    lock_acquire(&mirror.lock);
    lock_release(&mirror.lock);
    wait_wake_all(&mirror.queue);
}

static void
on_call(struct trapframe *frame UNUSED)
{
    smp_ipi_ops()->eoi();
    atomic_store(&mirror.called, false);
    wake();
}

static void
line_came(const struct log_entry *entry UNUSED)
{
    const struct ipi_ops *ops = smp_ipi_ops();

    if (read_eflags() & EFLAGS_IF)
        wake();
    else if (ops != NULL && !atomic_exchange(&mirror.called, true))
        ops->send(PERCPU(apic_id), VEC_LOG);
}

static void
tell_missed(uint64_t missed)
{
    format_buf(mirror.line, sizeof(mirror.line),
               "[%llu log lines not shown]\n", (unsigned long long)missed);
    output_line(mirror.line);
}

void
mirror_catch_up(void)
{
    if (!output_begin())
        return;
    while (log_read(mirror.next, &mirror.entry)) {
        if (mirror.entry.seq > mirror.next)
            tell_missed(mirror.entry.seq - mirror.next);
        mirror.next = mirror.entry.seq + 1;
        if (mirror.held || mirror.entry.level > log_console_level())
            continue;
        format_line(&mirror.entry, mirror.line);
        output_line(mirror.line);
    }
    output_end();
}

void
mirror_hold(bool hold)
{
    mirror_catch_up();
    mirror.held = hold;
}

/* Block until there are lines; mirror_catch_up may be faster, no matter. */
static void
wait_for_lines(void)
{
    static struct log_entry entry;      /* this world's */
    uint64_t deadline = WAIT_FOREVER;

    if (smp_ipi_ops() == NULL)
        deadline = clock_now() + LOOK_NS;
    lock_acquire(&mirror.lock);
    if (!log_read(mirror.next, &entry))
        (void)wait_block(&mirror.queue, &mirror.lock, deadline);
    lock_release(&mirror.lock);
}

static void
mirror_world(void *arg UNUSED)
{
    while (!world_should_stop()) {
        mirror_catch_up();
        wait_for_lines();
    }
}

status_t
mirror_start_world(void)
{
    struct world_params params = {
        .name = "log", .fn = mirror_world, .is_system = true
    };
    status_t status;

    wait_init(&mirror.queue, "log lines");
    mirror.next = mirror.shown + 1;
    trap_set_handler(VEC_LOG, on_call);
    status = world_create(&params, NULL);
    if (status == OK)
        log_set_mirror(line_came);
    return status;
}
