/*
 * native_exec.c - one instruction of the guest's on the CPU: native_exec.h.
 *
 * It runs in ring 1, on flat segments, with interrupts masked: its page tables
 * are the monitor's, as the bounce buffer is, but an exception of its changes
 * stacks - its own stack pointer is the guest's - and arrives as one of guest
 * code does.  So guest_enter() is all that is needed.  An INT3 behind the
 * instruction says that it is done.  The two segments exist only meanwhile.
 *
 * Code is kept in slots that are found by what is in them: whoever loops over
 * an instruction that has to be interpreted does not rewrite it each time.
 * They lie apart as far as what processors and emulators translate anew at a
 * write (64 bytes), in the one page of the monitor's data that is executable.
 *
 * Called by the interpreter; guest_frame is as it was before when it returns.
 */
#include "vmm/core/native_exec.h"

#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/paging.h"
#include "vmm/core/fpu.h"
#include "vmm/core/guest_enter.h"
#include "vmm/core/monitor.h"
#include "vmm/layout.h"
#include "vmm/native_exec.h"

#define RING1           1u
#define OPCODE_INT3     0xccu
#define FLAGS_ARITH     (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_OF)

#define SLOT_SIZE       64u
#define SLOTS           64u
/* The hash FNV-1a. */
#define FNV_BASIS       2166136261u
#define FNV_PRIME       16777619u

static uint8_t slot[SLOTS][SLOT_SIZE] ALIGNED(4096);
STATIC_ASSERT(sizeof(slot) == PAGE_SIZE && NATIVE_CODE_MAX < SLOT_SIZE);

static unsigned
hash(const struct native_code *code)
{
    uint32_t h = FNV_BASIS;

    for (uint32_t n = 0; n < code->size; n++)
        h = (h ^ code->bytes[n]) * FNV_PRIME;
    return (h ^ h >> 16) % SLOTS;
}

/* A slot with CODE and an INT3. */
static const uint8_t *
place(const struct native_code *code)
{
    uint8_t *s = slot[hash(code)];

    ASSERT(code->size <= NATIVE_CODE_MAX);
    if (memcmp(s, code->bytes, code->size) != 0 ||
        s[code->size] != OPCODE_INT3) {
        memcpy(s, code->bytes, code->size);
        s[code->size] = OPCODE_INT3;
    }
    return s;
}

void
native_exec_init(void)
{
    pte_t *entry = (pte_t *)VMM_TABLE_AT + pt_index((uint32_t)slot);

    *entry &= ~PTE_NX;
    invlpg((uint32_t)slot);
}

/* --- Ring 1 ----------------------------------------------------------------*/

static void
open_ring1(void)
{
    static const struct segdesc code =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_CODE | SEG_CODE_R | SEG_ACCESSED,
                      RING1);
    static const struct segdesc data =
        SEGDESC_PAGES(0, SEG_LIMIT_4GB, SEG_DATA_W | SEG_ACCESSED, RING1);

    gdt_set(VMM_SEL_NATIVE_CODE, &code);
    gdt_set(VMM_SEL_NATIVE_DATA, &data);
}

static void
close_ring1(void)
{
    static const struct segdesc none;

    gdt_set(VMM_SEL_NATIVE_CODE, &none);
    gdt_set(VMM_SEL_NATIVE_DATA, &none);
}

static void
load_frame(const struct vcpu *v, uint32_t eip)
{
    struct trapframe *frame = &guest_frame.regs;

    monitor_load_gprs(v, frame);
    frame->eip = eip;
    frame->eflags = (v->cpu.eflags & FLAGS_ARITH) | EFLAGS_FIXED;
    frame->cs = VMM_SEL_NATIVE_CODE;
    frame->ss = frame->ds = frame->es = VMM_SEL_NATIVE_DATA;
    frame->fs = frame->gs = 0;
}

/* False: it is not the INT3 at END that we came by. */
static bool
store_frame(struct vcpu *v, uint32_t end)
{
    const struct trapframe *frame = &guest_frame.regs;

    ASSERT(!guest_frame.is_refused && !guest_frame.is_lost);
    if (frame->vector == VEC_GP)
        return vcpu_fault_error(v, VEC_GP, 0);
    if (frame->vector != VEC_BP || frame->eip != end + 1)
        return vcpu_fault(v, frame->vector);
    monitor_store_gprs(v, frame);
    v->cpu.eflags = (v->cpu.eflags & ~(uint32_t)FLAGS_ARITH) |
                    (frame->eflags & FLAGS_ARITH);
    return true;
}

bool
native_exec(struct vcpu *v, const struct native_code *code, uint32_t *address)
{
    struct guest_frame before = guest_frame;
    uint32_t flags = irq_save();
    bool is_done;

    *address = (uint32_t)place(code);
    load_frame(v, *address);
    open_ring1();
    fpu_lend(v);
    guest_enter();
    fpu_take_back(v);
    close_ring1();
    is_done = store_frame(v, *address + code->size);
    guest_frame = before;
    irq_restore(flags);
    return is_done;
}

void
native_sync(struct vcpu *v)
{
    fpu_sync(v);
}
