/*
 * topic_fpu.c - one instruction on the CPU, and two vcpus that share its FPU.
 *
 * Where QEMU does less than the manual says, the check is left out for it: it
 * raises no SIMD exceptions, and loads any MXCSR.
 */
#include "entry/bare.h"

#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "vmm/core/fpu.h"
#include "vmm/core/fpu_int.h"
#include "vmm/native_exec.h"

#define FXSAVE_XMM      160
#define XMM_SIZE        16

static struct vcpu a, b;
static uint8_t bounce[64] ALIGNED(16);

static uint32_t
get(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return value;
}

static void
put(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static uint32_t
xmm(const struct vcpu *v, unsigned n)
{
    return get(&v->cpu.fpu[FXSAVE_XMM + n * XMM_SIZE]);
}

static void
reset(struct vcpu *v)
{
    vcpu_reset(v);
    v->cpu.cr0 = CR0_PE | CR0_NE;
    v->cpu.cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (unsigned n = 0; n < GPR_NONE; n++)
        v->cpu.gpr[n] = 0x11111111 * (n + 1);
}

/* --- native_exec() ---------------------------------------------------------*/

/* VEC_ of the exception, or this. */
#define NO_FAULT        UINT8_MAX

static unsigned
execute(const char *bytes, uint32_t size)
{
    struct native_code code = { .size = size };
    uint32_t address;

    memcpy(code.bytes, bytes, size);
    return native_exec(&a, &code, &address) ? NO_FAULT : a.fault.vector;
}

/* BYTES end in ModRM with an absolute address: that of `bounce`. */
static unsigned
execute_on(const char *bytes, uint32_t size, uint32_t value)
{
    struct native_code code = { .size = size + sizeof(uint32_t) };
    uint32_t address;

    put(bounce, value);
    memcpy(code.bytes, bytes, size);
    put(&code.bytes[size], (uint32_t)bounce);
    return native_exec(&a, &code, &address) ? NO_FAULT : a.fault.vector;
}

#define EXECUTE(bytes)              execute(bytes, sizeof(bytes) - 1)
#define EXECUTE_ON(bytes, value)    execute_on(bytes, sizeof(bytes) - 1, value)

static void
check_registers(void)
{
    uint32_t esp = a.cpu.gpr[GPR_ESP], flags = EFLAGS_FIXED | EFLAGS_NT;

    a.cpu.eflags = flags | EFLAGS_CF;
    check("MOVD from ESP", EXECUTE("\x66\x0f\x6e\xc4"), NO_FAULT);
    check("... to XMM0", xmm(&a, 0), esp);
    check("MOVD to ESP", EXECUTE("\x66\x0f\x7e\xdc"), NO_FAULT);
    check("... from XMM3", a.cpu.gpr[GPR_ESP], xmm(&a, 3));
    check("flags stay", a.cpu.eflags, flags | EFLAGS_CF);
    check("COMISS", EXECUTE("\x0f\x2f\xdb"), NO_FAULT);
    check("... and its flags", a.cpu.eflags, flags | EFLAGS_ZF);
    check("other registers", a.cpu.gpr[GPR_EAX] == 0x11111111 &&
          a.cpu.gpr[GPR_EDI] == 0x88888888, true);
}

static void
check_exceptions(void)
{
    check("#UD", EXECUTE("\x0f\x0b"), VEC_UD);
    check("FLDCW", EXECUTE_ON("\xd9\x2d", 0x033b), NO_FAULT);
    check("FLD1", EXECUTE("\xd9\xe8"), NO_FAULT);
    check("FLDZ", EXECUTE("\xd9\xee"), NO_FAULT);
    check("FDIVP by 0 waits", EXECUTE("\xde\xf9"), NO_FAULT);
    check("#MF", EXECUTE("\x9b"), VEC_MF);
    check("FNINIT behind it", EXECUTE("\xdb\xe3"), NO_FAULT);
    if (bare_is_gentle()) {
        skip("#GP");
        skip("#XM");
        return;
    }
    check("#GP", EXECUTE_ON("\x0f\xae\x15", UINT32_MAX), VEC_GP);
    check("LDMXCSR", EXECUTE_ON("\x0f\xae\x15", 0x1d80), NO_FAULT);
    check("MOVSS", EXECUTE_ON("\xf3\x0f\x10\x05", 0x3f800000), NO_FAULT);
    check("#XM", EXECUTE_ON("\xf3\x0f\x5e\x05", 0), VEC_XM);
}

void
topic_native(void)
{
    struct guest_frame before;

    reset(&a);
    bare_frame(NULL);
    before = guest_frame;
    check("FNINIT", EXECUTE("\xdb\xe3"), NO_FAULT);
    check("FILD", EXECUTE_ON("\xdb\x05", 1234), NO_FAULT);
    check("FISTP", EXECUTE_ON("\xdb\x1d", 0), NO_FAULT);
    check("... from memory to memory", get(bounce), 1234);
    check_registers();
    check_exceptions();
    check("guest_frame", memcmp(&before, &guest_frame, sizeof(before)), 0);
    check("interrupts stay off", read_eflags() & EFLAGS_IF, 0);
}

/* --- Who has the FPU -------------------------------------------------------*/

CODE(code_to_xmm, "movd %eax, %xmm3; int $0x81");
CODE(code_from_xmm, "movd %xmm3, %eax; int $0x81");
CODE(code_fnop, "fnop; int $0x81");

/* V's code runs; the vector. */
static unsigned
run(struct vcpu *v, const char *code)
{
    bare_frame(code);
    guest_frame.regs.eax = v->cpu.gpr[GPR_EAX];
    fpu_prepare(v);
    guest_enter();
    v->cpu.gpr[GPR_EAX] = guest_frame.regs.eax;
    return guest_frame.regs.vector;
}

/* VALUE through V's XMM3, with a #NM where there has to be one. */
static void
write_xmm(struct vcpu *v, uint32_t value)
{
    v->cpu.gpr[GPR_EAX] = value;
    if (run(v, code_to_xmm) == VEC_NM && fpu_on_nm(v))
        run(v, code_to_xmm);
}

static uint32_t
read_xmm(struct vcpu *v)
{
    v->cpu.gpr[GPR_EAX] = 0;
    if (run(v, code_from_xmm) == VEC_NM && fpu_on_nm(v))
        run(v, code_from_xmm);
    return v->cpu.gpr[GPR_EAX];
}

static void
switch_world(bool is_kept)
{
    fpu_leave();
    fpu_return(is_kept);
}

static void
check_own_ts(void)
{
    write_xmm(&a, 5);
    a.cpu.cr0 |= CR0_TS;
    check("own TS", run(&a, code_from_xmm), VEC_NM);
    check("... is its own business", fpu_on_nm(&a), false);
    fpu_sync(&a);
    check("... and nothing is lost", xmm(&a, 3), 5);
    a.cpu.cr0 = (a.cpu.cr0 & ~(uint32_t)CR0_TS) | CR0_EM;
    check("own EM", run(&a, code_fnop) == VEC_NM && !fpu_on_nm(&a), true);
    a.cpu.cr0 &= ~(uint32_t)CR0_EM;
    check("both gone", read_xmm(&a), 5);
}

static void
check_cr4(void)
{
    write_xmm(&a, 6);
    a.cpu.cr4 = CR4_TSD | CR4_PSE;
    run(&a, code_fnop);
    check("CR4", read_cr4() & (CR4_GUEST | CR4_PSE | CR4_PAE),
          CR4_TSD | CR4_PAE);
    switch_world(false);
    a.cpu.cr4 = CR4_OSFXSR;
    check("XMM registers without OSFXSR", read_xmm(&a), 6);
}

void
topic_fpu(void)
{
    reset(&a);
    reset(&b);
    check("first use", run(&a, code_to_xmm), VEC_NM);
    write_xmm(&a, 1);
    check("second use", run(&a, code_from_xmm), GUEST_INT_CALLOUT);
    switch_world(true);
    check("kept", run(&a, code_from_xmm), GUEST_INT_CALLOUT);
    switch_world(false);
    check("image", xmm(&a, 3), 1);
    check("not kept", run(&a, code_from_xmm), VEC_NM);
    check("loaded again", read_xmm(&a), 1);
    write_xmm(&b, 2);
    check("one vcpu", read_xmm(&a), 1);
    check("the other", read_xmm(&b), 2);
    write_xmm(&a, 3);
    check("native_exec()", EXECUTE("\x0f\x28\xc3"), NO_FAULT);
    check("... sees what code left", xmm(&a, 0), 3);
    put(&a.cpu.fpu[FXSAVE_XMM + 3 * XMM_SIZE], 4);
    check("... and code what is in the image", read_xmm(&a), 4);
    check_own_ts();
    check_cr4();
    put(&b.cpu.fpu[FXSAVE_MXCSR], UINT32_MAX);
    fpu_forget();
    check("an MXCSR that cannot be", fpu_on_nm(&b), true);
}
