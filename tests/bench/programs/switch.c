/*
 * switch.c - an interpreter of byte code: a loop around one switch.
 *
 * The program it interprets finds primes with a sieve; each instruction is one
 * jump through the compiler's table.
 */
#include "tests/bench/programs/program.h"

#define LIMIT       4096
#define STACK_MAX   16

const unsigned default_rounds = 2000;

enum op {
    PUSH, LOAD, STORE, GET, PUT, ADD, MULTIPLY, LESS, IS_ZERO, JUMP_IF, JUMP,
    HALT,
};

/* Variables */
enum { N, MULTIPLE, COUNT, VARIABLES };

/*
 *   0: n = 2
 *   4: if (!(n < LIMIT)) halt
 *  12: if (cells[n]) goto 44
 *  17: count += 1; multiple = n * n
 *  29: while (multiple < LIMIT) cells[multiple] = 1, multiple += n
 *  51: n += 1; goto 4
 */
static const uint16_t code[] = {
    /*  0 */ PUSH, 2, STORE, N,
    /*  4 */ LOAD, N, PUSH, LIMIT, LESS, IS_ZERO, JUMP_IF, 60,
    /* 12 */ LOAD, N, GET, JUMP_IF, 51,
    /* 17 */ LOAD, COUNT, PUSH, 1, ADD, STORE, COUNT,
    /* 24 */ LOAD, N, LOAD, N, MULTIPLY, STORE, MULTIPLE,
    /* 31 */ LOAD, MULTIPLE, PUSH, LIMIT, LESS, IS_ZERO, JUMP_IF, 51,
    /* 39 */ PUSH, 1, LOAD, MULTIPLE, PUT,
    /* 44 */ LOAD, MULTIPLE, LOAD, N, ADD, JUMP, 61,
    /* 51 */ LOAD, N, PUSH, 1, ADD, STORE, N, JUMP, 4,
    /* 60 */ HALT,
    /* 61 */ STORE, MULTIPLE, JUMP, 31,
};

static uint32_t cells[LIMIT];

static uint32_t
interpret(void)
{
    uint32_t variables[VARIABLES] = { 0 };
    uint32_t stack[STACK_MAX], *top = stack;
    const uint16_t *pc = code;

    for (;;) {
        switch ((enum op)*pc++) {
        case PUSH:
            *top++ = *pc++;
            break;
        case LOAD:
            *top++ = variables[*pc++];
            break;
        case STORE:
            variables[*pc++] = *--top;
            break;
        case GET:
            top[-1] = cells[top[-1]];
            break;
        case PUT:
            top -= 2;
            cells[top[1]] = top[0];
            break;
        case ADD:
            top--;
            top[-1] += top[0];
            break;
        case MULTIPLY:
            top--;
            top[-1] *= top[0];
            break;
        case LESS:
            top--;
            top[-1] = top[-1] < top[0];
            break;
        case IS_ZERO:
            top[-1] = top[-1] == 0;
            break;
        case JUMP_IF:
            pc = *--top != 0 ? code + *pc : pc + 1;
            break;
        case JUMP:
            pc = code + *pc;
            break;
        case HALT:
            return variables[COUNT];
        }
    }
}

uint32_t
work(unsigned rounds)
{
    uint32_t sum = 0;

    for (unsigned round = 0; round < rounds; round++) {
        for (int i = 0; i < LIMIT; i++)
            cells[i] = 0;
        sum = checksum_add(sum, interpret());
    }
    return sum;
}
