/*
 * vkeyboard.c - keys to scan codes, commands to answers (vkeyboard.h).
 *
 * The buffer holds 16 bytes of whole keys, as the real one; a key that does
 * not fit becomes an overrun code, and the ones behind it are lost.  The key
 * pressed last repeats while it is held, but only into an empty buffer, so a
 * guest that does not read finds no burst when it does.
 *
 * Called by the controller and with input from the owner, with the VM's
 * devices locked.
 */
#include "vmm/dev/vkeyboard.h"

#include "kernel/base/bits.h"

enum keyboard_command {
    KEYBOARD_FIRST = 0xed,
    KEYBOARD_SET_LEDS = 0xed,
    KEYBOARD_ECHO = 0xee,
    KEYBOARD_SELECT_SET = 0xf0,
    KEYBOARD_IDENTIFY = 0xf2,
    KEYBOARD_TYPEMATIC = 0xf3,
    KEYBOARD_ENABLE = 0xf4,
    KEYBOARD_DISABLE = 0xf5,            /* and defaults */
    KEYBOARD_DEFAULTS = 0xf6,
    KEYBOARD_ALL_FIRST = 0xf7,          /* for set 3, so without effect */
    KEYBOARD_ALL_LAST = 0xfa,
    KEYBOARD_RESEND = 0xfe,
    KEYBOARD_RESET = 0xff,
};

#define ANSWER_ACK      0xfau
#define ANSWER_RESEND   0xfeu
#define ANSWER_PASSED   0xaau           /* basic assurance test */
#define ID_FIRST        0xabu
#define ID_SECOND       0x83u
#define OVERRUN_SET_1   0xffu
#define OVERRUN_SET_2   0x00u

#define PREFIX_EXTENDED 0xe0u
#define PREFIX_BREAK    0xf0u           /* of set 2 */
#define BREAK_BIT       BIT(7)          /* of set 1 */
#define KEY_CODE        BITS(6, 0)
#define LEDS            BITS(2, 0)
#define KEY_BYTES_MAX   3u

#define SET_DEFAULT     2u
#define TYPEMATIC_DELAY BITS(6, 5)      /* (1 + n) quarters of a second */
#define TYPEMATIC_EXPONENT BITS(4, 3)
#define TYPEMATIC_MANTISSA BITS(2, 0)   /* period (8 + m) 2^e / 240 s */
#define TYPEMATIC_HZ    240u
#define TYPEMATIC_BASE  8u
#define TYPEMATIC_BITS  BITS(6, 0)
#define TYPEMATIC_DEFAULT 0x2bu         /* 500 ms, 10.9 a second */

/* Set 2 to set 1; from 80h on only two keys are not themselves. */
#define SET_2_F7        0x83u
#define SET_1_F7        0x41u
#define SET_2_SYSRQ     0x84u
#define SET_1_SYSRQ     0x54u
static const uint8_t set_1_of_2[] = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
    0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
    0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
    0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
    0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
    0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
    0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
    0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
    0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

static const uint8_t pause_set_1[] = { 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5 };
static const uint8_t pause_set_2[] = { 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14,
                                       0xf0, 0x77 };

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vkeyboard, answers, 1),
    VDEV_FIELD(struct vkeyboard, keys, 1),
    VDEV_FIELD(struct vkeyboard, repeat_at, 1),
    VDEV_FIELD(struct vkeyboard, held, 1),
    VDEV_FIELD(struct vkeyboard, command, 1),
    VDEV_FIELD(struct vkeyboard, set, 1),
    VDEV_FIELD(struct vkeyboard, typematic, 1),
    VDEV_FIELD(struct vkeyboard, leds, 1),
    VDEV_FIELD(struct vkeyboard, is_off, 1),
    VDEV_FIELD(struct vkeyboard, last, 1),
};

uint8_t
vkeyboard_translate(uint8_t code)
{
    if (code < ARRAY_LEN(set_1_of_2))
        return set_1_of_2[code];
    if (code == SET_2_F7)
        return SET_1_F7;
    return code == SET_2_SYSRQ ? SET_1_SYSRQ : code;
}

/* Two codes of set 2 are one in set 1; keys send the higher. */
static uint8_t
set_2_of_1(uint8_t code)
{
    uint8_t from = SET_2_SYSRQ;

    while (from > 0 && vkeyboard_translate(from) != code)
        from--;
    return from;
}

static void
add_key(struct vkeyboard *k, const uint8_t *bytes, unsigned count)
{
    if (byte_queue_room(&k->keys) > count) {
        for (unsigned i = 0; i < count; i++)
            byte_queue_put(&k->keys, bytes[i]);
    } else if (byte_queue_room(&k->keys) > 0) {
        /* What is left tells of the loss, and is full for the next. */
        while (byte_queue_room(&k->keys) > 0)
            byte_queue_put(&k->keys, k->set == 1 ? OVERRUN_SET_1 :
                                                   OVERRUN_SET_2);
    }
}

static void
send_key(struct vkeyboard *k, uint8_t key, bool is_down)
{
    uint8_t bytes[KEY_BYTES_MAX];
    unsigned count = 0;
    uint8_t code = key & KEY_CODE;

    if (key & VKEY_EXTENDED)
        bytes[count++] = PREFIX_EXTENDED;
    if (k->set == 1) {
        bytes[count++] = (uint8_t)(is_down ? code : code | BREAK_BIT);
    } else {
        if (!is_down)
            bytes[count++] = PREFIX_BREAK;
        bytes[count++] = set_2_of_1(code);
    }
    add_key(k, bytes, count);
}

static void
send_pause(struct vkeyboard *k)
{
    if (k->set == 1)
        add_key(k, pause_set_1, sizeof(pause_set_1));
    else
        add_key(k, pause_set_2, sizeof(pause_set_2));
}

static uint64_t
delay_ns(const struct vkeyboard *k)
{
    return (1 + FIELD_GET(k->typematic, TYPEMATIC_DELAY)) * NSEC_PER_SEC / 4;
}

static uint64_t
period_ns(const struct vkeyboard *k)
{
    uint64_t mantissa = TYPEMATIC_BASE +
                        FIELD_GET(k->typematic, TYPEMATIC_MANTISSA);

    return (mantissa << FIELD_GET(k->typematic, TYPEMATIC_EXPONENT)) *
           NSEC_PER_SEC / TYPEMATIC_HZ;
}

void
vkeyboard_key(struct vkeyboard *k, uint8_t key, bool is_down)
{
    if (k->is_off)
        return;
    if (key == VKEY_PAUSE) {
        if (is_down)
            send_pause(k);
        return;
    }
    if (is_down) {
        k->held = key;
        k->repeat_at = k->clock->now + delay_ns(k);
    } else if (k->held == key) {
        k->held = 0;
    }
    send_key(k, key, is_down);
}

static void
set_defaults(struct vkeyboard *k)
{
    k->typematic = TYPEMATIC_DEFAULT;
    k->set = SET_DEFAULT;
    k->held = 0;
    k->keys.count = 0;
}

/* A command ends whatever the one before was about to say. */
static void
answer(struct vkeyboard *k, uint8_t byte)
{
    if (byte_queue_room(&k->answers) > 0)
        byte_queue_put(&k->answers, byte);
}

/* Set 0 asks which one it is.  There is no set 3. */
static void
select_set(struct vkeyboard *k, uint8_t set)
{
    if (set > SET_DEFAULT) {
        answer(k, ANSWER_RESEND);
        return;
    }
    answer(k, ANSWER_ACK);
    if (set == 0)
        answer(k, k->set);
    else
        k->set = set;
    k->keys.count = 0;
}

static void
take_argument(struct vkeyboard *k, uint8_t command, uint8_t argument)
{
    if (command == KEYBOARD_SELECT_SET) {
        select_set(k, argument);
        return;
    }
    if (command == KEYBOARD_SET_LEDS)
        k->leds = argument & LEDS;
    else
        k->typematic = argument & TYPEMATIC_BITS;
    answer(k, ANSWER_ACK);
}

/* Those that answer with more, or with something else, than ACK. */
static void
execute(struct vkeyboard *k, uint8_t command)
{
    switch (command) {
    case KEYBOARD_ECHO:
        answer(k, KEYBOARD_ECHO);
        return;
    case KEYBOARD_RESEND:
        answer(k, k->last);
        return;
    case KEYBOARD_IDENTIFY:
        answer(k, ANSWER_ACK);
        answer(k, ID_FIRST);
        answer(k, ID_SECOND);
        return;
    case KEYBOARD_RESET:
        set_defaults(k);
        k->is_off = false;
        k->leds = 0;
        answer(k, ANSWER_ACK);
        answer(k, ANSWER_PASSED);
        return;
    default:
        answer(k, ANSWER_RESEND);
        return;
    }
}

static bool
execute_simple(struct vkeyboard *k, uint8_t command)
{
    switch (command) {
    case KEYBOARD_SET_LEDS:
    case KEYBOARD_SELECT_SET:
    case KEYBOARD_TYPEMATIC:
        k->command = command;
        return true;
    case KEYBOARD_ENABLE:
        k->keys.count = 0;
        k->is_off = false;
        return true;
    case KEYBOARD_DISABLE:
        set_defaults(k);
        k->is_off = true;
        return true;
    case KEYBOARD_DEFAULTS:
        set_defaults(k);
        return true;
    default:
        return command >= KEYBOARD_ALL_FIRST && command <= KEYBOARD_ALL_LAST;
    }
}

/* A command where an argument is due takes its place. */
void
vkeyboard_write(struct vkeyboard *k, uint8_t byte)
{
    uint8_t waiting = k->command;

    k->command = 0;
    k->answers.count = 0;
    if (waiting != 0 && byte < KEYBOARD_FIRST)
        take_argument(k, waiting, byte);
    else if (execute_simple(k, byte))
        answer(k, ANSWER_ACK);
    else
        execute(k, byte);
}

bool
vkeyboard_read(struct vkeyboard *k, uint8_t *byte)
{
    if (k->answers.count > 0)
        *byte = byte_queue_get(&k->answers);
    else if (k->keys.count > 0 && k->command == 0)
        *byte = byte_queue_get(&k->keys);
    else
        return false;
    k->last = *byte;
    return true;
}

static void
reset(void *device)
{
    struct vkeyboard *k = device;

    set_defaults(k);
}

static void
run(void *device)
{
    struct vkeyboard *k = device;

    if (k->held == 0 || k->clock->now < k->repeat_at)
        return;
    k->repeat_at = k->clock->now + period_ns(k);
    if (k->keys.count == 0)
        send_key(k, k->held, true);
}

static uint64_t
deadline(const void *device)
{
    const struct vkeyboard *k = device;

    return k->held != 0 ? k->repeat_at : VDEV_NEVER;
}

const struct vdev_type vkeyboard_type = {
    .name = "keyboard", .version = 1, .size = sizeof(struct vkeyboard),
    .fields = fields, .field_count = ARRAY_LEN(fields),
    .reset = reset, .run = run, .deadline = deadline,
};

void
vkeyboard_init(struct vkeyboard *k, const struct vclock *clock)
{
    k->clock = clock;
}
