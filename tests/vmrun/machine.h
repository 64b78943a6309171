/*
 * machine.h - a whole virtual machine inside an ordinary process.
 *
 * One virtual CPU under the interpreter, memory that is an array, the device
 * models of vmm/dev, and a clock.  vmm/guest_mem.h is implemented in memory.c
 * and vmm/guest_port.h in ports.c; both find the machine around the vcpu.
 *
 * Everything runs in one thread.
 */
#ifndef TESTS_VMRUN_MACHINE_H
#define TESTS_VMRUN_MACHINE_H

#include "kernel/base/types.h"
#include "vmm/boot/direct_boot.h"
#include "vmm/cpuid.h"
#include "vmm/dev/chipset.h"
#include "vmm/interp/interp.h"
#include "vmm/mmu/gpa_map.h"
#include "vmm/vcpu.h"
#include "vmrun/options.h"
#include "vmrun/tty.h"

#define TLB_ENTRIES     1024u       /* a power of 2 */
#define TLB_ACCESSES    3u          /* read, write, fetch */
#define VECTORS         256u
#define TRACE_ENTRIES   256u        /* a power of 2 */

/* A page that an access of one kind, at one privilege, has reached before. */
struct tlb_entry {
    uint32_t page;              /* linear */
    uint32_t generation;
    uint8_t *memory;
};

struct trace_entry {
    uint32_t eip, cs, esp, eflags;
};

/* Why a machine stops running. */
enum machine_end {
    END_NONE,
    END_POWER_OFF,
    END_HALTED,             /* with nothing that could wake it */
    END_RESET,              /* asked for by the guest, or a triple fault */
    END_REFUSED,            /* the interpreter met what it does not do */
    END_LIMIT,              /* --max-instructions */
    END_DETACHED,           /* the person at the terminal left */
};

struct machine_stats {
    uint64_t walks, io_in, io_out, halts, halted_ns, resets;
    uint64_t faults[VECTORS], interrupts[VECTORS];
};

struct machine {
    struct vcpu vcpu;
    struct interp interp;
    struct chipset chipset;
    struct gpa_map map;
    struct virtual_cpuid cpuid;
    uint8_t *store;             /* RAM, then ROM, by page of the store */
    uint32_t tlb_generation;
    uint32_t large_first, large_last;   /* linear: around large pages in it */
    struct tlb_entry tlb[2][TLB_ACCESSES][TLB_ENTRIES];  /* [is user] */
    const struct vm_options *options;
    struct direct_boot boot;
    struct tty tty;
    uint64_t started_ns;        /* of the wall clock */
    uint64_t skipped_ns;        /* virtual time that passed while halted */
    uint64_t executed;          /* before the last reset */
    uint64_t events;            /* delivered: they take time, too */
    uint64_t polled;            /* instructions at the last look at the tty */
    bool is_triple_fault;       /* why END_RESET */
    uint32_t traced;
    struct trace_entry trace[TRACE_ENTRIES];
    struct machine_stats stats;
};

static inline struct machine *
machine_of(struct vcpu *v)
{
    return CONTAINER_OF(v, struct machine, vcpu);
}

/* memory.c: RAM of SIZE bytes in the places of a PC; false: the host has not
 * that much. */
MUST_CHECK bool machine_init_memory(struct machine *m, uint32_t size);
/* All of it becomes 0, and what was cached is forgotten. */
void machine_clear_memory(struct machine *m);
void machine_set_a20(struct machine *m, bool is_on);

/* cpuid.c. */
void machine_init_cpuid(struct machine *m);

/* clock.c: nanoseconds since the machine was switched on. */
uint64_t machine_now(const struct machine *m);
/* How many instructions may run until NS. */
uint64_t machine_instructions_until(const struct machine *m, uint64_t ns);
/* The CPU is halted until NS, or until there is input. */
void machine_sleep_until(struct machine *m, uint64_t ns);
uint64_t wall_ns(void);
#define TSC_HZ          1000000000ull

/* run.c: power on, and run until the end. */
enum machine_end machine_run(struct machine *m);
/* Load the guest and set the processor; false: m->boot.error. */
MUST_CHECK bool machine_boot(struct machine *m);

/* report.c: for --stats and --trace, to standard error. */
void machine_trace(struct machine *m);
void machine_report_trace(struct machine *m);
void machine_report_state(const struct machine *m);
void machine_report_stats(const struct machine *m);

#endif
