/*
 * percpu.c - the table of processors.
 *
 * The boot processor's structure is static, because %gs must work before there
 * is memory to allocate; the others bring theirs when they are started.
 */
#include "kernel/percpu.h"

#include "kernel/base/assert.h"
#include "kernel/gdt.h"
#include "kernel/x86/atomic.h"

#define BOOT_DF_STACK_SIZE 4096u

static struct percpu *percpus[CPU_MAX];
static unsigned online;

static struct segdesc boot_gdt[GDT_ENTRIES] ALIGNED(8);
static struct tss boot_tss, boot_df_tss;
static uint8_t boot_df_stack[BOOT_DF_STACK_SIZE] ALIGNED(16);
static struct percpu boot_percpu = {
    .gdt = boot_gdt, .tss = &boot_tss, .df_tss = &boot_df_tss
};

struct percpu *
percpu_get(unsigned cpu)
{
    ASSERT(cpu < atomic_load(&online));
    return percpus[cpu];
}

unsigned
cpu_count(void)
{
    return atomic_load(&online);
}

void
percpu_init_boot(void)
{
    gdt_load_cpu(&boot_percpu, boot_df_stack + BOOT_DF_STACK_SIZE);
    percpu_set_online(&boot_percpu);
}

void
percpu_set_online(struct percpu *cpu)
{
    unsigned n = atomic_load(&online);

    ASSERT(n < CPU_MAX && cpu->cpu == n);
    percpus[n] = cpu;
    atomic_store(&online, n + 1);
    /* Last: who waits for it may go on to start processor n + 1. */
    atomic_store(&cpu->online, true);
}
