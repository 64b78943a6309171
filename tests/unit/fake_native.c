/*
 * fake_native.c - one instruction on the real CPU, by code made at run time.
 *
 *      NATIVE_BASE         struct native_frame
 *      NATIVE_BASE+0x1000  enter: save the host, load the frame, jump
 *      NATIVE_CODE         the instruction; jmp leave, or breakpoints
 *      NATIVE_BASE+0x1c00  leave: store the frame
 *                          leave_host: host stack, flags, FPU, return
 */
#include "unit/fake_native.h"

#include <asm/ldt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernel/x86/descriptor.h"
#include "vmm/native_exec.h"

#define ENTER       (NATIVE_BASE + 0x1000)
#define LEAVE       (NATIVE_BASE + 0x1c00)
#define PAGES_CODE  0x2000
#define INT3        0xcc
#define ARITH       0x8d5u              /* OF SF ZF AF PF CF */

/* The i386 kernel's order of registers in a signal frame. */
enum {
    GREG_EDI = 4, GREG_ESI, GREG_EBP, GREG_ESP, GREG_EBX, GREG_EDX, GREG_ECX,
    GREG_EAX, GREG_TRAPNO, GREG_ERR, GREG_EIP, GREG_EFL = 16
};
#define EFLAGS_HOST 0x202

static struct native_frame *frame;
static uint8_t *cursor;
static uint32_t leave_host;

static uint8_t *
at(uint32_t address)
{
    return (uint8_t *)(uintptr_t)address;
}

static void
emit(const char *bytes, size_t size)
{
    memcpy(cursor, bytes, size);
    cursor += size;
}

static void
emit32(uint32_t value)
{
    memcpy(cursor, &value, sizeof(value));
    cursor += sizeof(value);
}

#define FIELD_AT(field) \
    (NATIVE_BASE + (uint32_t)offsetof(struct native_frame, field))

/* An instruction whose last four bytes are the address of a field. */
#define EMIT(bytes, field) \
    (emit(bytes, sizeof(bytes) - 1), emit32(FIELD_AT(field)))

/* MOV of register N: 8B loads, 89 stores; ModRM is [disp32]. */
static void
emit_mov(uint8_t opcode, unsigned n)
{
    char bytes[] = { (char)opcode, (char)(n << 3 | 5) };

    emit(bytes, sizeof(bytes));
    emit32(FIELD_AT(gpr) + 4 * n);
}

static void
emit_jmp(uint32_t target)
{
    emit("\xe9", 1);
    emit32(target - (uint32_t)(uintptr_t)cursor - 4);
}

static void
make_code(void)
{
    memset(at(ENTER), INT3, PAGES_CODE);
    cursor = at(ENTER);
    emit("\x60\x9c", 2);                        /* pusha; pushf */
    EMIT("\x89\x25", host_esp);                 /* mov %esp, host_esp */
    EMIT("\x0f\xae\x05", host_fpu);             /* fxsave */
    EMIT("\x0f\xae\x0d", fpu);                  /* fxrstor */
    EMIT("\x8e\x25", fs);
    EMIT("\xff\x35", eflags);                   /* push; popf */
    emit("\x9d", 1);
    for (unsigned n = 0; n < GPR_NONE; n++)
        emit_mov(0x8b, n);
    emit_jmp(NATIVE_CODE);

    cursor = at(LEAVE);
    for (unsigned n = 0; n < GPR_NONE; n++)
        emit_mov(0x89, n);
    EMIT("\x8b\x25", host_esp);
    emit("\x9c", 1);                            /* pushf; pop eflags */
    EMIT("\x8f\x05", eflags);
    leave_host = (uint32_t)(uintptr_t)cursor;
    EMIT("\x8b\x25", host_esp);
    EMIT("\x0f\xae\x05", fpu);
    EMIT("\x0f\xae\x0d", host_fpu);
    emit("\x9d\x61\xc3", 3);                    /* popf; popa; ret */
}

static void
on_signal(int number, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    greg_t *g = uc->uc_mcontext.gregs;
    static const uint8_t order[] = {
        GREG_EAX, GREG_ECX, GREG_EDX, GREG_EBX,
        GREG_ESP, GREG_EBP, GREG_ESI, GREG_EDI,
    };

    (void)number;
    for (unsigned n = 0; n < GPR_NONE; n++)
        frame->gpr[n] = (uint32_t)g[order[n]];
    frame->eflags = (uint32_t)g[GREG_EFL];
    frame->eip = (uint32_t)g[GREG_EIP];
    frame->vector = (uint32_t)g[GREG_TRAPNO];
    frame->error = (uint32_t)g[GREG_ERR];
    frame->cr2 = (uint32_t)(uintptr_t)info->si_addr;
    frame->has_fault = frame->vector != VEC_BP;
    if (!frame->has_fault)
        frame->eip--;
    g[GREG_EIP] = (greg_t)leave_host;
    g[GREG_EFL] = EFLAGS_HOST;
}

void
native_catch_signals(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
    static uint8_t stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
    struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK |
                                            SA_NODEFER };

    action.sa_sigaction = on_signal;
    sigaltstack(&alternate, NULL);
    for (size_t n = 0; n < ARRAY_LEN(signals); n++)
        sigaction(signals[n], &action, NULL);
}

struct native_frame *
native_frame(void)
{
    void *pages;

    if (frame != NULL || sizeof(void *) > sizeof(uint32_t))
        return frame;
    pages = mmap(at(NATIVE_BASE), NATIVE_SIZE,
                 PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (pages != at(NATIVE_BASE))
        abort();
    mprotect(at(NATIVE_DATA), NATIVE_FAULT - NATIVE_DATA,
             PROT_READ | PROT_WRITE);
    mprotect(at(NATIVE_FAULT), NATIVE_BASE + NATIVE_SIZE - NATIVE_FAULT,
             PROT_NONE);
    frame = pages;
    make_code();
    native_catch_signals();
    return frame;
}

void
native_set_fs(const struct guest_segment *fs)
{
    static struct user_desc d = { .entry_number = (unsigned)-1 };
    bool is_down = (fs->rights & SEG_DATA_E) != 0;

    d.base_addr = fs->base;
    d.limit = fs->limit;
    d.seg_32bit = d.useable = 1;
    d.contents = is_down ? MODIFY_LDT_CONTENTS_STACK
                         : MODIFY_LDT_CONTENTS_DATA;
    d.read_exec_only = (fs->rights & SEG_DATA_W) == 0;
    if (syscall(SYS_set_thread_area, &d) != 0)
        abort();
    frame->fs = d.entry_number << SEL_INDEX_SHIFT | SEL_RPL;
}

void
native_run(const uint8_t *code, unsigned size, bool is_branch)
{
    union {
        uint8_t *address;
        void (*call)(void);
    } enter = { .address = at(ENTER) };

    memset(at(NATIVE_CODE), INT3, 32);
    memcpy(at(NATIVE_CODE), code, size);
    cursor = at(NATIVE_CODE) + size;
    if (!is_branch)
        emit_jmp(LEAVE);
    frame->has_fault = 0;
    frame->eip = NATIVE_CODE + size;
    enter.call();
    /* Where a branch went there may be nothing: that is the next fault. */
    if (is_branch && frame->vector == VEC_PF && frame->cr2 == frame->eip &&
        frame->eip != NATIVE_CODE)
        frame->has_fault = 0;
}

void
native_sync(struct vcpu *v)
{
    (void)v;
}

bool
native_exec(struct vcpu *v, const struct native_code *code,
            uint32_t *address)
{
    struct native_frame *f = native_frame();

    *address = NATIVE_CODE;
    if (f == NULL)
        return vcpu_fault(v, VEC_UD);
    memcpy(f->fpu, v->cpu.fpu, FXSAVE_SIZE);
    memcpy(f->gpr, v->cpu.gpr, sizeof(f->gpr));
    f->eflags = (v->cpu.eflags & ARITH) | EFLAGS_HOST;
    native_run(code->bytes, code->size, false);
    memcpy(v->cpu.fpu, f->fpu, FXSAVE_SIZE);
    if (f->has_fault) {
        if (f->vector == VEC_GP)
            return vcpu_fault_error(v, VEC_GP, 0);
        return vcpu_fault(v, (enum exception_vector)f->vector);
    }
    memcpy(v->cpu.gpr, f->gpr, sizeof(f->gpr));
    v->cpu.eflags = (v->cpu.eflags & ~ARITH) | (f->eflags & ARITH);
    return true;
}
