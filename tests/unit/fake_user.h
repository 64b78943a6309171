/*
 * fake_user.h - a guest's user code with its descriptor tables, and a machine
 * that could run it directly.
 */
#ifndef TESTS_UNIT_FAKE_USER_H
#define TESTS_UNIT_FAKE_USER_H

#include "unit/fake_guest.h"
#include "unit/fake_loader.h"
#include "vmm/seg/seg_int.h"

/* The guest's memory, and its tables in it. */
#define MEMORY_AT   0x10000u
#define MEMORY_SIZE 0x30000u
#define GDT_AT      0x10000u
#define LDT_AT      0x20000u
#define SLOTS(table)    ((union seg_slot *)&user.memory[(table) - MEMORY_AT])

/* A plain GDT. */
#define USER_CS     0x0bu
#define USER_DS     0x13u
#define FREE        5u              /* the first entry that it leaves free */
#define PLAIN_LIMIT 0x7fu

#define DATA    (RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G | SEG_DATA_W | \
                 SEG_ACCESSED | RIGHTS_DPL)
#define CODE    (DATA | SEG_CODE)

struct fake_user {
    uint8_t memory[MEMORY_SIZE];
    struct vcpu v;
    struct trapframe frame;
    /* The machine's. */
    union seg_slot gdt[SHADOW_SLOTS_MAX], ldt[SHADOW_SLOTS_MAX];
    uint16_t ldtr;
    unsigned ldt_loads;
};

extern struct fake_user user;

/* At CPL 3 in flat segments, GS null; without an LDT, or with one. */
void user_start(void);
void user_start_with_ldt(uint32_t limit);

/* REG holds what SLOT says. */
void user_hold(enum segment reg, uint32_t selector, const union seg_slot *slot);

/* seg_enter_direct() */
bool user_enter(void);

/* What the processor sees in direct execution. */
struct fake_tables user_machine(void);

/* Is COPY the guest's descriptor?  Not present unless it is code or data. */
bool user_is_copy(const union seg_slot *copy, union seg_slot guest);

#endif
