/*
 * bench_inline.c - what a guest kernel's CLI, STI, PUSHF and so on cost.
 *
 * Loops of them are translated as kernel code and called from here like C
 * functions: translated code runs in this process, flat, and its final RET
 * misses in the lookup table and leaves to a stub that goes to where the guest
 * would.  The time of an empty loop is taken off.  Cycles are the processor's:
 * a chain of multiplications, three cycles each, says how long one takes.  What
 * may run natively in a process is measured in that way, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bt/bt.h"
#include "bt/decode.h"

#define ROUNDS      15
#define LOOPS       20000u
#define REPEAT      6               /* of the sequence, in the loop */
#define CODE_SIZE   BT_CODE_MIN
#define POINTS      BT_POINT_MIN
#define LINKS       BT_LINK_MIN
#define IMUL_CYCLES 3
#define GUEST_SIZE  PAGE_SIZE
#define PAGE_SIZE   4096
#define SELECTOR    0x2b            /* any: it never reaches the machine */

enum { IMM32_SIZE = 4, JNZ_BYTE = 0x0f, JNZ_NEAR = 0x85 };

static struct bt_slots slots;
static struct {
    struct bt_tables t;
    uint32_t links[LINKS];
} tables;
static struct bt_env env;
static struct bt *bt;
static uint8_t *guest;

static const struct sequence {
    const char *name;
    uint8_t length;
    bool is_native;         /* may run in a process */
    uint8_t bytes[8];
} sequences[] = {
    { "(imul)", 3, true, { 0x0f, 0xaf, 0xc0 } },
    { "cli; sti", 2, false, { 0xfa, 0xfb } },
    { "pushf; pop %eax", 2, true, { 0x9c, 0x58 } },
    { "pushf; popf", 2, true, { 0x9c, 0x9d } },
    { "pushf; cli; popf", 3, false, { 0x9c, 0xfa, 0x9d } },
    { "cli; pushf; popf; sti", 4, false, { 0xfa, 0x9c, 0x9d, 0xfb } },
    { "mov %ds,%eax", 2, true, { 0x8c, 0xd8 } },
    { "push %ds; pop %ds", 2, true, { 0x1e, 0x1f } },
    { "mov %eax,%es", 2, false, { 0x8e, 0xc0 } },
    { "mov %cr0,%eax", 3, false, { 0x0f, 0x20, 0xc0 } },
};

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    uint32_t page = eip & ~(PAGE_SIZE - 1u);

    (void)context;
    (void)flags;
    *id = page;
    return page == (uint32_t)guest ? guest : NULL;
}

static uint8_t *
executable(size_t size)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        fprintf(stderr, "bench_inline: no memory\n");
        exit(1);
    }
    return memory;
}

/* jmp *slots.exit_eip: the guest's RET is ours. */
static void
make_exit(void)
{
    static const uint8_t jmp[] = { 0xff, 0x25 };
    uint8_t *stub = executable(PAGE_SIZE);
    uint32_t at = (uint32_t)&slots.exit_eip;

    memcpy(stub, jmp, sizeof(jmp));
    memcpy(stub + sizeof(jmp), &at, sizeof(at));
    tables.t.exit = (uint32_t)stub;
}

static void
start(void)
{
    guest = executable(GUEST_SIZE);
    env = (struct bt_env){
        .callout = CALLOUT_JUMP, .slot_segment = SEG_DS,
        .mode = DECODE_32 | DECODE_PROTECTED,
        .slots_at = (uint32_t)&slots, .tables_at = (uint32_t)&tables,
        .slots = &slots, .tables = &tables.t, .code_size = CODE_SIZE,
        .tu_max = BT_TU_MIN * 2, .point_max = POINTS, .link_max = LINKS,
        .fetch = fetch,
    };
    make_exit();
    env.code = executable(CODE_SIZE);
    env.code_at = (uint32_t)env.code;
    bt = bt_init(&env, aligned_alloc(16, (bt_memory_size(&env) + 15) & ~15u));
    bt_slots_set_eflags(&slots, EFLAGS_FIXED | EFLAGS_IF);
    for (enum segment s = SEG_ES; s < SEG_NONE; s++)
        bt_slots_set_selector(&slots, s, SELECTOR, true);
}

static uint8_t *
put(uint8_t *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

/* mov $SELECTOR,%eax; mov $LOOPS,%edx; 1: REPEAT times S; dec; jnz; ret */
static void
make_guest(const struct sequence *s)
{
    static const uint8_t mov_edx = 0xba, mov_eax = 0xb8, dec_edx = 0x4a;
    static const uint8_t jnz[] = { JNZ_BYTE, JNZ_NEAR }, ret = 0xc3;
    uint32_t loops = LOOPS, eax = SELECTOR, distance;
    uint8_t *at = guest, *loop;

    at = put(at, &mov_eax, 1);
    at = put(at, &eax, sizeof(eax));
    at = put(at, &mov_edx, 1);
    at = put(at, &loops, sizeof(loops));
    loop = at;
    for (unsigned n = 0; s != NULL && n < REPEAT; n++)
        at = put(at, s->bytes, s->length);
    at = put(at, &dec_edx, 1);
    at = put(at, jnz, sizeof(jnz));
    distance = (uint32_t)(loop - (at + IMM32_SIZE));
    at = put(at, &distance, sizeof(distance));
    put(at, &ret, 1);
    bt_flush(bt);
}

/* The least time of the function at ADDRESS, in the time stamp's ticks. */
static double
ticks(uint32_t address)
{
    void (*function)(void) = (void (*)(void))address;
    double best = 0;

    for (unsigned n = 0; n < ROUNDS; n++) {
        uint64_t begin = __builtin_ia32_rdtsc(), time;

        function();
        time = __builtin_ia32_rdtsc() - begin;
        if (n == 0 || (double)time < best)
            best = (double)time;
    }
    return best;
}

/* Ticks of one S beyond the loop's. */
static double
measure(const struct sequence *s, bool native)
{
    double empty, full;

    make_guest(NULL);
    empty = ticks(native ? (uint32_t)guest : bt_entry(bt, (uint32_t)guest));
    make_guest(s);
    full = ticks(native ? (uint32_t)guest : bt_entry(bt, (uint32_t)guest));
    return (full - empty) / (LOOPS * REPEAT);
}

int
main(void)
{
    double cycle;

    start();
    cycle = measure(&sequences[0], true) / IMUL_CYCLES;
    printf("cycles%18stranslated  native\n", "");
    for (unsigned i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        const struct sequence *s = &sequences[i];

        printf("%-22s %10.1f", s->name, measure(s, false) / cycle);
        if (s->is_native)
            printf(" %7.1f", measure(s, true) / cycle);
        putchar('\n');
    }
    return 0;
}
