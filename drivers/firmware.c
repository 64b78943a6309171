/*
 * firmware.c - finding the tables that PC firmware leaves in low memory.
 *
 * Pure; see firmware.h.  The BIOS data area is at segment 0x40 of real mode: a
 * word at 0x40E is the segment of the extended BIOS data area, a word at 0x413
 * the KB of base memory.  Both are checked before use, since nothing else in
 * memory vouches for them.
 */
#include "drivers/firmware.h"

#include "kernel/base/string.h"

#define BDA_EBDA_SEGMENT    0x40eu
#define BDA_BASE_KB         0x413u
#define BASE_MEMORY_MIN     KB(64)      /* nothing of interest is below */
#define BASE_MEMORY_MAX     KB(640)
#define SEGMENT_SHIFT       4
#define AREA_SIZE           KB(1)

#define PARAGRAPH           16u
#define CHUNK_SIZE          256u

/* One KB at START, or nothing if that cannot be base memory. */
static struct firmware_area
area_at(uint32_t start)
{
    struct firmware_area area = { .start = start, .size = AREA_SIZE };

    if (start < BASE_MEMORY_MIN || start > BASE_MEMORY_MAX - AREA_SIZE)
        area.size = 0;
    return area;
}

/* 0, which leads to no area, if it cannot be read. */
static uint32_t
read_bda_word(const struct mem_reader *reader, uint32_t address)
{
    uint16_t word;

    return mem_read(reader, make_maddr(address), &word, sizeof word) ? word
                                                                     : 0;
}

struct firmware_area
firmware_ebda(const struct mem_reader *reader)
{
    return area_at(read_bda_word(reader, BDA_EBDA_SEGMENT) << SEGMENT_SHIFT);
}

struct firmware_area
firmware_base_end(const struct mem_reader *reader)
{
    return area_at(KB(read_bda_word(reader, BDA_BASE_KB)) - AREA_SIZE);
}

static void
skip(struct firmware_area *area, uint32_t bytes)
{
    area->start += bytes;
    area->size -= bytes;
}

/*
 * By chunks, since each read may cost a mapping.  One that cannot be read is
 * passed over.
 */
bool
firmware_search(const struct mem_reader *reader, struct firmware_area *area,
                const char *signature, maddr_t *found)
{
    char chunk[CHUNK_SIZE];
    size_t length = strlen(signature);

    while (area->size >= PARAGRAPH) {
        maddr_t start = make_maddr(area->start);
        uint32_t size = MIN(area->size,
                            CHUNK_SIZE - area->start % CHUNK_SIZE);
        bool readable = mem_read(reader, start, chunk, size);

        for (uint32_t at = 0; readable && at + PARAGRAPH <= size;
             at += PARAGRAPH) {
            if (memcmp(chunk + at, signature, length) != 0)
                continue;
            *found = maddr_add(start, at);
            skip(area, at + PARAGRAPH);
            return true;
        }
        skip(area, size);
    }
    return false;
}

bool
firmware_sums_to_zero(const struct mem_reader *reader, maddr_t from,
                      uint32_t size)
{
    uint8_t chunk[CHUNK_SIZE];
    uint8_t sum = 0;

    while (size > 0) {
        uint32_t n = MIN(size, CHUNK_SIZE);

        if (!mem_read(reader, from, chunk, n))
            return false;
        for (uint32_t i = 0; i < n; i++)
            sum = (uint8_t)(sum + chunk[i]);
        from = maddr_add(from, n);
        size -= n;
    }
    return sum == 0;
}
