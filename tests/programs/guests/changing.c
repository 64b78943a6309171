/*
 * changing.c - a program that changes its own code in every way we know of.
 *
 *      changing [COUNT]
 *
 * Each function writes code, runs it COUNT times and mixes what it returns into
 * a sum, which is printed: whoever runs a stale instruction prints another.
 * All code is in one mapping that is writable and executable throughout.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE        4096u
#define ARENA_SIZE  (64 * PAGE)
#define COUNT       2000u
#define RET         0xc3
#define MOV_EAX     0xb8            /* mov $imm32, %eax */
#define LOAD_ARG    0x8b, 0x44, 0x24, 0x04  /* mov 4(%esp), %eax */
#define ADD_ARG     0x03, 0x44, 0x24, 0x04  /* add 4(%esp), %eax */

typedef uint32_t code_fn(uint32_t argument);

static uint8_t *arena;
static uint32_t sum, state = 12345;

static uint32_t
random_below(uint32_t limit)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

static void
call(uint8_t *code, uint32_t argument)
{
    code_fn *fn;

    memcpy(&fn, &code, sizeof(fn));
    sum = (sum << 5 | sum >> 27) ^ fn(argument);
}

static uint8_t *
put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static uint8_t *
put_word(uint8_t *at, uint32_t word)
{
    return put(at, &word, sizeof(word));
}

#define PUT(at, ...) \
    put(at, (const uint8_t[]){ __VA_ARGS__ }, \
        sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* A store into the instruction that follows it. */
static void
ahead(uint8_t *code, uint32_t count)
{
    uint8_t *at = PUT(code, LOAD_ARG, 0xa3);    /* mov %eax, address */

    at = put_word(at, (uint32_t)at + 5);
    at = PUT(at, MOV_EAX, 0, 0, 0, 0, RET);
    for (uint32_t i = 0; i < count; i++)
        call(code, i * 77);
}

/* A counter beside the code that counts. */
static void
beside(uint8_t *code, uint32_t count)
{
    uint32_t counter = (uint32_t)code + PAGE / 2;
    uint8_t *at = put_word(PUT(code, 0xff, 0x05), counter); /* incl */

    at = put_word(PUT(at, 0xa1), counter);      /* mov address, %eax */
    PUT(at, ADD_ARG, RET);
    for (uint32_t i = 0; i < count; i++)
        call(code, i);
}

/* Another function each time, anywhere, called once or more. */
static void
generated(uint8_t *code, uint32_t count)
{
    static const uint8_t operations[] = { 0x05, 0x35, 0x2d };   /* on EAX */

    for (uint32_t i = 0; i < count; i++) {
        uint8_t *start = code + random_below(2 * PAGE - 100);
        uint8_t *at = PUT(start, LOAD_ARG);

        for (uint32_t n = random_below(10); n > 0; n--) {
            at = PUT(at, operations[random_below(sizeof(operations))]);
            at = put_word(at, random_below(1000000));
        }
        PUT(at, RET);
        for (uint32_t n = i % 5; n < 5; n++)
            call(start, i + n);
    }
}

/* Functions on two pages. */
static void
across(uint8_t *code, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *start = code + PAGE - i % 12;

        PUT(put_word(PUT(start, MOV_EAX), i), ADD_ARG, RET);
        call(start, i * 3);
        call(start, i * 5);
    }
}

/* REP MOVSB over what comes behind it. */
static void
copied(uint8_t *code, uint32_t count)
{
    uint8_t from[] = { MOV_EAX, 0, 0, 0, 0, RET };
    /* push %esi; push %edi; mov 12(%esp), %esi; mov $, %edi */
    uint8_t *at = PUT(code, 0x56, 0x57, 0x8b, 0x74, 0x24, 0x0c, 0xbf);
    uint8_t *to = at + 13;

    at = put_word(at, (uint32_t)to);
    /* mov $5, %ecx; rep movsb; pop %edi; pop %esi */
    at = PUT(at, 0xb9, 5, 0, 0, 0, 0xf3, 0xa4, 0x5f, 0x5e);
    put(to, from, sizeof(from));
    for (uint32_t i = 0; i < count; i++) {
        from[1] = (uint8_t)i;
        call(code, (uint32_t)from);
    }
}

/* Never the same place twice, for long. */
static void
endless(uint8_t *code, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *start = code + i * 16 % (32 * PAGE);

        PUT(put_word(PUT(start, MOV_EAX), i), RET);
        call(start, i);
    }
}

/* A page that goes away and comes back with other contents. */
static void
mapped(uint8_t *code, uint32_t count)
{
    for (uint32_t i = 0; i < count / 10; i++) {
        if (mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != code)
            abort();
        PUT(put_word(PUT(code, MOV_EAX), i), RET);
        call(code, i);
    }
}

static const struct {
    const char *name;
    void (*run)(uint8_t *code, uint32_t count);
    unsigned page;
} ways[] = {
    { "ahead", ahead, 0 }, { "beside", beside, 1 },
    { "generated", generated, 2 }, { "across", across, 4 },
    { "copied", copied, 6 }, { "mapped", mapped, 7 },
    { "endless", endless, 8 }, { "ahead, again", ahead, 0 },
    { "code, now", generated, 1 }, { "data, now", beside, 2 },
};

int
main(int argc, char **argv)
{
    uint32_t count = argc > 1 ? strtoul(argv[1], NULL, 0) : COUNT;

    arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED)
        return EXIT_FAILURE;
    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        ways[i].run(arena + ways[i].page * PAGE, count);
        printf("%-14s %08x\n", ways[i].name, (unsigned)sum);
    }
    return EXIT_SUCCESS;
}
