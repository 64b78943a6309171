/*
 * test_byte_log.c - the newest bytes of a stream, against the whole stream.
 */
#include "unit/test.h"

#include "kernel/base/types.h"
#include "vmm/vmk/byte_log.h"

#define SIZE        16u
#define STEPS       20000u

static uint8_t memory[SIZE + 1];
static struct byte_log kept;

static int
setup(void **state)
{
    (void)state;
    memset(memory, 0xee, sizeof(memory));
    byte_log_init(&kept, memory, SIZE);
    return 0;
}

static void
write_text(const char *text)
{
    byte_log_write(&kept, (const uint8_t *)text, strlen(text));
}

/* Reading from *AT gives WANTED. */
static void
reads(uint64_t *at, size_t size, const char *wanted)
{
    char buf[2 * SIZE];

    assert_int_equal(byte_log_read(&kept, at, (uint8_t *)buf, size),
                     strlen(wanted));
    assert_memory_equal(buf, wanted, strlen(wanted));
}

static void
test_reads_on(void **state)
{
    uint64_t at = 0;

    (void)state;
    reads(&at, SIZE, "");
    write_text("hello");
    reads(&at, 2, "he");
    reads(&at, SIZE, "llo");
    reads(&at, SIZE, "");
    write_text(" world and so on");
    assert_int_equal(at, 5);
    reads(&at, SIZE, " world and so on");
    assert_int_equal(at, 21);
}

static void
test_forgets_the_oldest(void **state)
{
    uint64_t at = 0;

    (void)state;
    write_text("0123456789abcdef");
    assert_int_equal(byte_log_start(&kept), 0);
    write_text("XY");
    assert_int_equal(byte_log_start(&kept), 2);
    reads(&at, 2 * SIZE, "23456789abcdefXY");
    assert_int_equal(at, 18);
    at = 0;
    write_text("more than there is room for at once");
    reads(&at, 2 * SIZE, "room for at once");
    assert_int_equal(at, 53);
    assert_int_equal(memory[SIZE], 0xee);
}

/* Any writes and reads give what the stream has at that place. */
static void
test_random(void **state)
{
    struct test_random random = { 1 };
    uint8_t piece[3 * SIZE];
    uint64_t at = 0;

    (void)state;
    for (unsigned n = 0; n < STEPS; n++) {
        size_t size = test_random_below(&random, sizeof(piece));

        for (size_t i = 0; i < size; i++)
            piece[i] = (uint8_t)((kept.end + i) * 7);
        if (test_random_below(&random, 2) == 0) {
            byte_log_write(&kept, piece, size);
        } else {
            size_t got = byte_log_read(&kept, &at, piece, size);

            assert_true(at <= kept.end);
            for (size_t i = 0; i < got; i++)
                assert_int_equal(piece[i], (uint8_t)((at - got + i) * 7));
            assert_true(got == size || at == kept.end);
        }
    }
    assert_int_equal(memory[SIZE], 0xee);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reads_on, setup),
        cmocka_unit_test_setup(test_forgets_the_oldest, setup),
        cmocka_unit_test_setup(test_random, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
