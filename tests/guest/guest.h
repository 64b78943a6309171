/*
 * guest.h - the runtime of the bare-metal test programs.
 *
 * A topic is a function that checks what one part of a PC does.  It makes a
 * context, the state of a CPU, and runs it: the CPU enters that state by IRET
 * and goes on until the first exception or interrupt of any kind, when the
 * context becomes what the handler found.  So every expectation is one of a
 * vector, an error code, an EIP and registers:
 *
 *      SNIPPET(divide, "xor %ecx, %ecx", "div %ecx", "");
 *      ...
 *      run_snippet(&c, &divide, 3);
 *      check_trap("division by zero", &c, VEC_DE, 0, divide.at);
 *
 * What is expected comes from the manual, and the checks name its section; no
 * emulator was asked.  Each check prints "ok TOPIC: NAME", or FAIL and why.
 *
 * Code runs at CPL 0 from 2 MB on, linear is physical, interrupts are off, all
 * segments are flat; a topic may change all of that, and the next one starts
 * afresh.
 */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include "guest/layout.h"
#include "guest/report.h"
#include "kernel/base/bits.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"

/* In the order of the trap entry (start.S); IRET's part begins with eip. */
struct context {
    uint32_t gs, fs, es, ds;
    uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
    uint32_t vector, error;
    uint32_t eip, cs, eflags;
    uint32_t esp, ss;
    uint32_t v86_es, v86_ds, v86_fs, v86_gs;    /* with EFLAGS.VM only */
};
STATIC_ASSERT(offsetof(struct context, eip) == CONTEXT_EIP);
STATIC_ASSERT(sizeof(struct context) == 4 * CONTEXT_WORDS);

/* Instructions under test: where they start, the one that matters, the next. */
struct snippet {
    const char *start, *at, *next;
};

/* BEFORE, AT and AFTER are assembly; then follows INT VEC_DONE. */
#define SNIPPET(name, before, at, after)                                  \
    extern const char name##_start[], name##_at[], name##_next[];         \
    __asm__(".pushsection .text\n" #name "_start:\n" before "\n"          \
            #name "_at:\n" at "\n" #name "_next:\n" after "\n"            \
            "int $0x40\n.popsection");                                    \
    static const struct snippet name = { name##_start, name##_at,         \
                                         name##_next }

struct topic {
    const char *name;
    void (*run)(void);
};

extern const struct topic topics_start[], topics_end[];     /* guest.ld */

#define TOPIC(name)                                                       \
    static void run_##name(void);                                         \
    static const struct topic topic_##name SECTION("topics") USED =       \
        { #name, run_##name };                                            \
    static void run_##name(void)

/* --- Contexts: start.S, context.c ------------------------------------------*/

/* Enter C; returns at the first exception or interrupt, with C as it was. */
void context_run(struct context *c);
extern uint32_t trap_eflags;            /* as the handler found them */

/* Flat segments and a stack for RING (0 or 3), EIP at CODE, IF in ring 3. */
void context_init(struct context *c, const void *code, unsigned ring);

void run_snippet(struct context *c, const struct snippet *s, unsigned ring);

/* --- The machine: machine.c ------------------------------------------------*/

/* What gates lead to, by vector: start.S. */
extern const uint8_t trap_stubs[IDT_ENTRIES][STUB_SIZE];

extern struct segdesc gdt[GDT_ENTRIES];
extern struct gate idt[IDT_ENTRIES];
extern struct tss tss;

/* Everything as the next topic expects it. */
void machine_init(void);
NORETURN void machine_power_off(void);

/* Leave out what hangs or ends an emulator: "gentle" in the command line. */
bool machine_is_gentle(void);

/* Selector of GDT entry INDEX for RING. */
static inline uint32_t
selector(unsigned index, unsigned ring)
{
    return index << SEL_INDEX_SHIFT | ring;
}

/* Make entry INDEX a segment; TYPE is of enum segment_type, LIMIT in bytes. */
struct segdesc *gdt_set(unsigned index, uint32_t base, uint32_t limit,
                        unsigned type);

/* Let VECTOR go through a gate of TYPE to the usual handler. */
struct gate *idt_set(unsigned vector, unsigned type, unsigned dpl);

#endif
