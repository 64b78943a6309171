/*
 * test_serial_rings.c - COM1's back end over shared rings: order, refusal, and
 * when the VMkernel is wanted.
 */
#include "unit/test.h"

#include "vmm/core/serial_rings.h"
#include "vmm/vmm_ring.h"

#define LATENCY_NS  (10 * NSEC_PER_MSEC)    /* what a person may wait */

static struct vmm_rings rings;
static struct vclock vclock;
static struct serial_rings serial;
static struct char_backend backend;

static int
setup(void **state)
{
    (void)state;
    memset(&rings, 0, sizeof(rings));
    /* The counts wrap in each test. */
    rings.output.head = rings.output.tail = UINT32_MAX - 3;
    rings.input.head = rings.input.tail = UINT32_MAX - 1;
    vclock.now = 7 * NSEC_PER_SEC;
    serial_rings_init(&serial, &rings, &vclock);
    backend = serial_rings_backend(&serial);
    return 0;
}

static void
test_quiet(void **state)
{
    uint8_t byte;

    (void)state;
    assert_true(serial.call_at == VDEV_NEVER);
    assert_false(char_backend_read(&backend, &byte));
    assert_true(serial.call_at == VDEV_NEVER);
}

/* The first byte sets the time, later ones do not put it off. */
static void
test_output_waits_a_little(void **state)
{
    uint64_t at;

    (void)state;
    assert_true(char_backend_write(&backend, 'a'));
    at = serial.call_at;
    assert_true(at > vclock.now && at <= vclock.now + LATENCY_NS);
    vclock.now++;
    assert_true(char_backend_write(&backend, 'b'));
    assert_true(serial.call_at == at);
    serial_rings_called(&serial);
    assert_true(serial.call_at == VDEV_NEVER);
}

static void
test_much_output_does_not_wait(void **state)
{
    unsigned n = 0;

    (void)state;
    while (serial.call_at > vclock.now) {
        assert_true(char_backend_write(&backend, 'x'));
        n++;
    }
    assert_int_equal(n, VMM_RING_SIZE / 2);
}

static void
test_full_ring_refuses(void **state)
{
    uint8_t byte;

    (void)state;
    for (unsigned i = 0; i < VMM_RING_SIZE; i++)
        assert_true(char_backend_write(&backend, (uint8_t)(i * 7)));
    assert_false(char_backend_write(&backend, 'z'));
    assert_true(serial.call_at <= vclock.now);
    for (unsigned i = 0; i < VMM_RING_SIZE; i++) {
        assert_true(vmm_ring_get(&rings.output, &byte));
        assert_int_equal(byte, (uint8_t)(i * 7));
    }
    assert_false(vmm_ring_get(&rings.output, &byte));
    assert_true(char_backend_write(&backend, 'z'));
}

/* Whoever knows that output is waiting is not told again for each byte. */
static void
test_slow_reader(void **state)
{
    uint8_t byte;

    (void)state;
    while (char_backend_write(&backend, 'x'))
        ;
    serial_rings_called(&serial);
    assert_false(char_backend_write(&backend, 'y'));
    assert_true(serial.call_at == VDEV_NEVER);
    assert_true(vmm_ring_get(&rings.output, &byte));
    assert_true(char_backend_write(&backend, 'y'));
    assert_true(serial.call_at > vclock.now);
    serial_rings_called(&serial);
    serial_rings_moved(&serial);
    assert_true(serial.call_at > vclock.now);
    assert_false(char_backend_write(&backend, 'z'));
    assert_true(serial.call_at <= vclock.now);
    while (vmm_ring_get(&rings.output, &byte))
        ;
    serial_rings_called(&serial);
    serial_rings_moved(&serial);
    assert_true(serial.call_at == VDEV_NEVER);
}

/* When the last byte is taken, there may be more that had no room. */
static void
test_input(void **state)
{
    uint8_t byte;

    (void)state;
    for (unsigned i = 0; i < 5; i++)
        assert_true(vmm_ring_put(&rings.input, (uint8_t)('a' + i)));
    for (unsigned i = 0; i < 5; i++) {
        assert_true(serial.call_at == VDEV_NEVER);
        assert_true(char_backend_read(&backend, &byte));
        assert_int_equal(byte, 'a' + i);
    }
    assert_true(serial.call_at <= vclock.now + LATENCY_NS);
    assert_false(char_backend_read(&backend, &byte));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_quiet, setup),
        cmocka_unit_test_setup(test_output_waits_a_little, setup),
        cmocka_unit_test_setup(test_much_output_does_not_wait, setup),
        cmocka_unit_test_setup(test_full_ring_refuses, setup),
        cmocka_unit_test_setup(test_slow_reader, setup),
        cmocka_unit_test_setup(test_input, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
