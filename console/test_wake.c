/*
 * test_wake.c - `test wake [ROUNDS]`: who is woken runs soon, also where the
 * one that woke it goes on computing.
 *
 * On one processor nothing but the waking itself can start the switch: there is
 * no other processor to run on, and while only one world wants to run there are
 * no interrupts that would end its turn.
 */
#include "console/self_tests.h"

#include "console/commands.h"
#include "console/output.h"
#include "kernel/clock.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "sched/wait.h"
#include "sched/world.h"

#define ROUNDS_DEFAULT  50u
#define ROUNDS_MAX      10000u
#define SETTLE_NS       (5 * NSEC_PER_MSEC)
#define SOON_NS         (3 * NSEC_PER_MSEC) /* a turn after waking is 1 */
#define PATIENCE_NS     (30 * NSEC_PER_MSEC)

static struct {
    struct lock lock;
    struct wait_queue queue;
    uint32_t asked;             /* lock */
    uint32_t answered;
} run = {
    .lock = LOCK_INIT("test wake", RANK_DEVICE),
    .queue = { LIST_INIT(run.queue.waiters), "test wake" }
};

/* Answers each question as soon as it runs, until it is killed. */
static void
sleeper_world(void *arg UNUSED)
{
    status_t status = OK;

    lock_acquire(&run.lock);
    while (status != ERR_KILLED) {
        atomic_store(&run.answered, run.asked);
        status = wait_block(&run.queue, &run.lock, WAIT_FOREVER);
    }
    lock_release(&run.lock);
}

/* Wake it and compute until it answers; whether that was soon. */
static bool
ask(void)
{
    uint64_t start = clock_now();
    uint32_t question;

    lock_acquire(&run.lock);
    question = ++run.asked;
    lock_release(&run.lock);
    wait_wake_one(&run.queue);
    while (atomic_load(&run.answered) != question &&
           clock_now() - start < PATIENCE_NS)
        cpu_pause();
    return clock_now() - start < SOON_NS;
}

void
self_test_wake(const struct args *args)
{
    static const struct number_range range = {
        "a number of rounds", 1, ROUNDS_MAX
    };
    const struct world_params params = {
        .name = "sleeper", .fn = sleeper_world
    };
    uint32_t rounds = ROUNDS_DEFAULT;
    struct world *sleeper;
    unsigned soon = 0;
    status_t status;

    if (args->count > 0 &&
        !command_number(args, args->word[0], &range, &rounds))
        return;
    status = world_create(&params, &sleeper);
    if (status != OK) {
        output_error(args->command, "no world: %s", status_text(status));
        return;
    }
    for (uint32_t i = 0; i < rounds; i++) {
        world_sleep(SETTLE_NS);
        soon += ask();
    }
    world_kill(sleeper);
    world_join(sleeper);
    output_print("%u of %u times it ran soon\n", soon, rounds);
}
