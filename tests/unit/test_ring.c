/*
 * test_ring.c - kernel/base/ring.c: alone against a model, and with producer
 * and consumer on two threads.
 */
#include "unit/test.h"

#include <pthread.h>
#include <sched.h>

#include "kernel/base/ring.h"

#define ROUNDS          50000
#define STREAM_BYTES    400000u

static void
test_fill_to_last_byte(void **state)
{
    uint8_t bytes[8], out[8];
    struct ring r;
    uint8_t byte;

    (void)state;
    ring_init(&r, bytes, sizeof(bytes));
    assert_false(ring_get(&r, &byte));
    assert_int_equal(ring_write(&r, "0123456789", 10), 8);
    assert_int_equal(ring_used(&r), 8);
    assert_int_equal(ring_room(&r), 0);
    assert_false(ring_put(&r, 'x'));
    assert_true(ring_get(&r, &byte));
    assert_int_equal(byte, '0');
    assert_true(ring_put(&r, '8'));
    assert_int_equal(ring_read(&r, out, sizeof(out)), 8);
    assert_memory_equal(out, "12345678", 8);
    assert_int_equal(ring_read(&r, out, sizeof(out)), 0);
    assert_int_equal(ring_write(&r, out, 0), 0);
}

/* What goes in must come out, also while the indexes pass 2^32. */
static void
test_random_transfers(void **state)
{
    static uint8_t bytes[64];
    struct test_random rnd = { 77 };
    uint8_t in[100], out[100];
    uint8_t next_in = 0, next_out = 0;
    uint32_t used = 0;
    struct ring r;

    (void)state;
    ring_init(&r, bytes, sizeof(bytes));
    r.head = r.tail = UINT32_MAX - ROUNDS * 10;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t want = test_random_below(&rnd, sizeof(in));
        uint32_t n;

        for (uint32_t k = 0; k < want; k++)
            in[k] = (uint8_t)(next_in + k);
        n = ring_write(&r, in, want);
        assert_int_equal(n, MIN(want, sizeof(bytes) - used));
        next_in = (uint8_t)(next_in + n);
        used += n;
        assert_int_equal(ring_used(&r), used);

        want = test_random_below(&rnd, sizeof(out));
        n = ring_read(&r, out, want);
        assert_int_equal(n, MIN(want, used));
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(out[k], next_out++);
        used -= n;
        assert_int_equal(ring_room(&r), sizeof(bytes) - used);
    }
    /* The point of the high start: both indexes have wrapped. */
    assert_true(r.tail < UINT32_MAX / 2);
}

static uint8_t
stream_byte(uint32_t at)
{
    return (uint8_t)(at * 2654435761u >> 24);
}

static void *
produce(void *arg)
{
    struct ring *r = arg;
    struct test_random rnd = { 1 };
    uint8_t chunk[16];
    uint32_t sent = 0;

    while (sent < STREAM_BYTES) {
        uint32_t n = MIN(1 + test_random_below(&rnd, sizeof(chunk)),
                         STREAM_BYTES - sent);

        for (uint32_t k = 0; k < n; k++)
            chunk[k] = stream_byte(sent + k);
        n = ring_write(r, chunk, n);
        sent += n;
        if (n == 0)
            sched_yield();
    }
    return NULL;
}

static void
test_two_threads(void **state)
{
    static uint8_t bytes[32];
    uint8_t chunk[16];
    uint32_t received = 0, n;
    pthread_t producer;
    struct ring r;

    (void)state;
    ring_init(&r, bytes, sizeof(bytes));
    assert_int_equal(pthread_create(&producer, NULL, produce, &r), 0);
    while (received < STREAM_BYTES) {
        n = ring_read(&r, chunk, sizeof(chunk));
        for (uint32_t k = 0; k < n; k++)
            assert_int_equal(chunk[k], stream_byte(received + k));
        received += n;
        if (n == 0)
            sched_yield();
    }
    pthread_join(producer, NULL);
    assert_int_equal(ring_used(&r), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fill_to_last_byte),
        cmocka_unit_test(test_random_transfers),
        cmocka_unit_test(test_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
