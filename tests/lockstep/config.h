/*
 * config.h - the surroundings under which programs are compared.
 */
#ifndef TESTS_LOCKSTEP_CONFIG_H
#define TESTS_LOCKSTEP_CONFIG_H

#include "bt/bt.h"
#include "lockstep/machine.h"

struct config {
    const char *name;
    bool is_native;         /* no translator: the CPU runs the guest's code */
    bool is_user;           /* CPL 3 inside and outside */
    uint8_t callout;        /* enum bt_callout */
    uint8_t slot_segment;   /* enum segment: DS, or GS with a base */
    uint8_t cs_rule, gs_rule;   /* enum bt_segment_rule */
};

#define CONFIG_COUNT 6
extern const struct config configs[CONFIG_COUNT];

/* The interrupt vector of CALLOUT_INT; guests do not use it. */
#define CALLOUT_VECTOR  0xf0

/* Where the translator's memory is, in this process. */
#define ENGINE_AT       0x18000000u

/* --- engine.c: the translator in one configuration -------------------------*/
/* A fresh one; IS_SMALL: with the least capacities.  NULL: native. */
struct bt *engine_reset(const struct config *config, bool is_small);
extern struct bt_slots *engine_slots;
/* The address whose instruction is this exit's INT n, if M stopped at one. */
bool engine_is_callout(const struct config *config, const struct machine *m);
bool engine_has(uint32_t address);      /* is it in the TC? */

/* --- segments.c: the process's descriptors ---------------------------------*/
/* Selectors of user programs, in both LDTs. */
enum user_selector {
    USER_CODE = 0x07, USER_DATA = 0x0f, USER_DATA2 = 0x17, USER_SMALL = 0x1f,
    USER_CONST = 0x27,
};
#define USER_SELECTORS  5
#define USER_LIMIT      0x1fffffffu

/*
 * Calls machine_start(), too.  False: the kernel refuses; then segments are the
 * process's own, unlimited.
 */
bool segments_start(uint32_t late_usec);
/* The guest's LDT of user programs. */
void segments_write_ldt(void *ldt);
/* What the machine's segment registers must hold for V. */
void segments_load(const struct config *config, const struct vcpu *v,
                   struct machine *m);
/* V's are the machine's: user mode. */
void segments_store(struct vcpu *v, const struct machine *m);
/* For code of our own: flat, CS too. */
void segments_load_host(struct machine *m);

#endif
