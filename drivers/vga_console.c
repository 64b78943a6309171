/*
 * vga_console.c - paints a struct screen into VGA text memory
 * (vga_console.h).
 *
 *      video memory (32 KB, 204 rows)          screen, row 0 .. 24
 *      +---------------------+ 0xb8000
 *      | scrolled away       |
 *      +---------------------+ origin   <-->   row 0
 *      |       ...           |
 *      +---------------------+
 *      | not used yet        |
 *      +---------------------+ 0xc0000
 *
 * `origin` is the row of video memory that is shown first.  It grows by one
 * with each line that scrolls, until the window would leave the memory; then
 * everything is painted once at the top.
 *
 * vga.lock guards everything here.  Facts: IBM VGA technical reference (CRT
 * controller 0x3d4, start address high/low, cursor location high/low; graphics
 * controller's miscellaneous register).
 */
#include "drivers/vga_console.h"

#include "drivers/screen.h"
#include "kernel/base/bits.h"
#include "kernel/lock.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"

#define TEXT_MEMORY     0xb8000u
#define TEXT_SIZE       KB(32)
#define TEXT_ROWS       (TEXT_SIZE / (SCREEN_COLS * sizeof(uint16_t)))

#define CRTC_INDEX      0x3d4u
#define CRTC_DATA       0x3d5u
enum crtc_reg {
    CRTC_CURSOR_START = 0x0a,
    CRTC_CURSOR_END = 0x0b,
    CRTC_START_HIGH = 0x0c,
    CRTC_START_LOW = 0x0d,
    CRTC_CURSOR_HIGH = 0x0e,
    CRTC_CURSOR_LOW = 0x0f
};
#define CURSOR_LINE_1ST 13u             /* an underline in a 16-line cell */
#define CURSOR_LINE_END 14u

#define GC_INDEX        0x3ceu
#define GC_DATA         0x3cfu
#define GC_MISC         6u
#define GC_MISC_GRAPHICS BIT(0)

struct vga {
    struct lock lock;
    bool present;
    uint8_t *memory;
    unsigned origin;
    unsigned cursor;                    /* cell last sent to the CRTC */
    struct screen screen;
};

static struct vga vga = { .lock = LOCK_INIT("vga", RANK_CONSOLE) };

static void
crtc_write(enum crtc_reg reg, uint8_t value)
{
    out8(CRTC_INDEX, reg);
    out8(CRTC_DATA, value);
}

/* An address register with a high and a low half. */
static void
crtc_write_pair(enum crtc_reg high, unsigned value)
{
    crtc_write(high, (uint8_t)(value >> 8));
    crtc_write(high + 1, (uint8_t)value);
}

static void
paint_row(unsigned row)
{
    const uint16_t *cells = screen_row(&vga.screen, row);
    uint8_t *to = vga.memory +
                  (vga.origin + row) * SCREEN_COLS * sizeof(uint16_t);

    /* Two cells a time: half as many slow accesses. */
    for (unsigned col = 0; col < SCREEN_COLS; col += 2)
        mmio_write32(to + col * sizeof(uint16_t),
                     cells[col] | (uint32_t)cells[col + 1] << 16);
}

/* Bring video memory, start address and cursor up to date. */
static void
paint(void)
{
    struct screen *s = &vga.screen;
    unsigned scrolled = s->scrolled;
    unsigned cursor;

    vga.origin += scrolled;
    if (vga.origin + SCREEN_ROWS > TEXT_ROWS) {
        vga.origin = 0;
        s->dirty = BITS(SCREEN_ROWS - 1, 0);
    }
    for (; s->dirty != 0; s->dirty &= s->dirty - 1)
        paint_row(lowest_bit(s->dirty));
    if (scrolled > 0)
        crtc_write_pair(CRTC_START_HIGH, vga.origin * SCREEN_COLS);
    s->scrolled = 0;

    cursor = (vga.origin + s->row) * SCREEN_COLS + s->col;
    if (cursor != vga.cursor)
        crtc_write_pair(CRTC_CURSOR_HIGH, cursor);
    vga.cursor = cursor;
}

void
vga_write_unlocked(const char *text, size_t size)
{
    if (!vga.present)
        return;
    screen_put(&vga.screen, text, size);
    paint();
}

void
vga_write(const char *text, size_t size)
{
    lock_acquire(&vga.lock);
    vga_write_unlocked(text, size);
    lock_release(&vga.lock);
}

/* Index registers of a chip that is there can be read back. */
static bool
is_text_mode(void)
{
    out8(CRTC_INDEX, CRTC_CURSOR_LOW);
    if (in8(CRTC_INDEX) != CRTC_CURSOR_LOW)
        return false;
    out8(GC_INDEX, GC_MISC);
    return in8(GC_INDEX) == GC_MISC && !(in8(GC_DATA) & GC_MISC_GRAPHICS);
}

bool
vga_init(void)
{
    vga.present = is_text_mode();
    if (!vga.present)
        return false;
    vga.memory = direct_ptr(make_maddr(TEXT_MEMORY));
    vga.origin = 0;
    screen_init(&vga.screen);
    crtc_write(CRTC_CURSOR_START, CURSOR_LINE_1ST);
    crtc_write(CRTC_CURSOR_END, CURSOR_LINE_END);
    crtc_write_pair(CRTC_START_HIGH, 0);
    crtc_write_pair(CRTC_CURSOR_HIGH, 0);
    vga.cursor = 0;
    paint();
    return true;
}
