/*
 * interpret.c - --interp: vmm/interp runs the program.
 *
 * The virtual CPU is in protected mode without paging, at CPL 3, with segments
 * like Linux's: the selectors of the machine's flat code and data segments,
 * and those that set_thread_area() fills, stand in a GDT of ours.  There is no
 * IDT, so each software interrupt is a #GP that names its vector: 80 is a
 * system call, and everything else ends the program by a signal.
 */
#include "tests/btrun/interpret.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernel/x86/descriptor.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/linux.h"
#include "tests/btrun/options.h"
#include "tests/unit/fake_native.h"
#include "vmm/guest_port.h"
#include "vmm/interp/interp.h"

#define USER_RING   3
#define GDT_COUNT   32u
#define ALL_PAGES   0xfffffu
#define INT_SIZE    2
#define EXT_IDT     BIT(1)      /* of an error code: the index is a vector */
#define INT_LINUX   0x80

static struct vcpu vcpu;
static struct interp interp;
static struct segdesc gdt[GDT_COUNT];
static struct sigaction for_native[NSIG];

static uint32_t
code_selector(void)
{
    uint16_t selector;

    __asm__("mov %%cs, %0" : "=r"(selector));
    return selector;
}

static uint32_t
data_selector(void)
{
    uint16_t selector;

    __asm__("mov %%ds, %0" : "=r"(selector));
    return selector;
}

static void
set_segment(enum segment number, uint32_t selector, unsigned type)
{
    struct guest_segment *s = &vcpu.cpu.segment[number];
    struct segdesc *d = &gdt[selector >> SEL_INDEX_SHIFT];

    *d = (struct segdesc)SEGDESC_PAGES(0u, ALL_PAGES, type, USER_RING);
    *s = (struct guest_segment){
        .selector = (uint16_t)selector, .limit = UINT32_MAX,
        .rights = (uint16_t)(RIGHTS_P | RIGHTS_S | RIGHTS_DB | RIGHTS_G |
                             RIGHTS_DPL | type),
    };
}

void
interpret_set_segment(uint32_t number, uint32_t base)
{
    if (number < GDT_COUNT)
        gdt[number] = (struct segdesc)SEGDESC_PAGES(
            base, ALL_PAGES, SEG_DATA_W | SEG_ACCESSED, USER_RING);
}

/* Signals belong to single instructions that the CPU executes for us. */
static void
pass_signal(int number, siginfo_t *info, void *context)
{
    const ucontext_t *uc = context;
    uint32_t at = (uint32_t)uc->uc_mcontext.gregs[REG_EIP] - NATIVE_BASE;

    if (at < NATIVE_SIZE) {
        for_native[number].sa_sigaction(number, info, context);
    } else {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void
take_signals(void)
{
    static const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

    native_frame();
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        struct sigaction *old = &for_native[numbers[i]], new;

        sigaction(numbers[i], NULL, old);
        new = *old;
        new.sa_sigaction = pass_signal;
        sigaction(numbers[i], &new, NULL);
    }
}

static void
start(void)
{
    struct guest_cpu *cpu = &vcpu.cpu;
    static const enum segment data[] = { SEG_SS, SEG_DS, SEG_ES };

    vcpu_reset(&vcpu);
    cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu->cpl = USER_RING;
    cpu->segment[SEG_FS] = cpu->segment[SEG_GS] = (struct guest_segment){ 0 };
    set_segment(SEG_CS, code_selector(), SEG_CODE | SEG_CODE_R | SEG_ACCESSED);
    for (unsigned i = 0; i < ARRAY_LEN(data); i++)
        set_segment(data[i], data_selector(), SEG_DATA_W | SEG_ACCESSED);
    cpu->gdtr = (struct guest_table){ (uint32_t)gdt, sizeof(gdt) - 1 };
    cpu->idtr = (struct guest_table){ 0, 0 };
    vcpu_derive_segments(&vcpu);
    memcpy(cpu->fpu, guest.fpu, sizeof(cpu->fpu));
    memcpy(cpu->gpr, guest.gpr, sizeof(guest.gpr));
    cpu->eip = guest.eip;
    cpu->eflags = guest.eflags;
    interp_init(&interp, &vcpu);
    take_signals();
}

static void
serve_syscall(void)
{
    vcpu.cpu.eip += INT_SIZE;
    guest.eip = vcpu.cpu.eip;
    memcpy(guest.gpr, vcpu.cpu.gpr, sizeof(guest.gpr));
    linux_syscall();
    memcpy(vcpu.cpu.gpr, guest.gpr, sizeof(guest.gpr));
    vcpu.memory_generation++;
}

NORETURN static void
end_by_signal(void)
{
    int number = vcpu.fault.vector == VEC_DE ? SIGFPE
                 : vcpu.fault.vector == VEC_UD ? SIGILL : SIGSEGV;

    fprintf(stderr, "btrun: exception %u at %#x, address %#x\n",
            vcpu.fault.vector, vcpu.cpu.eip, gla_raw(vcpu.fault.address));
    signal(number, SIG_DFL);
    raise(number);
    die("signal %d did not end the program", number);
}

void
interpret_run(void)
{
    start();
    for (;;) {
        const struct guest_fault *f = &vcpu.fault;

        switch (interp_run(&vcpu, UINT64_MAX)) {
        case INTERP_OK:
            break;
        case INTERP_FAULT:
            if (f->vector != VEC_GP ||
                f->error != (INT_LINUX << SEL_INDEX_SHIFT | EXT_IDT))
                end_by_signal();
            serve_syscall();
            break;
        case INTERP_REFUSED:
            die("at %#x: %s", vcpu.cpu.eip, interp.refusal);
        default:
            die("the virtual CPU stopped at %#x", vcpu.cpu.eip);
        }
    }
}

void
interpret_report(void)
{
    fprintf(stderr, "btrun: %llu instructions interpreted\n",
            (unsigned long long)vcpu.instructions);
}

/* --- vmm/guest_port.h: what user code can reach of it ----------------------*/

uint32_t
guest_port_in(UNUSED struct vcpu *v, UNUSED uint16_t port,
              UNUSED unsigned size)
{
    return UINT32_MAX;
}

void
guest_port_out(UNUSED struct vcpu *v, UNUSED uint16_t port,
               UNUSED unsigned size, UNUSED uint32_t value)
{
}

bool
guest_msr_read(UNUSED struct vcpu *v, UNUSED uint32_t msr,
               UNUSED uint64_t *value)
{
    return false;
}

bool
guest_msr_write(UNUSED struct vcpu *v, UNUSED uint32_t msr,
                UNUSED uint64_t value)
{
    return false;
}

/* Whoever asks, what `guest` holds at that time is not in use. */
void
guest_cpuid(UNUSED struct vcpu *v, uint32_t leaf, uint32_t subleaf,
            struct cpuid_leaf *out)
{
    guest.gpr[GPR_EAX] = leaf;
    guest.gpr[GPR_ECX] = subleaf;
    linux_cpuid();
    *out = (struct cpuid_leaf){ guest.gpr[GPR_EAX], guest.gpr[GPR_EBX],
                                guest.gpr[GPR_ECX], guest.gpr[GPR_EDX] };
}

uint64_t
guest_machine_tsc(UNUSED struct vcpu *v)
{
    return __builtin_ia32_rdtsc();
}

void
guest_fpu_error(UNUSED struct vcpu *v)
{
}
