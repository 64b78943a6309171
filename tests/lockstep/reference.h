/*
 * reference.h - the other side: what should have happened.
 *
 * The reference is always behind the subject or level with it.  Whenever the
 * subject is at an instruction boundary, reference_catch_up() has the
 * interpreter go on from the last one until it is in the very same state: all
 * of struct guest_cpu and of memory.  An event on the way, or no such state, is
 * a difference.
 *
 * Flags that the manual leaves undefined are followed: where the reference has
 * not defined one since, it takes the subject's.  An instruction that reads
 * one ends the comparison without a verdict.
 */
#ifndef TESTS_LOCKSTEP_REFERENCE_H
#define TESTS_LOCKSTEP_REFERENCE_H

#include "lockstep/arena.h"

enum verdict {
    VERDICT_SAME,
    VERDICT_DIFFERENT,
    VERDICT_OPEN,           /* it depends on what is undefined */
};

#define WHY_SIZE 2048

/* At the start of a program; HAS_MOV_SS: can the subject tell its shadow? */
void reference_reset(bool has_mov_ss);

/*
 * WHY says what differs.  MAY_BE_LATE: the subject was stopped since it took
 * long; if it takes long here, too, nobody can tell.
 */
enum verdict reference_catch_up(char why[WHY_SIZE], bool may_be_late);

/* Are both sides the same as they are?  For use right after a common step. */
enum verdict reference_compare(char why[WHY_SIZE]);

/* From now on the next boundary that lets it in must take an interrupt. */
void reference_expect_interrupt(bool is_pending);

/* The last instruction that began in the program's code. */
uint32_t reference_last_eip(void);

/* One step on both sides, which are the same, is this on the reference's. */
enum interp_result reference_step(void);

/* May V take an interrupt now? */
bool vcpu_is_open(const struct vcpu *v);

#endif
