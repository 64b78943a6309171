/*
 * run_int.h - what run.c and serve.c share: a program that is being run.
 */
#ifndef TESTS_LOCKSTEP_RUN_INT_H
#define TESTS_LOCKSTEP_RUN_INT_H

#include "lockstep/run.h"

enum turn {
    TURN_ON,                /* both sides are at a boundary: go on */
    TURN_SERVE,             /* the next instruction is to be interpreted */
    TURN_DONE,
    TURN_FAILED,
    TURN_OPEN,
};

struct run {
    const struct program *p;
    const struct config *config;
    const struct treatment *t;
    struct bt *bt;
    struct test_random random;
    struct machine m;
    char *why;
    bool wants_step;        /* next by bt_step(): it writes to its own page */
    bool is_step;           /* this is one */
    bool is_pending;        /* an interrupt */
    bool is_emulated;       /* this exit is EMULATE */
    uint32_t trap;          /* vector of the trap to serve; or none */
    unsigned events;
    unsigned steps;         /* machine instructions so far, if stepped */
};
#define NO_TRAP UINT32_MAX

bool one_in(struct run *r, uint32_t n);
/* TURN_FAILED, saying so. */
enum turn fail(struct run *r, const char *what);
enum turn judge(enum verdict verdict, enum turn next);

/* Both sides are equal: the next instruction, and its fault, on both. */
enum turn serve(struct run *r);
/* The same while the guest steps itself, by TF; and its #DB. */
enum turn serve_traps(struct run *r);
/* The interrupt, if one is pending and let in. */
enum turn take_interrupt(struct run *r);

#endif
