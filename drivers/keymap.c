/*
 * keymap.c - scan codes of set 1 to terminal input (keymap.h).
 *
 * A key sends its code when it goes down (and again as it repeats) and the
 * code with bit 7 set when it comes up.  Keys that the first PC did not have
 * send 0xe0 first, and some of them surround themselves with a false Shift
 * (0xe0 0x2a), which is ignored with the rest of the unknown extended codes.
 * Pause sends 0xe1 and five more bytes, and no release.
 *
 * Facts: IBM PS/2 keyboard technical reference, scan code set 1.
 */
#include "drivers/keymap.h"

#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define CODE_RELEASE    BIT(7)
#define CODE_EXTENDED   0xe0u
#define CODE_PAUSE      0xe1u
#define PAUSE_BYTES     5u

enum scan_code {
    SCAN_CTRL = 0x1d,
    SCAN_SHIFT_LEFT = 0x2a,
    SCAN_KP_SLASH = 0x35,
    SCAN_SHIFT_RIGHT = 0x36,
    SCAN_ALT = 0x38,
    SCAN_CAPS = 0x3a,
    SCAN_ENTER = 0x1c,
    SCAN_KP_MINUS = 0x4a,
    SCAN_KP_PLUS = 0x4e
};

#define HELD_SHIFT_LEFT BIT(0)
#define HELD_SHIFT_RIGHT BIT(1)
#define HELD_SHIFT      (HELD_SHIFT_LEFT | HELD_SHIFT_RIGHT)
#define HELD_CTRL       BIT(2)
#define HELD_CTRL_RIGHT BIT(3)
#define HELD_ANY_CTRL   (HELD_CTRL | HELD_CTRL_RIGHT)
#define HELD_ALT        BIT(4)
#define HELD_ALT_RIGHT  BIT(5)
#define HELD_ANY_ALT    (HELD_ALT | HELD_ALT_RIGHT)

#define CTRL_BITS       BITS(4, 0)      /* what Ctrl leaves of a letter */
#define ESC             '\033'

/* Codes 0x00 to 0x39, US layout; 0 where there is no character. */
static const char plain_keys[] =
    "\0\033" "1234567890-=\177\t"
    "qwertyuiop[]\r\0" "asdfghjkl;'`"
    "\0\\zxcvbnm,./\0" "*\0 ";
static const char shift_keys[] =
    "\0\033" "!@#$%^&*()_+\177\t"
    "QWERTYUIOP{}\r\0" "ASDFGHJKL:\"~"
    "\0|ZXCVBNM<>?\0" "*\0 ";
STATIC_ASSERT(sizeof(plain_keys) == SCAN_CAPS + 1);
STATIC_ASSERT(sizeof(shift_keys) == sizeof(plain_keys));

/* Codes 0x47 to 0x53: the keypad, and with 0xe0 the cursor keys. */
#define PAD_FIRST       0x47u
static const char pad_keys[][KEYMAP_OUT_MAX] = {
    "\033[H", "\033[A", "\033[5~", "-",
    "\033[D", "",       "\033[C",  "+",
    "\033[F", "\033[B", "\033[6~",
    "\033[2~", "\033[3~"
};

static uint8_t
modifier(uint8_t key, bool extended)
{
    switch (key) {
    case SCAN_CTRL:
        return extended ? HELD_CTRL_RIGHT : HELD_CTRL;
    case SCAN_ALT:
        return extended ? HELD_ALT_RIGHT : HELD_ALT;
    case SCAN_SHIFT_LEFT:
        return extended ? 0 : HELD_SHIFT_LEFT;
    case SCAN_SHIFT_RIGHT:
        return extended ? 0 : HELD_SHIFT_RIGHT;
    default:
        return 0;
    }
}

static bool
is_letter(char c)
{
    return char_to_lower(c) >= 'a' && char_to_lower(c) <= 'z';
}

/* The character of KEY with the modifiers of now, or 0. */
static char
key_char(const struct keymap *map, uint8_t key)
{
    bool shift = map->held & HELD_SHIFT;

    if (key >= sizeof(plain_keys) - 1)
        return 0;
    if (map->caps && is_letter(plain_keys[key]))
        shift = !shift;
    return shift ? shift_keys[key] : plain_keys[key];
}

/*
 * Ctrl with @ A..Z [ \ ] ^ _ gives 0 to 31; the space bar is Ctrl-@.  Other
 * keys are not changed by it.
 */
static char
apply_ctrl(char c)
{
    if (is_letter(c) || (c >= '@' && c <= '_'))
        return (char)(c & CTRL_BITS);
    return c == ' ' ? '\0' : c;
}

static size_t
put_char_key(const struct keymap *map, uint8_t key, char *out)
{
    char c = key_char(map, key);
    size_t n = 0;

    if (c == 0)
        return 0;
    if (map->held & HELD_ANY_ALT)
        out[n++] = ESC;
    out[n++] = map->held & HELD_ANY_CTRL ? apply_ctrl(c) : c;
    return n;
}

static size_t
put_pad_key(uint8_t key, char *out)
{
    const char *keys = pad_keys[key - PAD_FIRST];
    size_t n = strlen(keys);

    memcpy(out, keys, n);
    return n;
}

static bool
is_pad_key(uint8_t key, bool extended)
{
    if (key < PAD_FIRST || key >= PAD_FIRST + ARRAY_LEN(pad_keys))
        return false;
    return !extended || (key != SCAN_KP_MINUS && key != SCAN_KP_PLUS);
}

static size_t
key_down(struct keymap *map, uint8_t key, bool extended, char *out)
{
    if (is_pad_key(key, extended))
        return put_pad_key(key, out);
    if (extended && key != SCAN_ENTER && key != SCAN_KP_SLASH)
        return 0;
    if (key == SCAN_CAPS) {
        map->caps = !map->caps;
        return 0;
    }
    return put_char_key(map, key, out);
}

size_t
keymap_feed(struct keymap *map, uint8_t code,
            char out[static KEYMAP_OUT_MAX])
{
    uint8_t key = code & (uint8_t)~CODE_RELEASE;
    bool extended = map->extended;
    uint8_t held;

    if (map->skip > 0) {
        map->skip--;
        return 0;
    }
    map->extended = code == CODE_EXTENDED;
    if (code == CODE_PAUSE)
        map->skip = PAUSE_BYTES;
    if (code == CODE_PAUSE || code == CODE_EXTENDED)
        return 0;

    held = modifier(key, extended);
    if (code & CODE_RELEASE) {
        map->held &= (uint8_t)~held;
        return 0;
    }
    map->held |= held;
    return held != 0 ? 0 : key_down(map, key, extended, out);
}
