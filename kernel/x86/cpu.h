/*
 * cpu.h - the instructions that C has no words for.
 *
 * With atomic.h this is the only place of the project with inline assembly.
 * Names are the mnemonics where one instruction is meant.  Anything with a
 * "memory" clobber is also a compiler barrier.
 */
#ifndef KERNEL_X86_CPU_H
#define KERNEL_X86_CPU_H

#include "kernel/base/types.h"
#include "kernel/x86/descriptor.h"
#include "kernel/x86/regs.h"

#define READ_REGISTER(name)                                               \
    static inline uint32_t                                                \
    read_##name(void)                                                     \
    {                                                                     \
        uint32_t v;                                                       \
        __asm__ volatile("mov %%" #name ", %0" : "=r"(v));                \
        return v;                                                         \
    }
#define WRITE_REGISTER(name)                                              \
    static inline void                                                    \
    write_##name(uint32_t v)                                              \
    {                                                                     \
        __asm__ volatile("mov %0, %%" #name : : "r"(v) : "memory");       \
    }
READ_REGISTER(cr0)
READ_REGISTER(cr2)
READ_REGISTER(cr3)
READ_REGISTER(cr4)
READ_REGISTER(dr6)
READ_REGISTER(dr7)
READ_REGISTER(cs)
READ_REGISTER(ss)
READ_REGISTER(ds)
READ_REGISTER(es)
READ_REGISTER(fs)
READ_REGISTER(gs)
READ_REGISTER(ebp)
READ_REGISTER(esp)
WRITE_REGISTER(cr0)
WRITE_REGISTER(cr3)
WRITE_REGISTER(cr4)
WRITE_REGISTER(ds)
WRITE_REGISTER(es)
WRITE_REGISTER(fs)
WRITE_REGISTER(gs)
WRITE_REGISTER(ss)
#undef READ_REGISTER
#undef WRITE_REGISTER

static inline uint32_t
read_eflags(void)
{
    uint32_t flags;

    __asm__ volatile("pushfl; popl %0" : "=r"(flags) : : "memory");
    return flags;
}

static inline void
write_eflags(uint32_t flags)
{
    __asm__ volatile("pushl %0; popfl" : : "r"(flags) : "memory", "cc");
}

static inline void
cli(void)
{
    __asm__ volatile("cli" : : : "memory");
}

static inline void
sti(void)
{
    __asm__ volatile("sti" : : : "memory");
}

/* Allow interrupts and halt, with no gap in which one could be missed. */
static inline void
sti_hlt(void)
{
    __asm__ volatile("sti; hlt" : : : "memory");
}

static inline void
hlt(void)
{
    __asm__ volatile("hlt" : : : "memory");
}

/* Mask interrupts; irq_restore() of the result brings back what was. */
static inline uint32_t
irq_save(void)
{
    uint32_t flags = read_eflags();

    cli();
    return flags;
}

static inline void
irq_restore(uint32_t flags)
{
    if (flags & EFLAGS_IF)
        sti();
}

static inline void
cpu_pause(void)
{
    __asm__ volatile("pause" : : : "memory");
}

static inline void
compiler_barrier(void)
{
    __asm__ volatile("" : : : "memory");
}

static inline uint64_t
rdtsc(void)
{
    uint64_t v;

    __asm__ volatile("rdtsc" : "=A"(v) : : "memory");
    return v;
}

/* Unknown MSRs fault (#GP) on real CPUs: ask CPUID first. */
static inline uint64_t
rdmsr(uint32_t msr)
{
    uint64_t v;

    __asm__ volatile("rdmsr" : "=A"(v) : "c"(msr) : "memory");
    return v;
}

static inline void
wrmsr(uint32_t msr, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(msr), "A"(v) : "memory");
}

struct cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};

static inline void
cpuid(uint32_t leaf, uint32_t subleaf, struct cpuid_regs *out)
{
    __asm__ volatile("cpuid"
                     : "=a"(out->eax), "=b"(out->ebx), "=c"(out->ecx),
                       "=d"(out->edx)
                     : "a"(leaf), "c"(subleaf));
}

static inline void
invlpg(uint32_t linear)
{
    __asm__ volatile("invlpg (%0)" : : "r"(linear) : "memory");
}

static inline void
wbinvd(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

static inline void
lgdt(const struct table_register *t)
{
    __asm__ volatile("lgdt %0" : : "m"(*t) : "memory");
}

static inline void
lidt(const struct table_register *t)
{
    __asm__ volatile("lidt %0" : : "m"(*t) : "memory");
}

static inline void
sidt(struct table_register *t)
{
    __asm__ volatile("sidt %0" : "=m"(*t) : : "memory");
}

static inline void
lldt(uint16_t selector)
{
    __asm__ volatile("lldt %0" : : "r"(selector) : "memory");
}

static inline void
ltr(uint16_t selector)
{
    __asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/* Allow FPU instructions: CR0.TS = 0. */
static inline void
clts(void)
{
    __asm__ volatile("clts" : : : "memory");
}

/* IMAGE: 512 bytes at a multiple of 16.  CR0.TS must be 0. */
static inline void
fxsave(void *image)
{
    __asm__ volatile("fxsave (%0)" : : "r"(image) : "memory");
}

/* ... and no bit of its MXCSR set that the processor has not. */
static inline void
fxrstor(const void *image)
{
    __asm__ volatile("fxrstor (%0)" : : "r"(image) : "memory");
}

/*
 * Make the x87's pointers those of an instruction of ours.  FXRSTOR leaves them
 * alone on some CPUs unless an error is pending: AMD APM 2 11.4.4.
 */
static inline void
x87_clear_pointers(void)
{
    static const uint32_t zero;

    __asm__ volatile("fnclex; emms; fildl %0" : : "m"(zero));
}

/* Make CS be SELECTOR, which names the same flat code segment. */
static inline void
load_code_selector(uint16_t selector)
{
    __asm__ volatile("pushl %0; pushl $1f; lretl; 1:"
                     : : "r"((uint32_t)selector) : "memory");
}

/* End the machine's patience: an empty IDT makes any trap a triple fault. */
NORETURN static inline void
triple_fault(void)
{
    static const struct table_register empty;

    lidt(&empty);
    __asm__ volatile("int3");
    __builtin_unreachable();
}

#define PORT_IO(bits, suffix, type)                                       \
    static inline type                                                    \
    in##bits(uint16_t port)                                               \
    {                                                                     \
        type v;                                                           \
        __asm__ volatile("in" suffix " %1, %0"                            \
                         : "=a"(v) : "Nd"(port) : "memory");              \
        return v;                                                         \
    }                                                                     \
    static inline void                                                    \
    out##bits(uint16_t port, type v)                                      \
    {                                                                     \
        __asm__ volatile("out" suffix " %0, %1"                           \
                         : : "a"(v), "Nd"(port) : "memory");              \
    }
PORT_IO(8, "b", uint8_t)
PORT_IO(16, "w", uint16_t)
PORT_IO(32, "l", uint32_t)
#undef PORT_IO

/* Device registers in memory: exactly one access of the width named. */
#define MMIO_ACCESS(bits)                                                 \
    static inline uint##bits##_t                                          \
    mmio_read##bits(const void *addr)                                     \
    {                                                                     \
        return *(const volatile uint##bits##_t *)addr;                    \
    }                                                                     \
    static inline void                                                    \
    mmio_write##bits(void *addr, uint##bits##_t v)                        \
    {                                                                     \
        *(volatile uint##bits##_t *)addr = v;                             \
    }
MMIO_ACCESS(8)
MMIO_ACCESS(16)
MMIO_ACCESS(32)
#undef MMIO_ACCESS

/* For memcpy and memset: forward, any alignment, the direction flag clear. */
static inline void
copy_forward(void *dst, const void *src, size_t size)
{
    size_t words = size / 4;
    size_t rest = size % 4;

    __asm__ volatile("rep movsl" : "+D"(dst), "+S"(src), "+c"(words)
                     : : "memory");
    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(rest)
                     : : "memory");
}

static inline void
fill_forward(void *dst, uint8_t byte, size_t size)
{
    size_t words = size / 4;
    size_t rest = size % 4;
    uint32_t pattern = byte * 0x01010101u;

    __asm__ volatile("rep stosl" : "+D"(dst), "+c"(words)
                     : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(dst), "+c"(rest)
                     : "a"(pattern) : "memory");
}

#endif
