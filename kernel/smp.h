/*
 * smp.h - processors talk to each other.
 *
 * The interrupts between processors are sent through `struct ipi_ops`, which
 * the local APIC's driver provides; on a machine without one there is one
 * processor and all of this is trivial.
 */
#ifndef KERNEL_SMP_H
#define KERNEL_SMP_H

#include "kernel/base/types.h"
#include "kernel/percpu.h"

struct ipi_ops {
    void (*send)(unsigned apic_id, uint8_t vector);
    void (*send_nmi_others)(void);
    void (*eoi)(void);
    /* Start a processor at machine address PAGE << 12, in real mode. */
    void (*start)(unsigned apic_id, uint8_t page);
    /* Whatever that processor does: stop it until it is started again. */
    void (*park)(unsigned apic_id);
    /* Set up the interrupt controller of the running processor. */
    void (*init_cpu)(void);
};

void smp_set_ipi_ops(const struct ipi_ops *ops);

/* What was set, or NULL: this machine has one processor. */
const struct ipi_ops *smp_ipi_ops(void);

/* Install the vectors of calls and of stopping. */
void smp_init(void);

/* Make CPU run its scheduler soon. */
void smp_resched(unsigned cpu);

/*
 * Run FN(ARG) on all other online processors in interrupt context, and wait
 * until all have.  Interrupts must be on, no spinlock held; FN must be short.
 * Which are the others is up to preemption, unless the caller disables it.
 */
void smp_call_others(void (*fn)(void *arg), void *arg);

/*
 * Make all processors forget the translations of PAGES pages from LINEAR.  On
 * return none uses an old one.  Context as smp_call_others.
 */
void tlb_shootdown(uint32_t linear, unsigned pages);

/*
 * Forget all translations of this processor.  A new one does so once it is
 * online: shootdowns of before did not wait for it.
 */
void tlb_flush_all(void);

/* Stop the others for ever; from panic, any context. */
void smp_stop_others(void);

#endif
