/*
 * fuzz_vdev.c - a guest that does anything to its devices, with an owner that
 * lets time jump and bytes come in.
 *
 * The input is a list of operations: a byte that says which (modulo), then its
 * arguments.  After each the promises of vmm/dev/chipset.h must hold: wires
 * and controller agree, and deadlines lie ahead, not too closely.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/bits.h"
#include "vmm/dev/chipset.h"

#define REQUIRE(x)      do { if (!(x)) abort(); } while (0)
#define OPERATIONS_MAX  4000
#define DEADLINES       200
#define DEADLINES_NS    (2 * NSEC_PER_MSEC)     /* that many take at least */
#define BYTES_MAX       64      /* to a back end, by one operation */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

struct line {
    unsigned room, written, waiting;
    uint8_t next;
};

static struct chipset chipset;
static struct vcpu vcpu;
static struct line serial[CHIPSET_SERIALS];

/* Where something answers, or might. */
static const uint16_t ports[] = {
    0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61,
    0x64, 0x70, 0x71, 0x80, 0x92, 0xf0, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc,
    0x3fd, 0x3fe, 0x3ff, 0x2f8, 0x2f9, 0x2fa, 0x2fc, 0xcf8, 0xcf9, 0xcfc,
    0xcfd, 0xcfe, 0x1000, 0x1002, 0x1004, 0x1008, 0x100c, 0x1034, 0x5658,
    0xfffe, 0x3fd,
};

static bool
line_write(void *context, uint8_t byte)
{
    struct line *line = context;

    (void)byte;
    line->written++;
    if (line->room == 0)
        return false;
    line->room--;
    return true;
}

static bool
line_read(void *context, uint8_t *byte)
{
    struct line *line = context;

    if (line->waiting == 0)
        return false;
    line->waiting--;
    *byte = line->next++;
    return true;
}

/* The next SIZE bytes as a number; zeros when the input is at its end. */
static uint32_t
take(struct input *in, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && in->size > 0; i++) {
        value |= (uint32_t)*in->data++ << (8 * i);
        in->size--;
    }
    return value;
}

static void
access_port(struct input *in)
{
    unsigned how = take(in, 1);
    unsigned size = 1u << how % 3;
    uint16_t port = how & 0x80 ? (uint16_t)take(in, 2) :
                                 ports[take(in, 1) % ARRAY_LEN(ports)];
    uint32_t value;

    if (how & 0x40) {
        chipset_port_out(&chipset, port, size, take(in, size));
        return;
    }
    value = chipset_port_in(&chipset, port, size);
    REQUIRE(size == 4 || value >> 8 * size == 0);
}

/* From a nanosecond to years; also backwards. */
static void
pass_time(struct input *in)
{
    unsigned shift = take(in, 1) % 58;
    uint64_t step = (uint64_t)(take(in, 1) | 1) << shift;

    if (step > UINT64_MAX / 4 - chipset.clock.now)
        step = 0;
    chipset_run(&chipset, chipset.clock.now + step);
    chipset_run(&chipset, chipset.clock.now / 2);
}

static void
follow_deadlines(void)
{
    uint64_t start = chipset.clock.now, at;

    for (unsigned i = 0; i < DEADLINES; i++) {
        at = chipset_next_deadline(&chipset);
        if (at == VDEV_NEVER)
            return;
        REQUIRE(at > chipset.clock.now);
        chipset_run(&chipset, at);
    }
    REQUIRE(chipset.clock.now - start >= DEADLINES_NS);
}

static void
take_interrupt(unsigned how)
{
    bool is_pending = chipset_is_interrupt_pending(&chipset);
    uint8_t vector;

    if (!is_pending && how % 8 != 0)
        return;
    vector = chipset_acknowledge(&chipset);
    if (!is_pending)
        REQUIRE(vector % 8 == 7);
    if (how & 0x80) {
        chipset_port_out(&chipset, 0xa0, 1, 0x20);
        chipset_port_out(&chipset, 0x20, 1, 0x20);
    }
}

static void
feed_serial(struct input *in)
{
    unsigned how = take(in, 1);
    struct line *line = &serial[how % CHIPSET_SERIALS];

    line->room = how >> 4;
    line->waiting += how >> 1 & 7;
    chipset_serial_ready(&chipset, how % CHIPSET_SERIALS);
}

static void
move_mouse(struct input *in)
{
    const struct mouse_motion motion = {
        (int16_t)take(in, 2), (int16_t)take(in, 2), (int8_t)take(in, 1),
        (uint8_t)take(in, 1) };

    chipset_move_mouse(&chipset, &motion);
}

static void
poke_board(unsigned how)
{
    switch (how % 8) {
    case 0:
        chipset_reset(&chipset);
        break;
    case 1:
        chipset_reset(&chipset);
        chipset_set_up(&chipset);
        break;
    case 2:
        chipset_fpu_error(&chipset);
        break;
    case 3:
        vpiix4_pm_press_power(&chipset.power);
        break;
    case 4:
        REQUIRE((chipset_take_requests(&chipset) & ~BITS(3, 0)) == 0);
        break;
    case 5:
        vcpu.cpu.gpr[GPR_EAX] = 0x564d5868;
        vcpu.cpu.gpr[GPR_ECX] = how;
        break;
    default:
        vpiix4_set_pin(&chipset.isa_bridge, how >> 4, how >> 2 & 3,
                       how % 2 != 0);
        break;
    }
}

static void
operate(struct input *in)
{
    switch (take(in, 1) % 12) {
    case 0:
        pass_time(in);
        break;
    case 1:
        follow_deadlines();
        break;
    case 2:
        take_interrupt(take(in, 1));
        break;
    case 3:
        feed_serial(in);
        break;
    case 4:
        chipset_key(&chipset, (uint8_t)take(in, 1), take(in, 1) % 2 != 0);
        break;
    case 5:
        move_mouse(in);
        break;
    case 6:
        poke_board(take(in, 1));
        break;
    default:
        access_port(in);
        break;
    }
}

static void
check(void)
{
    for (unsigned i = 0; i < IRQ_LINES; i++) {
        const struct vpic_chip *chip = &chipset.pic.chip[i / 8];
        bool is_up = (chip->input & BIT(i % 8)) != 0;

        if (i != IRQ_CASCADE)
            REQUIRE(is_up == (chipset.lines.held[i] != 0));
        /* A request is of a line that is up. */
        REQUIRE(is_up || (chip->irr & BIT(i % 8)) == 0);
    }
    REQUIRE(chipset_next_deadline(&chipset) > chipset.clock.now);
    for (unsigned i = 0; i < CHIPSET_SERIALS; i++) {
        REQUIRE(serial[i].written <= BYTES_MAX);
        serial[i].written = 0;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct char_backend_ops ops = { line_write, line_read };
    struct input in = { data, size };
    const struct chipset_config config = {
        .wall_base = 1700000000ull * NSEC_PER_SEC,
        .memory_bytes = (uint64_t)take(&in, 4) << 8,
        .tsc_hz = 1000000000,
        .serial = { { &ops, &serial[0] }, { &ops, &serial[1] } },
    };

    memset(serial, 0, sizeof serial);
    memset(&vcpu, 0, sizeof vcpu);
    chipset_init(&chipset, &config, 0);
    chipset.vcpu = &vcpu;
    chipset_set_up(&chipset);
    for (unsigned i = 0; i < OPERATIONS_MAX && in.size > 0; i++) {
        operate(&in);
        check();
    }
    return 0;
}
