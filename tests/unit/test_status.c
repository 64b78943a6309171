/*
 * test_status.c - kernel/base/status.c: every error has words of its own.
 */
#include "unit/test.h"

#include "kernel/base/status.h"

static void
test_every_status_has_a_text(void **state)
{
    (void)state;
    for (unsigned i = 0; i < STATUS_COUNT; i++) {
        assert_non_null(status_text((status_t)i));
        assert_true(strlen(status_text((status_t)i)) > 0);
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(status_text((status_t)i),
                                    status_text((status_t)k));
    }
    assert_string_equal(status_text(OK), "success");
    assert_string_equal(status_text(ERR_NO_MEMORY), "out of memory");
}

static void
test_unknown_status(void **state)
{
    (void)state;
    assert_int_equal(OK, 0);
    assert_string_equal(status_text(STATUS_COUNT), "unknown error");
    assert_string_equal(status_text((status_t)-1), "unknown error");
}

static status_t
fails_with(status_t status)
{
    return TRACE_ERR(status);
}

static void
test_trace_passes_through(void **state)
{
    (void)state;
    assert_int_equal(fails_with(ERR_BUSY), ERR_BUSY);
    assert_int_equal(fails_with(OK), OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_has_a_text),
        cmocka_unit_test(test_unknown_status),
        cmocka_unit_test(test_trace_passes_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
