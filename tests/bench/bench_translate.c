/*
 * bench_translate.c - how long translating an instruction takes.
 *
 *      bench_translate FILE...     (by default the program itself)
 *
 * Translates 32-bit ELF programs without running them, from all places that
 * their direct calls go to and with all that is found from there, as a process
 * that touches all of its code would have it.  Prints cycles for each guest
 * instruction (of the time stamp counter), how many there were, and how much
 * longer the code has become.  Of each call's times in several rounds the best
 * one counts: others use the processor, too.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bt/bt.h"
#include "bt/decode.h"
#include "kernel/base/addr.h"

#define ROUNDS      7
#define FILE_MAX    (32u << 20)
#define TARGETS_MAX (1u << 18)
#define LINK_MAX    (1u << 19)
#define SLOTS_AT    0x1000u
#define TABLES_AT   0x10000u
#define CODE_AT     0x80000000u

static uint8_t file[FILE_MAX], image[FILE_MAX] ALIGNED(4096);
static uint32_t image_at, image_size;
static uint32_t targets[TARGETS_MAX];
static uint64_t cycles[TARGETS_MAX];
static unsigned target_count;
static struct bt_slots slots;

static struct bt_env env = {
    .is_user = true, .slot_segment = SEG_DS,
    .mode = DECODE_32 | DECODE_PROTECTED, .slots_at = SLOTS_AT,
    .tables_at = TABLES_AT, .code_at = CODE_AT, .slots = &slots,
    .code_size = MB(64), .tu_max = BIT(20), .point_max = BIT(22),
    .link_max = LINK_MAX,
};

static const uint8_t *
fetch(void *context, uint32_t eip, unsigned flags, uint32_t *id)
{
    uint32_t offset = ROUND_DOWN(eip - image_at, PAGE_SIZE);

    (void)context;
    (void)flags;
    *id = eip / PAGE_SIZE;
    return offset < image_size ? image + offset : NULL;
}

/* The file's executable segment to `image`; false: there is none. */
static bool
load(const char *name)
{
    const Elf32_Ehdr *header = (const Elf32_Ehdr *)file;
    const Elf32_Phdr *p;
    FILE *f = fopen(name, "rb");
    size_t size = f == NULL ? 0 : fread(file, 1, FILE_MAX, f);

    if (f != NULL)
        fclose(f);
    if (size < sizeof(*header) || memcmp(file, ELFMAG, SELFMAG) != 0 ||
        header->e_machine != EM_386)
        return false;
    p = (const Elf32_Phdr *)(file + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++, p++)
        if (p->p_type == PT_LOAD && (p->p_flags & PF_X) &&
            p->p_offset + p->p_filesz <= size) {
            memset(image, 0, sizeof(image));
            memcpy(image + (p->p_vaddr & PAGE_MASK), file + p->p_offset,
                   p->p_filesz);
            image_at = ROUND_DOWN(p->p_vaddr, PAGE_SIZE);
            image_size = ROUND_UP(p->p_filesz, PAGE_SIZE);
            return true;
        }
    return false;
}

static void
find_targets(void)
{
    struct insn insn;

    target_count = 0;
    for (uint32_t at = 0; at < image_size && target_count < TARGETS_MAX;
         at += insn.length) {
        uint32_t to;

        if (decode(image + at, image_size - at, env.mode, &insn) !=
            DECODE_OK) {
            insn.length = 1;
            continue;
        }
        to = insn_target(&insn, image_at + at);
        if (insn_opcode(&insn)->class == CLASS_CALL &&
            to - image_at < image_size)
            targets[target_count++] = to;
    }
}

static void
translate_all(struct bt *bt)
{
    const struct bt_stats *s = bt_get_stats(bt);

    for (unsigned i = 0; i < target_count; i++) {
        uint64_t units = s->units, start = __builtin_ia32_rdtsc(), taken;

        bt_entry(bt, targets[i]);
        taken = __builtin_ia32_rdtsc() - start;
        cycles[i] = MIN(cycles[i], s->units != units ? taken : 0);
    }
}

static uint64_t
total_cycles(void)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < target_count; i++)
        total += cycles[i];
    return total;
}

static bool
measure(const char *name, void *memory)
{
    struct bt_stats s = { 0 };

    if (!load(name))
        return false;
    find_targets();
    memset(cycles, UINT8_MAX, sizeof(cycles));
    for (int i = 0; i < ROUNDS; i++) {
        struct bt *bt = bt_init(&env, memory);

        translate_all(bt);
        s = *bt_get_stats(bt);
    }
    if (s.flushes != 0 || s.instructions == 0)
        return false;
    printf("%-24s %8llu instructions %6.0f cycles each, %5.2f bytes a byte\n",
           name, (unsigned long long)s.instructions,
           (double)total_cycles() / (double)s.instructions,
           (double)s.bytes / (double)s.guest_bytes);
    return true;
}

int
main(int argc, char **argv)
{
    int first = argc > 1;
    void *memory;

    env.fetch = fetch;
    env.code = malloc(env.code_size);
    env.tables = calloc(1, sizeof(*env.tables) + LINK_MAX * sizeof(uint32_t));
    memory = malloc(bt_memory_size(&env));
    if (env.code == NULL || env.tables == NULL || memory == NULL)
        return EXIT_FAILURE;
    for (int i = first; i < argc; i++)
        if (!measure(argv[i], memory)) {
            fprintf(stderr, "%s: not to be measured\n", argv[i]);
            return EXIT_FAILURE;
        }
    return 0;
}
