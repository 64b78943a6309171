/*
 * test_vdev_state.c - the tables of fields hold all of a device's state: copied
 * by them alone into another machine, everything goes on alike.
 *
 * Both machines have been busy before, with different things; what the tables
 * forget would still be there, and show.
 */
#include "unit/test.h"

#include "vmm/dev/chipset.h"

#define HISTORY         3000
#define FUTURE          3000
#define ROUNDS          40

struct machine {
    struct chipset chipset;
    uint8_t next_in;            /* bytes for the serial ports */
    uint32_t sum_out;           /* of those written */
};

static struct machine one, other;

/* All that decodes, but the place of the power management's ports. */
static const uint16_t ports[] = {
    0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x43, 0x60,
    0x60, 0x61, 0x64, 0x71, 0x80, 0x92, 0xf0, 0xcf9, 0x3f8, 0x3f9, 0x3fa,
    0x3fb, 0x3fc, 0x3fd, 0x3fe, 0x3ff, 0x2f8, 0x2f9, 0x2fa, 0x2fb, 0x2fc,
    0x2fd, 0x2fe, 0x1000, 0x1002, 0x1004, 0x1008, 0x100e, 0x1010, 0x1034,
};

static bool
backend_write(void *context, uint8_t byte)
{
    struct machine *m = context;

    if (m->next_in % 3 == 0)
        return false;
    m->sum_out = m->sum_out * 31 + byte;
    return true;
}

static bool
backend_read(void *context, uint8_t *byte)
{
    struct machine *m = context;

    *byte = m->next_in++;
    return m->next_in % 5 != 0;
}

static void
power_on(struct machine *m)
{
    static const struct char_backend_ops ops = { backend_write, backend_read };
    const struct chipset_config config = {
        .wall_base = 1700000000ull * NSEC_PER_SEC,
        .memory_bytes = MB(64),
        .serial = { { &ops, m }, { &ops, m } },
    };

    memset(m, 0, sizeof(*m));
    chipset_init(&m->chipset, &config, 0);
    chipset_set_up(&m->chipset);
}

static void
move(struct machine *m, struct test_random *rnd)
{
    const struct mouse_motion motion = {
        .x = (int16_t)test_random_below(rnd, 600),
        .y = (int16_t)test_random_below(rnd, 9),
        .buttons = (uint8_t)test_random_below(rnd, 8),
    };

    chipset_move_mouse(&m->chipset, &motion);
}

/* An index and its data port in one step, as drivers use them. */
static uint32_t
access_indexed(struct chipset *c, struct test_random *rnd)
{
    static const uint32_t registers[] = {
        0x80000050, 0x80000058, 0x80003860, 0x8000384c, 0x80003b04, 0x80003b3c,
    };

    if (test_random_below(rnd, 2) == 0) {
        chipset_port_out(c, 0x70, 1, test_random_below(rnd, 16));
        return 0;
    }
    chipset_port_out(c, 0xcf8, 4,
                     registers[test_random_below(rnd, ARRAY_LEN(registers))]);
    chipset_port_out(c, 0xcfc, 4, test_random_next(rnd));
    return chipset_port_in(c, 0xcfc, 4);
}

static uint32_t
access_port(struct chipset *c, struct test_random *rnd)
{
    uint16_t port = ports[test_random_below(rnd, ARRAY_LEN(ports))];
    unsigned size = 1u << (test_random_below(rnd, 16) / 7);

    if (test_random_below(rnd, 2) == 0)
        return chipset_port_in(c, port, size);
    chipset_port_out(c, port, size, test_random_next(rnd));
    return 0;
}

/* Something random; what it tells about the state. */
static uint64_t
step(struct machine *m, struct test_random *rnd)
{
    struct chipset *c = &m->chipset;
    unsigned what = test_random_below(rnd, 32);

    if (what < 3)
        chipset_run(c, c->clock.now + (1ull << test_random_below(rnd, 33)));
    else if (what == 3)
        chipset_run(c, MIN(chipset_next_deadline(c),
                           c->clock.now + NSEC_PER_SEC));
    else if (what == 4 && chipset_is_interrupt_pending(c))
        return chipset_acknowledge(c);
    else if (what == 5)
        chipset_key(c, (uint8_t)test_random_next(rnd), what % 2);
    else if (what == 6)
        move(m, rnd);
    else if (what == 7)
        chipset_serial_ready(c, test_random_below(rnd, 2));
    else if (what < 12)
        return access_indexed(c, rnd);
    else
        return access_port(c, rnd);
    return chipset_next_deadline(c);
}

/* What a resumed VM gets: the fields, the clock, and back ends of its own. */
static void
copy_fields(const struct machine *from, struct machine *to)
{
    for (unsigned i = 0; i < from->chipset.device_count; i++) {
        const struct vdev *source = &from->chipset.devices[i];
        const struct vdev *target = &to->chipset.devices[i];

        for (unsigned n = 0; n < source->type->field_count; n++) {
            const struct vdev_field *f = &source->type->fields[n];

            memcpy((uint8_t *)target->device + f->offset,
                   (const uint8_t *)source->device + f->offset, f->size);
        }
    }
    to->chipset.clock = from->chipset.clock;
    to->chipset.is_touched = true;
    to->next_in = from->next_in;
    to->sum_out = from->sum_out;
}

static void
test_fields_carry_the_state(void **state)
{
    (void)state;
    for (unsigned round = 1; round <= ROUNDS; round++) {
        struct test_random past = { round }, other_past = { round + 1000 };
        struct test_random future = { round + 2000 }, same = future;

        power_on(&one);
        power_on(&other);
        for (unsigned i = 0; i < HISTORY; i++) {
            step(&one, &past);
            step(&other, &other_past);
        }
        copy_fields(&one, &other);
        for (unsigned i = 0; i < FUTURE; i++) {
            uint64_t a = step(&one, &future), b = step(&other, &same);

            if (a != b)
                fail_msg("round %u, step %u: %llx, %llx", round, i,
                         (unsigned long long)a, (unsigned long long)b);
        }
        assert_int_equal(one.sum_out, other.sum_out);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_carry_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
