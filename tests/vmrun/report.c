/*
 * report.c - what happened: registers, the last instructions, counts.
 */
#include <inttypes.h>
#include <stdio.h>

#include "bt/decode.h"
#include "bt/disasm.h"
#include "vmm/guest_mem.h"
#include "vmm/mmu/guest_walk.h"
#include "vmrun/machine.h"

#define TEXT_MAX        80

void
machine_trace(struct machine *m)
{
    const struct guest_cpu *cpu = &m->vcpu.cpu;

    m->trace[m->traced++ % TRACE_ENTRIES] = (struct trace_entry){
        cpu->eip, cpu->segment[SEG_CS].selector, cpu->gpr[GPR_ESP],
        cpu->eflags };
}

/* The instruction at a linear address, as it is in memory now. */
static void
disassemble(struct machine *m, uint32_t linear, char text[TEXT_MAX])
{
    uint8_t bytes[INSN_LENGTH_MAX];
    unsigned count = 0;
    struct guest_mapping mapping;
    struct insn insn;

    snprintf(text, TEXT_MAX, "?");
    while (count < sizeof(bytes) &&
           guest_walk_peek(&m->vcpu, make_gla(linear + count),
                           GUEST_READ | GUEST_SYSTEM, &mapping) &&
           guest_phys_read(&m->vcpu, mapping.at, &bytes[count], 1))
        count++;
    if (count > 0 && decode(bytes, count, DECODE_32 | DECODE_PROTECTED,
                            &insn) == DECODE_OK)
        disasm(&insn, linear, text, TEXT_MAX);
}

void
machine_report_trace(struct machine *m)
{
    uint32_t count = MIN(m->traced, TRACE_ENTRIES);
    char text[TEXT_MAX];

    for (uint32_t n = m->traced - count; n != m->traced; n++) {
        const struct trace_entry *e = &m->trace[n % TRACE_ENTRIES];

        disassemble(m, e->eip, text);
        fprintf(stderr, "%04" PRIx32 ":%08" PRIx32 " esp=%08" PRIx32
                " fl=%06" PRIx32 "  %s\n", e->cs, e->eip, e->esp, e->eflags,
                text);
    }
}

void
machine_report_state(const struct machine *m)
{
    const struct guest_cpu *cpu = &m->vcpu.cpu;
    static const char *const names[] = {
        "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };

    for (unsigned n = 0; n < GPR_NONE; n++)
        fprintf(stderr, "%s=%08" PRIx32 "%c", names[n], cpu->gpr[n],
                n % 4 == 3 ? '\n' : ' ');
    fprintf(stderr, "eip=%08" PRIx32 " eflags=%08" PRIx32 " cpl=%" PRIu32
            " cr0=%08" PRIx32 " cr2=%08" PRIx32 " cr3=%08" PRIx32
            " cr4=%08" PRIx32 "\n", cpu->eip, cpu->eflags, cpu->cpl,
            cpu->cr0, cpu->cr2, cpu->cr3, cpu->cr4);
}

static void
report_counts(const char *what, const uint64_t *counts)
{
    fprintf(stderr, "%s:", what);
    for (unsigned n = 0; n < VECTORS; n++)
        if (counts[n] != 0)
            fprintf(stderr, " %u: %" PRIu64, n, counts[n]);
    fputs("\n", stderr);
}

void
machine_report_stats(const struct machine *m)
{
    const struct machine_stats *s = &m->stats;
    uint64_t total = m->executed + m->vcpu.instructions;
    uint64_t wall = wall_ns() - m->started_ns;

    fprintf(stderr, "instructions: %" PRIu64 ", %" PRIu64 " million/s\n",
            total, total * NSEC_PER_SEC / (wall + 1) / 1000000);
    fprintf(stderr, "time: %" PRIu64 " ms of the guest, of them %" PRIu64
            " halted in %" PRIu64 " halts; %" PRIu64 " ms here\n",
            machine_now(m) / NSEC_PER_MSEC, s->halted_ns / NSEC_PER_MSEC,
            s->halts, wall / NSEC_PER_MSEC);
    fprintf(stderr, "walks: %" PRIu64 "  ports: %" PRIu64 " in, %" PRIu64
            " out  resets: %" PRIu64 "\n", s->walks, s->io_in, s->io_out,
            s->resets);
    report_counts("exceptions", s->faults);
    report_counts("interrupts", s->interrupts);
}
