/*
 * native.c - single instructions on the CPU, as the interpreter wants them
 * (native_exec.h): in a page of their own, followed by a trap.
 */
#include <string.h>
#include <sys/mman.h>

#include "kernel/base/addr.h"
#include "lockstep/config.h"
#include "vmm/native_exec.h"

#define FLAGS_ARITH_DF  (EFLAGS_CF | EFLAGS_PF | EFLAGS_AF | EFLAGS_ZF | \
                         EFLAGS_SF | EFLAGS_DF | EFLAGS_OF)

static const uint8_t ud2[] = { 0x0f, 0x0b };

static uint8_t *
code_page(void)
{
    static uint8_t page[PAGE_SIZE] ALIGNED(4096);
    static bool is_ready;

    if (!is_ready)
        mprotect(page, sizeof(page), PROT_READ | PROT_WRITE | PROT_EXEC);
    is_ready = true;
    return page;
}

void
native_sync(struct vcpu *v)
{
    (void)v;
}

bool
native_exec(struct vcpu *v, const struct native_code *code, uint32_t *address)
{
    uint8_t *page = code_page();
    struct machine m;

    *address = (uint32_t)page;
    memcpy(page, code->bytes, code->size);
    memcpy(page + code->size, ud2, sizeof(ud2));
    memcpy(m.gpr, v->cpu.gpr, sizeof(m.gpr));
    memcpy(m.fpu, v->cpu.fpu, sizeof(m.fpu));
    m.eflags = v->cpu.eflags & FLAGS_ARITH_DF;
    m.eip = (uint32_t)page;
    segments_load_host(&m);
    machine_run(&m);
    memcpy(v->cpu.fpu, m.fpu, sizeof(m.fpu));
    if (m.eip != (uint32_t)page + code->size) {
        if (m.vector == VEC_GP)
            return vcpu_fault_error(v, VEC_GP, 0);
        return vcpu_fault(v, (enum exception_vector)m.vector);
    }
    memcpy(v->cpu.gpr, m.gpr, sizeof(m.gpr));
    v->cpu.eflags = (v->cpu.eflags & ~FLAGS_ARITH_DF) |
                    (m.eflags & FLAGS_ARITH_DF);
    return true;
}
