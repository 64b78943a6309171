/*
 * bench_interp.c - how many guest instructions the interpreter does a second.
 *
 * A loop of loads, stores, arithmetic, a call and branches, in flat memory.
 * Prints millions of instructions each second, the best of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit/fake_guest.h"

#define ROUNDS      7
#define STEPS       3000000u
#define BASE        0x00100000u
#define SIZE        0x00010000u

static uint8_t memory[SIZE] ALIGNED(4096);
static struct vcpu v;
static struct interp interp;

/*
 *      1: mov (%esi),%eax; add %eax,%ebx; mov %ebx,4(%esi); lea 1(%ecx),%ecx
 *         test $7,%cl; jne 2f; call 3f
 *      2: cmp $100,%ecx; jne 1b; xor %ecx,%ecx; jmp 1b
 *      3: push %ebp; pop %ebp; ret
 */
static const uint8_t code[] = {
    0x8b, 0x06, 0x01, 0xc3, 0x89, 0x5e, 0x04, 0x8d, 0x49, 0x01,
    0xf6, 0xc1, 0x07, 0x75, 0x05, 0xe8, 0x09, 0x00, 0x00, 0x00,
    0x83, 0xf9, 0x64, 0x75, 0xe7, 0x31, 0xc9, 0xeb, 0xe3,
    0x55, 0x5d, 0xc3,
};

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(void)
{
    double best = 0;

    fake_guest_reset(BASE, SIZE, memory);
    memcpy(memory, code, sizeof(code));
    fake_guest_flat(&v, 0);
    interp_init(&interp, &v);
    v.cpu.eip = BASE;
    v.cpu.gpr[GPR_ESI] = BASE + 0x2000;
    v.cpu.gpr[GPR_ESP] = BASE + 0x8000;
    for (int n = 0; n < ROUNDS; n++) {
        double start = now(), rate;

        if (interp_run(&v, STEPS) != INTERP_OK) {
            fprintf(stderr, "fault %u at %x\n", v.fault.vector, v.cpu.eip);
            return EXIT_FAILURE;
        }
        rate = STEPS / (now() - start) / 1e6;
        best = rate > best ? rate : best;
    }
    printf("interpreter: %.1f million instructions each second\n", best);
    return 0;
}
