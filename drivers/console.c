/*
 * console.c - one stream of text to every console device, and one from them
 * (console.h).
 *
 * Output.  Each device has a lock of its own (RANK_CONSOLE) under which one
 * piece of text is taken; pieces of different processors may come in another
 * order on another device, which nobody minds.  The screen takes everything at
 * once.  The serial line takes what its ring has room for; then a world waits
 * for more room, and anybody who may not wait loses the rest of his text,
 * which is counted and told: the log keeps the lines themselves.
 *
 * Input.  input_lock guards the consumer and the producers of one ring, filled
 * by interrupt handlers that hold no device lock (it ranks below them).  The
 * serial line asks for room before it reads its UART and so loses nothing; the
 * keyboard cannot hold keys back, and a part of the ring is kept for it.
 *
 * Three times.  Until console_start() there is one processor: polling, no
 * locks.  In panic the others are stopped, perhaps with our locks in hand:
 * polling, no locks.  In between, everything above.
 */
#include "drivers/console.h"

#include "drivers/console_int.h"
#include "drivers/keyboard.h"
#include "drivers/serial_16550.h"
#include "drivers/vga_console.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/ring.h"
#include "kernel/base/stats.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/lock.h"
#include "kernel/percpu.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"
#include "sched/wait.h"

#define CTRL_C              '\003'
#define PIECE_SIZE          128u
#define INPUT_SIZE          KB(64)
#define INPUT_FOR_KEYBOARD  256u
#define INPUT_LOW_WATER     KB(32)

#define POLL_NS             (20 * NSEC_PER_MSEC)
#define STUCK_NS            NSEC_PER_SEC
#define FLUSH_NS            NSEC_PER_SEC

STAT(console, output_lost);
STAT(console, input_lost);

enum console_phase { PHASE_EARLY, PHASE_RUNNING, PHASE_PANIC };

struct console {
    struct console_options options;
    enum console_phase phase;
    bool serial_by_irq;
    bool after_cr;              /* the last byte written was a CR */

    struct lock input_lock;     /* guards input; is what readers block on */
    struct wait_queue input_queue;
    struct ring input;          /* no bytes (size 0) before console_start */
    bool interrupted;
    unsigned ctrl_c_queued;     /* how many are in the ring of input */

    struct lock room_lock;      /* orders waiters and the interrupt */
    struct wait_queue room_queue;
    unsigned room_waiters;
    uint32_t lost;              /* bytes that the serial line did not get */
};

const struct console_options console_defaults = {
    .serial_port = SERIAL_COM1_PORT,
    .serial_irq = SERIAL_COM1_IRQ,
    .serial_baud = SERIAL_BAUD_MAX,
    .vga = true,
};

static struct console console = {
    .input_lock = LOCK_INIT("console input", RANK_DEVICE),
    .room_lock = LOCK_INIT("console room", RANK_DEVICE),
};

void
console_init(const struct console_options *options)
{
    const struct console_options *old = &console.options;

    /* The same port again keeps what was typed ahead. */
    if (options->serial_port != old->serial_port ||
        options->serial_baud != old->serial_baud)
        serial_init(options->serial_port, options->serial_baud);
    if (options->vga && !old->vga)
        vga_init();
    console.options = *options;
}

/* --- Output -------------------------------------------------------------- */

/*
 * Whether the caller is a world that holds no spinlock: only then interrupts
 * are on, since whoever takes a lock masks them.
 */
static bool
may_block(void)
{
    if (console.phase != PHASE_RUNNING || !(read_eflags() & EFLAGS_IF))
        return false;
    return PERCPU(current) != NULL && PERCPU(current) != PERCPU(idle) &&
           PERCPU(irq_depth) == 0 && PERCPU(preempt_off) == 0;
}

/* Wait for room in the serial ring; false when it does not come. */
static bool
wait_for_room(void)
{
    uint64_t give_up = clock_now() + STUCK_NS;

    if (!may_block())
        return false;
    lock_acquire(&console.room_lock);
    console.room_waiters++;
    while (serial_write_room() == 0 && clock_now() < give_up) {
        if (wait_block(&console.room_queue, &console.room_lock,
                       clock_now() + POLL_NS) == ERR_KILLED)
            break;
        lock_release(&console.room_lock);
        (void)serial_service();
        lock_acquire(&console.room_lock);
    }
    console.room_waiters--;
    lock_release(&console.room_lock);
    return serial_write_room() > 0;
}

void
console_output_ready_irq(void)
{
    if (atomic_load(&console.room_waiters) == 0)
        return;
    lock_acquire(&console.room_lock);
    lock_release(&console.room_lock);
    wait_wake_all(&console.room_queue);
}

static void
tell_loss(void)
{
    char text[48];
    uint32_t lost;

    if (LIKELY(atomic_load(&console.lost) == 0))
        return;
    lost = atomic_exchange(&console.lost, 0);
    format_buf(text, sizeof(text), "\r\n[%u bytes not shown]\r\n", lost);
    if (serial_write_room() > sizeof(text))
        (void)serial_write(text, strlen(text));
    else
        atomic_add(&console.lost, lost);
}

static void
serial_put(const char *text, size_t size)
{
    if (!serial_is_present())
        return;
    if (!console.serial_by_irq || console.phase == PHASE_PANIC) {
        serial_write_polled(text, size);
        return;
    }
    tell_loss();
    while (size > 0) {
        size_t n = serial_write(text, size);

        text += n;
        size -= n;
        if (size > 0 && !wait_for_room()) {
            atomic_add(&console.lost, size);
            STAT_ADD(console, output_lost, size);
            return;
        }
    }
}

static void
put_piece(const char *text, size_t size)
{
    serial_put(text, size);
    if (!console.options.vga)
        return;
    if (console.phase == PHASE_RUNNING)
        vga_write(text, size);
    else
        vga_write_unlocked(text, size);
}

void
console_write(const char *text, size_t size)
{
    char piece[PIECE_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < size; i++) {
        if (n > sizeof(piece) - 2) {
            put_piece(piece, n);
            n = 0;
        }
        if (text[i] == '\n' && !console.after_cr)
            piece[n++] = '\r';
        piece[n++] = text[i];
        console.after_cr = text[i] == '\r';
    }
    put_piece(piece, n);
}

/* Collects what the formatter delivers in bits. */
struct print_buffer {
    char text[PIECE_SIZE];
    size_t used;
};

static void
print_sink(void *arg, const char *text, size_t size)
{
    struct print_buffer *buffer = arg;

    while (size > 0) {
        size_t n = MIN(size, sizeof(buffer->text) - buffer->used);

        memcpy(buffer->text + buffer->used, text, n);
        buffer->used += n;
        text += n;
        size -= n;
        if (buffer->used == sizeof(buffer->text)) {
            console_write(buffer->text, buffer->used);
            buffer->used = 0;
        }
    }
}

void
console_print(const char *format, ...)
{
    struct print_buffer buffer = { .used = 0 };
    va_list args;

    va_start(args, format);
    (void)format_to_sink(print_sink, &buffer, format, args);
    va_end(args);
    console_write(buffer.text, buffer.used);
}

void
console_flush(void)
{
    uint64_t give_up;

    if (console.phase == PHASE_PANIC || !console.serial_by_irq) {
        serial_drain_polled();
        return;
    }
    give_up = clock_now() + FLUSH_NS;
    while (!serial_service() && clock_now() < give_up)
        cpu_pause();
}

void
console_enter_panic(void)
{
    if (console.phase == PHASE_PANIC)
        return;
    console.phase = PHASE_PANIC;
    serial_drain_polled();
}

/* --- Input --------------------------------------------------------------- */

size_t
console_input_room_irq(void)
{
    uint32_t room = ring_room(&console.input);

    return room > INPUT_FOR_KEYBOARD ? room - INPUT_FOR_KEYBOARD : 0;
}

void
console_input_irq(const char *bytes, size_t size)
{
    uint32_t taken;

    lock_acquire(&console.input_lock);
    taken = ring_write(&console.input, bytes, (uint32_t)size);
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != CTRL_C)
            continue;
        console.interrupted = true;
        if (i < taken)
            console.ctrl_c_queued++;
    }
    lock_release(&console.input_lock);
    STAT_ADD(console, input_lost, size - taken);
    wait_wake_all(&console.input_queue);
}

/*
 * Until DEADLINE, or less when a device needs to be looked after because its
 * interrupts do not come.
 */
static status_t
wait_for_input(uint64_t deadline)
{
    uint64_t until = deadline;
    status_t status;

    if (serial_needs_service())
        until = MIN(deadline, clock_now() + POLL_NS);
    status = wait_block(&console.input_queue, &console.input_lock, until);
    if (status != ERR_TIMEOUT)
        return status;
    lock_release(&console.input_lock);
    (void)serial_service();
    lock_acquire(&console.input_lock);
    return until == deadline ? ERR_TIMEOUT : OK;
}

status_t
console_read(char *c, uint64_t deadline)
{
    status_t status = OK;
    uint8_t byte = 0;
    bool got;

    lock_acquire(&console.input_lock);
    while (!(got = ring_get(&console.input, &byte)) && status == OK)
        status = wait_for_input(deadline);
    if (got && byte == CTRL_C) {
        console.interrupted = false;
        console.ctrl_c_queued--;
    }
    lock_release(&console.input_lock);
    if (ring_used(&console.input) < INPUT_LOW_WATER)
        serial_resume_input();
    if (!got)
        return status;
    *c = (char)byte;
    return OK;
}

/* A command that asks this and never reads must not depend on interrupts. */
bool
console_interrupted(void)
{
    bool interrupted;
    uint8_t byte;

    if (serial_needs_service())
        (void)serial_service();
    lock_acquire(&console.input_lock);
    interrupted = console.interrupted;
    console.interrupted = false;
    while (interrupted && console.ctrl_c_queued > 0 &&
           ring_get(&console.input, &byte))
        if (byte == CTRL_C)
            console.ctrl_c_queued--;
    lock_release(&console.input_lock);
    if (interrupted)
        serial_resume_input();
    return interrupted;
}

bool
console_escapes_known(void)
{
    return !serial_is_present() || serial_saw_escape();
}

void
console_start(bool keyboard)
{
    void *bytes = kva_alloc(INPUT_SIZE / PAGE_SIZE, OWNER_BUFFERS);
    status_t status;

    if (bytes != NULL)
        ring_init(&console.input, bytes, INPUT_SIZE);
    else
        log_error(MOD_CONSOLE, "no memory for input");
    wait_init(&console.input_queue, "console input");
    wait_init(&console.room_queue, "console output");
    console.phase = PHASE_RUNNING;

    status = serial_start(console.options.serial_irq);
    console.serial_by_irq = status == OK;
    if (status != OK && serial_is_present())
        log_warn(MOD_CONSOLE, "serial: %s", status_text(status));
    if (keyboard && console.options.vga)
        keyboard_start();
}
