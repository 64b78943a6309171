/*
 * load.c - an ELF program, its interpreter and its first stack.
 *
 * What Linux's execve() does (the System V ABI's i386 supplement, chapter 3),
 * without a vDSO: the C library then makes its system calls by int $0x80.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "kernel/base/addr.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/linux.h"
#include "tests/btrun/options.h"
#include "tests/btrun/pages.h"

#define PIE_BASE        0x10000000u
#define INTERPRETER_BASE 0x20000000u
#define STACK_TOP       0x6ff00000u
#define STACK_SIZE      MB(8)
#define SEGMENTS_MAX    32
#define STACK_WORDS_MAX 8192

struct image {
    Elf32_Ehdr header;
    Elf32_Phdr segments[SEGMENTS_MAX];
    uint32_t base, end;     /* what is added to addresses; end of bss */
    char interpreter[256];  /* "" if none */
};

static void
read_all(int fd, void *to, uint32_t size, uint32_t at)
{
    if (pread(fd, to, size, (off_t)at) != (ssize_t)size)
        die("%s: cut short", options.program);
}

static void
map_segment(int fd, const Elf32_Phdr *p, uint32_t base)
{
    uint32_t start = ROUND_DOWN(base + p->p_vaddr, PAGE_SIZE);
    uint32_t end = ROUND_UP(base + p->p_vaddr + p->p_memsz, PAGE_SIZE);
    int prot = (p->p_flags & PF_R ? PROT_READ : 0) |
               (p->p_flags & PF_W ? PROT_WRITE : 0) |
               (p->p_flags & PF_X ? PROT_EXEC : 0);
    void *memory = mmap((void *)start, end - start, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                        0);

    if (memory == MAP_FAILED)
        die("%#x-%#x: cannot be mapped", start, end);
    read_all(fd, (void *)(base + p->p_vaddr), p->p_filesz, p->p_offset);
    mprotect(memory, end - start, prot);
    pages_set(start, end - start, (unsigned)prot);
}

static void
load_image(struct image *image, const char *path, uint32_t base)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        die("%s: cannot be opened", path);
    read_all(fd, &image->header, sizeof(image->header), 0);
    if (memcmp(image->header.e_ident, ELFMAG, SELFMAG) != 0 ||
        image->header.e_machine != EM_386 ||
        image->header.e_phnum > SEGMENTS_MAX)
        die("%s: not a 32-bit x86 program", path);
    read_all(fd, image->segments,
             image->header.e_phnum * sizeof(Elf32_Phdr),
             image->header.e_phoff);
    image->base = image->header.e_type == ET_DYN ? base : 0;
    for (unsigned i = 0; i < image->header.e_phnum; i++) {
        const Elf32_Phdr *p = &image->segments[i];

        if (p->p_type == PT_LOAD) {
            map_segment(fd, p, image->base);
            image->end = image->base + p->p_vaddr + p->p_memsz;
        }
        if (p->p_type == PT_INTERP && p->p_filesz < sizeof(image->interpreter))
            read_all(fd, image->interpreter, p->p_filesz, p->p_offset);
    }
    close(fd);
}

/* Where the program headers are in memory. */
static uint32_t
headers_at(const struct image *image)
{
    for (unsigned i = 0; i < image->header.e_phnum; i++) {
        const Elf32_Phdr *p = &image->segments[i];

        if (p->p_type == PT_LOAD && p->p_offset == 0)
            return image->base + p->p_vaddr + image->header.e_phoff;
    }
    return 0;
}

static uint32_t
push_text(uint32_t *sp, const void *text, uint32_t size)
{
    *sp -= size;
    memcpy((void *)*sp, text, size);
    return *sp;
}

/* The vector that tells the C library about machine and program. */
static unsigned
auxiliary(const struct image *image, uint32_t interpreter, uint32_t random,
          uint32_t *words)
{
    const uint32_t pairs[] = {
        AT_PHDR, headers_at(image), AT_PHENT, sizeof(Elf32_Phdr),
        AT_PHNUM, image->header.e_phnum, AT_PAGESZ, PAGE_SIZE,
        AT_BASE, interpreter, AT_FLAGS, 0,
        AT_ENTRY, image->base + image->header.e_entry,
        AT_UID, getuid(), AT_EUID, geteuid(), AT_GID, getgid(),
        AT_EGID, getegid(), AT_SECURE, 0, AT_RANDOM, random,
        AT_HWCAP, getauxval(AT_HWCAP), AT_CLKTCK, getauxval(AT_CLKTCK),
        AT_EXECFN, (uint32_t)options.program, AT_NULL, 0,
    };

    memcpy(words, pairs, sizeof(pairs));
    return ARRAY_LEN(pairs);
}

static void
make_stack(const struct image *image, uint32_t interpreter)
{
    static uint32_t words[STACK_WORDS_MAX];
    uint32_t sp = STACK_TOP, random;
    unsigned n = 1, count = 0;
    uint8_t seed[16];

    if (mmap((void *)(STACK_TOP - STACK_SIZE), STACK_SIZE,
             PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
        MAP_FAILED)
        die("no memory for the stack");
    pages_set(STACK_TOP - STACK_SIZE, STACK_SIZE, PROT_READ | PROT_WRITE);
    if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
        die("no random numbers");
    random = push_text(&sp, seed, sizeof(seed));
    for (; options.args[count] != NULL; count++)
        words[n++] = push_text(&sp, options.args[count],
                               strlen(options.args[count]) + 1);
    words[0] = count;
    words[n++] = 0;
    for (count = 0; options.environment[count] != NULL; count++) {
        if (n > STACK_WORDS_MAX - 64)
            die("too many arguments");
        words[n++] = push_text(&sp, options.environment[count],
                               strlen(options.environment[count]) + 1);
    }
    words[n++] = 0;
    n += auxiliary(image, interpreter, random, words + n);
    sp = ROUND_DOWN(sp - n * (uint32_t)sizeof(words[0]), 16u);
    memcpy((void *)sp, words, n * sizeof(words[0]));
    guest.gpr[GPR_ESP] = sp;
}

void
load_program(void)
{
    static struct image program, interpreter;
    const struct image *first = &program;

    load_image(&program, options.program, PIE_BASE);
    if (program.interpreter[0] != '\0') {
        load_image(&interpreter, program.interpreter, INTERPRETER_BASE);
        first = &interpreter;
    }
    linux_set_break(ROUND_UP(program.end, PAGE_SIZE));
    make_stack(&program, interpreter.base);
    guest.eip = first->base + first->header.e_entry;
}
