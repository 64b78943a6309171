/*
 * fake_system.h - a guest in protected mode with all its tables: a virtual CPU,
 * memory, and the words in which tests of the interpreter are written.
 *
 * Segments are flat.  A test puts code at AT_CODE with START(), changes what
 * it wants to, steps, and looks.
 */
#ifndef TESTS_UNIT_FAKE_SYSTEM_H
#define TESTS_UNIT_FAKE_SYSTEM_H

#include "kernel/x86/descriptor.h"
#include "unit/fake_guest.h"
#include "unit/test.h"

#define MEMORY_SIZE     0x20000u
#define AT_GDT          0x1000u
#define AT_IDT          0x2000u
#define AT_TSS          0x3000u
#define AT_LDT          0x3800u
#define AT_CODE         0x4000u
#define AT_HANDLER      0x5000u
#define AT_STACK        0x8000u         /* grows down */
#define AT_STACK_0      0x9000u         /* of ring 0, in the TSS */
#define AT_DATA         0xa000u

enum system_selector {
    SEL_CODE_0 = 0x08, SEL_DATA_0 = 0x10, SEL_CODE_3 = 0x1b,
    SEL_DATA_3 = 0x23, SEL_TSS = 0x28, SEL_GATE = 0x33, SEL_ABSENT = 0x38,
    SEL_TASK = 0x40, SEL_FREE = 0x48, SEL_FREE_2 = 0x50,
};

extern uint8_t memory[MEMORY_SIZE];
extern struct vcpu vcpu;
extern struct interp interp;

/* At privilege CPL, tables set up, SIZE bytes of CODE at EIP. */
void system_start(unsigned cpl, const char *code, size_t size);

#define START(cpl, code) system_start(cpl, code, sizeof(code) - 1)

/* A gate to SEL_CODE_0:OFFSET, at an address or a vector. */
void put_gate(uint32_t at, unsigned type, unsigned dpl, uint32_t offset);
void put_vector(unsigned vector, unsigned type, uint32_t offset);

/* A flat segment; the descriptor, to be changed. */
struct segdesc *put_descriptor(uint32_t selector, unsigned type, unsigned dpl);

/* A system segment of LIMIT bytes. */
struct segdesc *put_system(uint32_t selector, unsigned type, uint32_t base,
                           uint32_t limit);

/* The segment register becomes what is left of it at BASE and LIMIT. */
void set_limits(enum segment segment, uint32_t base, uint32_t limit);

uint32_t get32(uint32_t at);
uint32_t get16(uint32_t at);
void put32(uint32_t at, uint32_t value);

static inline void
step_ok(void)
{
    assert_int_equal(interp_step(&vcpu), INTERP_OK);
}

/* A step that faults changes nothing. */
static inline void
expect_fault(unsigned vector, uint32_t error)
{
    static uint8_t before[MEMORY_SIZE];
    struct guest_cpu cpu = vcpu.cpu;

    memcpy(before, memory, sizeof(memory));
    assert_int_equal(interp_step(&vcpu), INTERP_FAULT);
    assert_int_equal(vcpu.fault.vector, vector);
    assert_int_equal(vcpu.fault.error, error);
    assert_memory_equal(&cpu, &vcpu.cpu, sizeof(cpu));
    assert_memory_equal(before, memory, sizeof(memory));
}

/* Deliver vcpu.fault, and be at AT_HANDLER. */
static inline void
deliver_ok(void)
{
    assert_int_equal(interp_deliver(&vcpu, EVENT_FAULT, 0), INTERP_OK);
    assert_int_equal(vcpu.cpu.eip, AT_HANDLER);
}

#endif
