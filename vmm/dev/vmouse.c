/*
 * vmouse.c - movements to packets, commands to answers (vmouse.h).
 *
 * Movement is summed up until the guest has taken the packet before, so there
 * is one packet under way, never a queue of old ones.  What does not fit into
 * one, 255 counts, waits for the next.
 *
 * Called by the controller and with input from the owner, with the VM's
 * devices locked.
 */
#include "vmm/dev/vmouse.h"

#include "kernel/base/bits.h"

enum mouse_command {
    MOUSE_SCALE_1 = 0xe6,
    MOUSE_SCALE_2 = 0xe7,
    MOUSE_SET_RESOLUTION = 0xe8,
    MOUSE_STATUS = 0xe9,
    MOUSE_STREAM = 0xea,
    MOUSE_READ = 0xeb,
    MOUSE_END_WRAP = 0xec,
    MOUSE_BEGIN_WRAP = 0xee,
    MOUSE_SET_REMOTE = 0xf0,
    MOUSE_IDENTIFY = 0xf2,
    MOUSE_SET_RATE = 0xf3,
    MOUSE_ENABLE = 0xf4,
    MOUSE_DISABLE = 0xf5,
    MOUSE_DEFAULTS = 0xf6,
    MOUSE_RESEND = 0xfe,
    MOUSE_RESET = 0xff,
};

#define ANSWER_ACK      0xfau
#define ANSWER_ERROR    0xfcu
#define ANSWER_RESEND   0xfeu
#define ANSWER_PASSED   0xaau

#define ID_PLAIN        0u
#define ID_WHEEL        3u
#define WHEEL_FIRST     200u            /* the rates that ask for it */
#define WHEEL_SECOND    100u
#define WHEEL_THIRD     80u

#define DEFAULT_RATE    100u
#define DEFAULT_RESOLUTION 2u           /* 4 counts per mm */
#define RESOLUTION_MAX  3u

/* The first byte of a packet. */
#define PACKET_ALWAYS   BIT(3)
#define PACKET_X_SIGN   BIT(4)
#define PACKET_Y_SIGN   BIT(5)
#define PACKET_MAX      255
#define WHEEL_MAX       7
#define PENDING_MAX     4095            /* more movement is no movement */

/* The first byte of a status. */
#define STATUS_RIGHT    BIT(0)
#define STATUS_MIDDLE   BIT(1)
#define STATUS_LEFT     BIT(2)
#define STATUS_SCALING  BIT(4)
#define STATUS_ENABLED  BIT(5)
#define STATUS_REMOTE   BIT(6)

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vmouse, answers, 1),
    VDEV_FIELD(struct vmouse, packet, 1),
    VDEV_FIELD(struct vmouse, x, 1),
    VDEV_FIELD(struct vmouse, y, 1),
    VDEV_FIELD(struct vmouse, wheel, 1),
    VDEV_FIELD(struct vmouse, buttons, 1),
    VDEV_FIELD(struct vmouse, reported, 1),
    VDEV_FIELD(struct vmouse, command, 1),
    VDEV_FIELD(struct vmouse, mode, 1),
    VDEV_FIELD(struct vmouse, resolution, 1),
    VDEV_FIELD(struct vmouse, rate, 1),
    VDEV_FIELD(struct vmouse, rates, 1),
    VDEV_FIELD(struct vmouse, id, 1),
    VDEV_FIELD(struct vmouse, last, 1),
};

static void
set_mode(struct vmouse *m, enum vmouse_mode mode, bool is_on)
{
    m->mode = (uint8_t)(is_on ? m->mode | mode : m->mode & ~mode);
}

static int
clamp(int value, int limit)
{
    return MAX(MIN(value, limit), -limit);
}

static void
forget_movement(struct vmouse *m)
{
    m->packet.count = 0;
    m->x = m->y = m->wheel = 0;
    m->reported = m->buttons;
}

/* Stream mode's 2:1 makes small movements smaller and large ones double. */
static int
scale(const struct vmouse *m, int counts)
{
    static const uint8_t small[] = { 0, 1, 1, 3, 6, 9 };
    int size = counts < 0 ? -counts : counts;

    if ((m->mode & (MOUSE_SCALING | MOUSE_REMOTE)) != MOUSE_SCALING)
        return counts;
    size = size < (int)ARRAY_LEN(small) ? small[size] : 2 * size;
    return clamp(counts < 0 ? -size : size, PACKET_MAX);
}

static void
make_packet(struct vmouse *m)
{
    int dx = clamp(m->x, PACKET_MAX), dy = clamp(m->y, PACKET_MAX);
    int dz = clamp(m->wheel, WHEEL_MAX);
    int x = scale(m, dx), up = -scale(m, dy);

    m->x = (int16_t)(m->x - dx);
    m->y = (int16_t)(m->y - dy);
    m->wheel = (int16_t)(m->wheel - dz);
    m->reported = m->buttons;
    byte_queue_put(&m->packet, (uint8_t)(PACKET_ALWAYS | m->buttons |
                                         (x < 0 ? PACKET_X_SIGN : 0) |
                                         (up < 0 ? PACKET_Y_SIGN : 0)));
    byte_queue_put(&m->packet, (uint8_t)x);
    byte_queue_put(&m->packet, (uint8_t)up);
    if (m->id == ID_WHEEL)
        byte_queue_put(&m->packet, (uint8_t)dz);
}

static bool
has_news(const struct vmouse *m)
{
    bool has_turned = m->id == ID_WHEEL && m->wheel != 0;

    return m->x != 0 || m->y != 0 || has_turned || m->buttons != m->reported;
}

void
vmouse_move(struct vmouse *m, const struct mouse_motion *motion)
{
    m->x = (int16_t)clamp(m->x + motion->x, PENDING_MAX);
    m->y = (int16_t)clamp(m->y + motion->y, PENDING_MAX);
    m->wheel = (int16_t)clamp(m->wheel + motion->wheel, PENDING_MAX);
    m->buttons = motion->buttons & (MOUSE_LEFT | MOUSE_RIGHT | MOUSE_MIDDLE);
}

static void
answer(struct vmouse *m, uint8_t byte)
{
    if (byte_queue_room(&m->answers) > 0)
        byte_queue_put(&m->answers, byte);
}

static void
answer_status(struct vmouse *m)
{
    answer(m, (uint8_t)((m->buttons & MOUSE_RIGHT ? STATUS_RIGHT : 0) |
                        (m->buttons & MOUSE_MIDDLE ? STATUS_MIDDLE : 0) |
                        (m->buttons & MOUSE_LEFT ? STATUS_LEFT : 0) |
                        (m->mode & MOUSE_SCALING ? STATUS_SCALING : 0) |
                        (m->mode & MOUSE_REPORTING ? STATUS_ENABLED : 0) |
                        (m->mode & MOUSE_REMOTE ? STATUS_REMOTE : 0)));
    answer(m, m->resolution);
    answer(m, m->rate);
}

static void
set_defaults(struct vmouse *m)
{
    m->mode = 0;
    m->rate = DEFAULT_RATE;
    m->resolution = DEFAULT_RESOLUTION;
    forget_movement(m);
}

static void
set_rate(struct vmouse *m, uint8_t rate)
{
    if (m->rates[0] == WHEEL_FIRST && m->rates[1] == WHEEL_SECOND &&
        rate == WHEEL_THIRD)
        m->id = ID_WHEEL;
    m->rates[0] = m->rates[1];
    m->rates[1] = rate;
    m->rate = rate;
}

static void
take_argument(struct vmouse *m, uint8_t command, uint8_t argument)
{
    if (command == MOUSE_SET_RESOLUTION && argument > RESOLUTION_MAX) {
        answer(m, ANSWER_ERROR);
        return;
    }
    answer(m, ANSWER_ACK);
    if (command == MOUSE_SET_RESOLUTION)
        m->resolution = argument;
    else
        set_rate(m, argument);
}

/* What comes behind the ACK. */
static void
execute(struct vmouse *m, enum mouse_command command)
{
    switch (command) {
    case MOUSE_SCALE_1:
    case MOUSE_SCALE_2:
        set_mode(m, MOUSE_SCALING, command == MOUSE_SCALE_2);
        break;
    case MOUSE_SET_RESOLUTION:
    case MOUSE_SET_RATE:
        m->command = command;
        break;
    case MOUSE_STATUS:
        answer_status(m);
        break;
    case MOUSE_STREAM:
    case MOUSE_SET_REMOTE:
        set_mode(m, MOUSE_REMOTE, command == MOUSE_SET_REMOTE);
        forget_movement(m);
        break;
    case MOUSE_READ:
        m->packet.count = 0;
        make_packet(m);
        break;
    case MOUSE_BEGIN_WRAP:
    case MOUSE_END_WRAP:
        set_mode(m, MOUSE_WRAP, command == MOUSE_BEGIN_WRAP);
        forget_movement(m);
        break;
    case MOUSE_IDENTIFY:
        answer(m, m->id);
        break;
    case MOUSE_ENABLE:
    case MOUSE_DISABLE:
        set_mode(m, MOUSE_REPORTING, command == MOUSE_ENABLE);
        forget_movement(m);
        break;
    case MOUSE_RESET:
        m->id = ID_PLAIN;
        set_defaults(m);
        answer(m, ANSWER_PASSED);
        answer(m, ID_PLAIN);
        break;
    case MOUSE_DEFAULTS:
        set_defaults(m);
        break;
    case MOUSE_RESEND:
        break;
    }
}

/* RESEND is one that has no ACK. */
static bool
is_command(uint8_t byte)
{
    return (byte >= MOUSE_SCALE_1 && byte <= MOUSE_END_WRAP) ||
           byte == MOUSE_BEGIN_WRAP || byte == MOUSE_SET_REMOTE ||
           (byte >= MOUSE_IDENTIFY && byte <= MOUSE_DEFAULTS) ||
           byte == MOUSE_RESET;
}

/* In wrap mode only its end and a reset are commands. */
static bool
is_echoed(const struct vmouse *m, uint8_t byte)
{
    return (m->mode & MOUSE_WRAP) != 0 && byte != MOUSE_END_WRAP &&
           byte != MOUSE_RESET;
}

void
vmouse_write(struct vmouse *m, uint8_t byte)
{
    uint8_t waiting = m->command;

    m->command = 0;
    m->answers.count = 0;
    if (is_echoed(m, byte)) {
        answer(m, byte);
    } else if (waiting != 0) {
        take_argument(m, waiting, byte);
    } else if (byte == MOUSE_RESEND) {
        answer(m, m->last);
    } else if (is_command(byte)) {
        answer(m, ANSWER_ACK);
        execute(m, byte);
    } else {
        answer(m, ANSWER_RESEND);
    }
}

bool
vmouse_read(struct vmouse *m, uint8_t *byte)
{
    bool is_streaming = (m->mode & (MOUSE_REPORTING | MOUSE_REMOTE |
                                    MOUSE_WRAP)) == MOUSE_REPORTING;

    if (is_streaming && m->packet.count == 0 && has_news(m))
        make_packet(m);
    if (m->answers.count > 0)
        *byte = byte_queue_get(&m->answers);
    else if (m->packet.count > 0 && m->command == 0)
        *byte = byte_queue_get(&m->packet);
    else
        return false;
    m->last = *byte;
    return true;
}

static void
reset(void *device)
{
    set_defaults(device);
}

const struct vdev_type vmouse_type = {
    .name = "mouse", .version = 1, .size = sizeof(struct vmouse),
    .fields = fields, .field_count = ARRAY_LEN(fields), .reset = reset,
};
