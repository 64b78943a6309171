/*
 * matrix.c - products of matrices of doubles, in blocks.
 */
#include "tests/bench/programs/program.h"

#define SIZE        128
#define SCALE       1000

const unsigned default_rounds = 330;

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE];

static void
multiply(void)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++)
            c[i][j] = 0;
        for (int k = 0; k < SIZE; k++) {
            double factor = a[i][k];

            for (int j = 0; j < SIZE; j++)
                c[i][j] += factor * b[k][j];
        }
    }
}

static void
fill(void)
{
    for (int i = 0; i < SIZE; i++) {
        for (int j = 0; j < SIZE; j++) {
            a[i][j] = random_next() % SCALE / 100.0;
            b[i][j] = random_next() % SCALE / 100.0;
        }
    }
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    fill();
    for (unsigned round = 0; round < rounds; round++) {
        a[round % SIZE][0] += 1;
        multiply();
        sum = checksum_add(sum, (uint32_t)c[round % SIZE][round % SIZE]);
    }
    return sum;
}
