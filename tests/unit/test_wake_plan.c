/*
 * test_wake_plan.c - when a monitor is interrupted: a guest's ticks against a
 * VMkernel that follows the plan.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/wake_plan.h"

#define TICK_NS     (4 * NSEC_PER_MSEC)
#define TICKS       200u

/* Behind each tick the guest is so long at programming the next. */
#define PROGRAM_NS  (30 * NSEC_PER_USEC)

struct run {
    struct wake_plan plan;
    uint64_t now;
    unsigned calls, fires, in_vain;
    uint64_t latest;            /* how late a tick was at most */
};

static void
begin(struct run *r)
{
    *r = (struct run){ .now = 0 };
    wake_plan_init(&r->plan);
}

/* What the VMkernel does each time before the monitor runs. */
static void
enter(struct run *r)
{
    r->plan.armed = wake_plan_next(&r->plan, r->now);
}

static void
set(struct run *r, uint64_t at)
{
    wake_plan_set(&r->plan, at, r->now);
    if (!wake_plan_is_late(&r->plan))
        return;
    r->calls++;
    enter(r);
}

/* The guest computes until the tick at AT has come. */
static void
wait_tick(struct run *r, uint64_t at)
{
    while (r->now < at) {
        assert_true(r->plan.armed <= at + WAKE_SLACK_NS);
        r->now = r->plan.armed;
        r->fires++;
        r->in_vain += r->now < at;
        enter(r);
    }
    r->latest = MAX(r->latest, r->now - at);
}

/* A one-shot timer, programmed a little before or behind its mean. */
static void
run_one_shot(struct run *r, uint64_t jitter)
{
    uint64_t seed = 1;

    begin(r);
    for (unsigned n = 1; n <= TICKS; n++) {
        uint64_t at = n * TICK_NS + PROGRAM_NS + seed % (jitter + 1);

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        r->now += PROGRAM_NS;
        set(r, at);
        wait_tick(r, at);
        set(r, VMK_FOREVER);
    }
}

static void
test_one_shot(void **state)
{
    struct run r;

    (void)state;
    run_one_shot(&r, 0);
    assert_true(r.calls <= 2);
    assert_true(r.fires == TICKS && r.in_vain == 0);
    assert_true(r.latest <= WAKE_SLACK_NS);
}

/* Never more than what each tick would have cost with a call for it. */
static void
test_jitter(void **state)
{
    struct run r;

    (void)state;
    run_one_shot(&r, 20 * NSEC_PER_USEC);
    assert_true(r.calls + r.in_vain < TICKS / 4);
    run_one_shot(&r, NSEC_PER_MSEC);
    assert_true(r.calls + r.in_vain <= TICKS + 1);
    assert_true(r.latest <= WAKE_SLACK_NS);
}

/* The next tick is known at once: it alone is waited for. */
static void
test_periodic(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    for (unsigned n = 1; n <= TICKS; n++) {
        set(&r, n * TICK_NS);
        wait_tick(&r, n * TICK_NS);
    }
    assert_true(r.calls <= 2 && r.in_vain == 0);
    assert_true(r.latest <= WAKE_SLACK_NS);
}

/* A guest that wants no more ticks is left alone behind one guess. */
static void
test_end(void **state)
{
    struct run r;

    (void)state;
    run_one_shot(&r, 0);
    assert_true(r.plan.armed != VMK_FOREVER);
    r.now = r.plan.armed;
    enter(&r);
    assert_true(r.plan.armed == VMK_FOREVER);
    assert_true(!wake_plan_is_late(&r.plan));
}

/* Nearer than what is armed: a call, but for what is soon enough. */
static void
test_late(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    assert_true(!wake_plan_is_late(&r.plan));
    set(&r, TICK_NS);
    assert_true(r.calls == 1 && r.plan.armed == TICK_NS);
    set(&r, TICK_NS - WAKE_SLACK_NS);
    assert_true(r.calls == 1);
    set(&r, TICK_NS - WAKE_SLACK_NS - 1);
    assert_true(r.calls == 2);
    set(&r, 2 * TICK_NS);
    assert_true(r.calls == 2);
}

/* Intervals that are too short are not guessed. */
static void
test_short(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    for (unsigned n = 1; n <= TICKS; n++) {
        uint64_t at = n * WAKE_GUESS_MIN_NS / 2;

        set(&r, at);
        wait_tick(&r, at);
        set(&r, VMK_FOREVER);
    }
    assert_true(r.plan.guess == VMK_FOREVER);
    assert_true(r.calls == TICKS && r.fires == TICKS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_shot),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_periodic),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
