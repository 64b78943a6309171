/*
 * lz.c - a byte-oriented LZ77 compressor and decompressor.
 *
 * A hash of four bytes finds one candidate for a match.  The stream is made of
 * sequences, like the popular fast formats:
 *
 *      1 byte   number of literals (high 4 bits), match length - 4 (low)
 *      n bytes  more of the number of literals while 255, if it was 15
 *      ...      the literals
 *      2 bytes  distance, and more of the length, as above
 */
#include "tests/bench/programs/program.h"

#define SIZE        (1u << 20)
#define HASH_BITS   14
#define MATCH_MIN   4u
#define DISTANCE_MAX 65535u
#define NIBBLE      15u

const unsigned default_rounds = 70;

static uint8_t plain[SIZE], packed[SIZE * 2], unpacked[SIZE + 16];
static uint32_t heads[1u << HASH_BITS];

static uint32_t
load32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static unsigned
hash(uint32_t word)
{
    return word * 2654435761u >> (32 - HASH_BITS);
}

static uint8_t *
put_more(uint8_t *out, uint32_t count)
{
    if (count < NIBBLE)
        return out;
    for (count -= NIBBLE; count >= 255; count -= 255)
        *out++ = 255;
    *out++ = (uint8_t)count;
    return out;
}

/* LENGTH 0: the last sequence, literals only. */
static uint8_t *
put_sequence(uint8_t *out, const uint8_t *literals, uint32_t count,
             uint32_t length, uint32_t distance)
{
    uint32_t rest = length == 0 ? 0 : length - MATCH_MIN;

    *out++ = (uint8_t)((count < NIBBLE ? count : NIBBLE) << 4 |
                       (rest < NIBBLE ? rest : NIBBLE));
    out = put_more(out, count);
    for (uint32_t i = 0; i < count; i++)
        *out++ = literals[i];
    if (length == 0)
        return out;
    *out++ = (uint8_t)distance;
    *out++ = (uint8_t)(distance >> 8);
    return put_more(out, rest);
}

static uint32_t
match_length(uint32_t from, uint32_t at)
{
    uint32_t length = 0;

    while (at + length < SIZE && plain[from + length] == plain[at + length])
        length++;
    return length;
}

static size_t
compress(void)
{
    uint32_t at = 0, anchor = 0;
    uint8_t *out = packed;

    while (at + MATCH_MIN <= SIZE) {
        uint32_t word = load32(plain + at), length;
        uint32_t *head = &heads[hash(word)], from = *head;

        *head = at;
        if (from >= at || at - from > DISTANCE_MAX ||
            load32(plain + from) != word) {
            at++;
            continue;
        }
        length = match_length(from, at);
        out = put_sequence(out, plain + anchor, at - anchor, length,
                           at - from);
        at += length;
        anchor = at;
    }
    out = put_sequence(out, plain + anchor, SIZE - anchor, 0, 0);
    return (size_t)(out - packed);
}

static const uint8_t *
get_more(const uint8_t *in, uint32_t *count)
{
    if (*count == NIBBLE) {
        do
            *count += *in;
        while (*in++ == 255);
    }
    return in;
}

static void
decompress(size_t size)
{
    const uint8_t *in = packed, *end = packed + size;
    uint8_t *out = unpacked;

    while (in < end) {
        uint32_t count = *in >> 4, length = *in & NIBBLE;
        const uint8_t *from;

        in = get_more(in + 1, &count);
        for (; count > 0; count--)
            *out++ = *in++;
        if (in == end)
            break;
        from = out - (in[0] | in[1] << 8);
        in = get_more(in + 2, &length);
        for (length += MATCH_MIN; length > 0; length--)
            *out++ = *from++;
    }
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    random_text((char *)plain, sizeof(plain));
    for (unsigned round = 0; round < rounds; round++) {
        size_t size;

        plain[round]++;
        size = compress();
        decompress(size);
        sum = checksum_add(sum, (uint32_t)size);
        for (uint32_t i = 0; i < SIZE; i++) {
            if (plain[i] != unpacked[i])
                return 0;
        }
    }
    return sum;
}
