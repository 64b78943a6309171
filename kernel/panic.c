/*
 * panic.c - the report at the end of the machine.
 *
 * The first processor that panics prints; all others are stopped by NMI and
 * stay stopped.  A panic within the report (a second fault, say) prints one
 * line and halts.  Nothing here takes a lock or allocates: the console writes
 * by polling from the first line on.
 */
#include "kernel/panic.h"

#include "kernel/backtrace.h"
#include "kernel/base/assert.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/trap.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "kernel/x86/paging.h"

#define REPORTERS_MAX   8u
#define LINE_SIZE       160u
#define GUARD_NAME_SIZE 32u

static uint32_t panicking;
static unsigned reporter_count;
static void (*reporters[REPORTERS_MAX])(void);
static bool (*find_guard)(uint32_t addr, char *name, size_t size);
static const struct panic_output *output;

/* Registers as they were where things went wrong. */
struct panic_regs {
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, eip, eflags;
    uint32_t cs, ds, es, fs, gs, ss;
};

void
panic_add_reporter(void (*report)(void))
{
    ASSERT(reporter_count < REPORTERS_MAX);
    reporters[reporter_count++] = report;
}

void
panic_set_guard_finder(bool (*find)(uint32_t addr, char *name, size_t size))
{
    find_guard = find;
}

void
panic_set_output(const struct panic_output *o)
{
    output = o;
}

void
panic_print(const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;

    va_start(args, format);
    format_buf_args(line, sizeof(line), format, args);
    va_end(args);
    if (output != NULL) {
        output->write(line, strlen(line));
        output->write("\n", 1);
    }
}

NORETURN static void
halt_forever(void)
{
    for (;;) {
        cli();
        hlt();
    }
}

/* Win the right to report, stop everybody else, switch to polled output. */
static void
begin_report(void)
{
    cli();
    if (atomic_exchange(&panicking, 1) != 0) {
        if (PERCPU(in_panic))
            panic_print("panic within the panic report; halted");
        halt_forever();
    }
    PERCPU(in_panic) = true;
    smp_stop_others();
    if (output != NULL)
        output->enter();
    panic_print("%s", "");
}

static void
print_registers(const struct panic_regs *r)
{
    panic_print("eip=%08x esp=%08x ebp=%08x eflags=%08x", r->eip, r->esp,
                r->ebp, r->eflags);
    panic_print("eax=%08x ebx=%08x ecx=%08x edx=%08x", r->eax, r->ebx,
                r->ecx, r->edx);
    panic_print("esi=%08x edi=%08x cr0=%08x cr2=%08x", r->esi, r->edi,
                read_cr0(), read_cr2());
    panic_print("cr3=%08x cr4=%08x cs=%04x ds=%04x es=%04x fs=%04x gs=%04x "
                "ss=%04x", read_cr3(), read_cr4(), r->cs & 0xffff,
                r->ds & 0xffff, r->es & 0xffff, r->fs & 0xffff,
                r->gs & 0xffff, r->ss & 0xffff);
}

/*
 * A return address may lie behind the end of its function, if that ended with
 * a call that does not return; the byte before it never does.
 */
static void
print_frame(uint32_t eip, unsigned times)
{
    uint32_t offset = 0;
    const char *name = symtab_lookup(eip - 1, &offset);

    if (name == NULL)
        panic_print("  %08x ?", eip);
    else if (times == 1)
        panic_print("  %08x %s+%#x", eip, name, offset + 1);
    else
        panic_print("  %08x %s+%#x, %u times", eip, name, offset + 1, times);
}

/*
 * EIP itself, then the return addresses of the frames from EBP on; the same
 * one many times in a row, as a runaway recursion leaves it, is one line.
 */
static void
print_backtrace(uint32_t eip, uint32_t ebp)
{
    uint32_t eips[BACKTRACE_MAX];
    char name[LINE_SIZE / 2];
    unsigned count = backtrace(ebp, eips, BACKTRACE_MAX);
    unsigned next;

    panic_print("backtrace (addr2line -fe build/vmkernel.elf ADDRESS):");
    if (eip != 0) {
        symtab_format(eip, name, sizeof(name));
        panic_print("  %08x %s", eip, name);
    }
    for (unsigned i = 0; i < count; i = next) {
        for (next = i + 1; next < count && eips[next] == eips[i]; next++)
            continue;
        if (eips[i] != 0)
            print_frame(eips[i], next - i);
    }
}

NORETURN static void
end_report(void)
{
    for (unsigned i = 0; i < reporter_count; i++)
        reporters[i]();
    panic_print("The machine is halted.  Reset it to start again.");
    halt_forever();
}

static void
print_guard_hit(uint32_t addr)
{
    char name[GUARD_NAME_SIZE];

    if (find_guard != NULL && find_guard(addr, name, sizeof(name)))
        panic_print("STACK OVERFLOW: %08x is in the guard page of the stack "
                    "of %s", addr, name);
}

void
panic(const char *format, ...)
{
    char reason[LINE_SIZE];
    va_list args;

    begin_report();
    va_start(args, format);
    format_buf_args(reason, sizeof(reason), format, args);
    va_end(args);
    panic_print("PANIC on CPU %u: %s", PERCPU(cpu), reason);
    print_backtrace(0, read_ebp());
    end_report();
}

void
panic_trap(const struct trapframe *f)
{
    struct panic_regs regs = {
        .eax = f->eax, .ebx = f->ebx, .ecx = f->ecx, .edx = f->edx,
        .esi = f->esi, .edi = f->edi, .ebp = f->ebp, .eip = f->eip,
        .esp = (uint32_t)&f->esp, .eflags = f->eflags, .cs = f->cs,
        .ds = f->ds, .es = f->es, .fs = f->fs, .gs = f->gs, .ss = read_ss()
    };

    begin_report();
    panic_print("PANIC on CPU %u: %s, error code %#x", PERCPU(cpu),
                exception_name(f->vector), f->error);
    if (f->vector == VEC_PF) {
        panic_print("%s of address %08x, which %s",
                    f->error & PF_ERR_I ? "fetch" :
                    f->error & PF_ERR_W ? "write" : "read", read_cr2(),
                    f->error & PF_ERR_P ? "is protected" : "is not mapped");
        print_guard_hit(read_cr2());
    }
    print_registers(&regs);
    print_backtrace(f->eip, f->ebp);
    end_report();
}

/* Runs as the double fault's task: what failed is in the ordinary TSS. */
void
double_fault(void)
{
    const struct tss *t = PERCPU(tss);
    struct panic_regs regs = {
        .eax = t->eax, .ebx = t->ebx, .ecx = t->ecx, .edx = t->edx,
        .esi = t->esi, .edi = t->edi, .ebp = t->ebp, .esp = t->esp,
        .eip = t->eip, .eflags = t->eflags, .cs = t->cs, .ds = t->ds,
        .es = t->es, .fs = t->fs, .gs = t->gs, .ss = t->ss
    };

    begin_report();
    panic_print("PANIC on CPU %u: %s", PERCPU(cpu),
                exception_name(VEC_DF));
    print_guard_hit(read_cr2());
    print_registers(&regs);
    print_backtrace(t->eip, t->ebp);
    end_report();
}

void
assert_failed(const char *what, const char *file, unsigned line)
{
    begin_report();
    panic_print("PANIC on CPU %u: assertion failed: %s", PERCPU(cpu), what);
    panic_print("at %s:%u", file, line);
    print_backtrace(0, read_ebp());
    end_report();
}
