/*
 * self_tests.c - the self-tests that end well (self_tests.h).
 *
 * Run in the shell's world.  They leave the machine as they found it; `spin`
 * leaves worlds behind, which end by themselves and can be killed.
 */
#include "console/self_tests.h"

#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "drivers/console.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/log_ring.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"
#include "sched/world.h"

#define SLEEP_MS_MAX    60000u
#define SPIN_SECONDS_MAX 3600u
#define SPIN_WORLDS_MAX 32u
#define LINES_MAX       10000u
#define PASTE_MAX       MB(16)
#define PASTE_WAIT_NS   (60 * NSEC_PER_SEC)

#define CRC32_POLYNOMIAL 0xedb88320u    /* IEEE 802.3, bits reversed */
#define CRC32_START     0xffffffffu

/* The number at INDEX, or OTHERWISE if there are fewer arguments. */
static bool
number_at(const struct args *args, unsigned index,
          const struct number_range *range, uint32_t *value)
{
    if (index < args->count)
        return command_number(args, args->word[index], range, value);
    if (*value >= range->min)
        return true;
    output_error(args->command, "no argument: expected %s", range->what);
    return false;
}

/* --- Memory --------------------------------------------------------------- */

struct block {
    struct block *next;
};

/* Pages that are always mapped can hold the list of themselves. */
void
self_test_oom(const struct args *args UNUSED)
{
    struct block *blocks = NULL;
    unsigned count = 0;
    status_t status;
    mpn_t mpn;

    while ((status = page_alloc(ZONE_DIRECT, 0, OWNER_TEST, &mpn)) == OK) {
        struct block *b = direct_ptr(mpn_to_maddr(mpn));
        b->next = blocks;
        blocks = b;
        count++;
    }
    output_print("%u pages, then: %s\n", count, status_text(status));
    while (blocks != NULL) {
        struct block *b = blocks;
        blocks = b->next;
        page_free(maddr_to_mpn(direct_maddr(b)), 0);
    }
}

/* --- Time ----------------------------------------------------------------- */

void
self_test_sleep(const struct args *args)
{
    static const struct number_range range = {
        "a number of milliseconds", 1, SLEEP_MS_MAX
    };
    uint32_t ms = 0;
    uint64_t start = clock_now();
    char text[UNITS_SIZE];

    if (!number_at(args, 0, &range, &ms))
        return;
    world_sleep(ms * NSEC_PER_MSEC);
    output_print("slept%s seconds\n", units_seconds(text,
                                                    clock_now() - start));
}

static void
spin_world(void *arg)
{
    uint64_t end = clock_now() + (uintptr_t)arg * NSEC_PER_SEC;

    while (clock_now() < end && !world_should_stop())
        ;
}

void
self_test_spin(const struct args *args)
{
    static const struct number_range seconds_range = {
        "a number of seconds", 1, SPIN_SECONDS_MAX
    };
    static const struct number_range worlds_range = {
        "a number of worlds", 1, SPIN_WORLDS_MAX
    };
    uint32_t seconds = 0, worlds = 1;
    struct world_params params = { .name = "spin", .fn = spin_world };

    if (!number_at(args, 0, &seconds_range, &seconds) ||
        !number_at(args, 1, &worlds_range, &worlds))
        return;
    params.arg = (void *)(uintptr_t)seconds;
    for (unsigned i = 0; i < worlds; i++) {
        status_t status = world_create(&params, NULL);
        if (status != OK) {
            output_error(args->command, "world %u: %s", i,
                         status_text(status));
            return;
        }
    }
    output_print("%u worlds spin for %u seconds\n", worlds, seconds);
}

/* --- Log and input -------------------------------------------------------- */

struct log_job {
    enum log_level level;
    uint32_t count, ms;
};

/* Every other line as if from an interrupt handler or under a spinlock. */
static void
log_world(void *arg)
{
    struct log_job job = *(struct log_job *)arg;

    heap_free(arg);
    for (unsigned i = 0; i < job.count && !world_should_stop(); i++) {
        uint32_t flags = read_eflags();

        if (job.ms > 0)
            world_sleep(job.ms * NSEC_PER_MSEC);
        if (i % 2 == 1)
            cli();
        log_write(job.level, MOD_TEST, "line %u of %u", i + 1, job.count);
        irq_restore(flags);
    }
}

static bool
find_level(const struct args *args, enum log_level *level)
{
    for (unsigned l = 0; args->count > 0 && l < LOG_LEVEL_COUNT; l++) {
        *level = (enum log_level)l;
        if (strcmp(args->word[0], log_level_name(*level)) == 0)
            return true;
    }
    output_error(args->command, "no level: expected error, warn, info or "
                 "debug");
    return false;
}

void
self_test_log(const struct args *args)
{
    static const struct number_range lines = {
        "a number of lines", 1, LINES_MAX
    };
    static const struct number_range pause = {
        "a number of milliseconds", 0, SLEEP_MS_MAX
    };
    struct log_job *job = heap_alloc(sizeof(*job));
    struct world_params params = { .name = "test log", .fn = log_world };
    status_t status = ERR_NO_MEMORY;

    if (job != NULL) {
        *job = (struct log_job){ .count = 1 };
        if (!find_level(args, &job->level) ||
            !number_at(args, 1, &lines, &job->count) ||
            !number_at(args, 2, &pause, &job->ms)) {
            heap_free(job);
            return;
        }
        params.arg = job;
        status = world_create(&params, NULL);
    }
    if (status != OK) {
        heap_free(job);
        output_error(args->command, "%s", status_text(status));
    }
}

static uint32_t
crc32_byte(uint32_t crc, uint8_t byte)
{
    crc ^= byte;
    for (unsigned bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    return crc;
}

void
self_test_paste(const struct args *args)
{
    static const struct number_range range = {
        "a number of bytes", 1, PASTE_MAX
    };
    uint32_t wanted = 0, count;
    uint32_t crc = CRC32_START;
    char c;

    if (!number_at(args, 0, &range, &wanted))
        return;
    output_print("waiting for %u bytes\n", wanted);
    for (count = 0; count < wanted; count++) {
        if (console_read(&c, clock_now() + PASTE_WAIT_NS) != OK)
            break;
        crc = crc32_byte(crc, (uint8_t)c);
    }
    output_print("%u bytes, CRC-32 %08x\n", count, ~crc);
}
