/*
 * backtrace.c - walks the chain of saved frame pointers.
 *
 * All C code keeps %ebp (-fno-omit-frame-pointer); trap entry links its frames
 * into the chain, so a walk crosses interrupts.  The chain ends at 0, or at
 * anything that does not look like a frame: not aligned, not ascending, too
 * far away, or not mapped.  The page tables are asked before each read, since
 * a backtrace is wanted most when memory is damaged.
 */
#include "kernel/backtrace.h"

#include "kernel/image.h"

/* Frames further apart than the largest stack belong to something else. */
#define FRAME_DISTANCE_MAX KB(64)

static bool (*is_mapped)(const void *ptr);

void
backtrace_set_probe(bool (*probe)(const void *ptr))
{
    is_mapped = probe;
}

static bool
frame_is_readable(uint32_t ebp)
{
    const uint32_t *frame = (const uint32_t *)ebp;

    if (ebp == 0 || ebp % sizeof(uint32_t) != 0)
        return false;
    if (is_mapped == NULL)
        return ebp >= (uint32_t)image_start && ebp < (uint32_t)image_end;
    return is_mapped(frame) && is_mapped(frame + 1);
}

unsigned
backtrace(uint32_t ebp, uint32_t *eips, unsigned max)
{
    unsigned count = 0;

    while (count < max && frame_is_readable(ebp)) {
        const uint32_t *frame = (const uint32_t *)ebp;

        eips[count++] = frame[1];
        if (frame[0] <= ebp || frame[0] - ebp > FRAME_DISTANCE_MAX)
            break;
        ebp = frame[0];
    }
    return count;
}
