/*
 * crc.c - CRC-32 of a buffer, a byte at a time by table.
 */
#include "tests/bench/programs/program.h"

#define SIZE        (1u << 20)
#define POLYNOMIAL  0xedb88320u

const unsigned default_rounds = 200;

static uint32_t table[256];
static char data[SIZE];

static void
make_table(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t value = n;

        for (int bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (value & 1 ? POLYNOMIAL : 0);
        table[n] = value;
    }
}

static uint32_t
crc(const char *bytes, size_t size)
{
    uint32_t value = ~0u;

    for (size_t i = 0; i < size; i++)
        value = table[(value ^ (uint8_t)bytes[i]) & 255] ^ value >> 8;
    return ~value;
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    make_table();
    random_text(data, sizeof(data));
    for (unsigned i = 0; i < rounds; i++) {
        data[i % SIZE]++;
        sum = checksum_add(sum, crc(data, sizeof(data)));
    }
    return sum;
}
