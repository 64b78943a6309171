/*
 * unicorn.h - Unicorn (QEMU's translator as a library) as one more processor.
 *
 * It delivers no exceptions: one ends the step.  Hidden parts of segments and
 * CPL cannot be set: code that is executed leads there, then the state is saved
 * and restored as a whole; which also forgets the exception before, that would
 * make the next a double fault.  Memory is shared with the caller.
 */
#ifndef TESTS_ORACLE_UNICORN_H
#define TESTS_ORACLE_UNICORN_H

#include <unicorn/unicorn.h>

#include "unit/test.h"
#include "vmm/vcpu.h"

#define UNICORN_NONE    (-1)            /* no exception */
#define UNICORN_MEMORY  (-2)            /* outside of memory */

static struct unicorn {
    uc_engine *engine;
    uc_context *start, *entered;        /* at CPL 0; in the environment */
    uint32_t end;                       /* an address that nothing reaches */
    int vector;
} unicorn;

/* It leaks; not ours to repair. */
const char *__lsan_default_suppressions(void);

const char *
__lsan_default_suppressions(void)
{
    return "leak:libunicorn";
}

static const int unicorn_gpr[GPR_NONE] = {
    UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
    UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI,
};

static const int unicorn_segment[SEG_NONE] = {
    UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS, UC_X86_REG_DS,
    UC_X86_REG_FS, UC_X86_REG_GS,
};

static inline void
unicorn_check(uc_err error)
{
    if (error != UC_ERR_OK)
        fail_msg("unicorn: %s", uc_strerror(error));
}

static inline uint32_t
unicorn_get(int reg)
{
    uint64_t value = 0;

    unicorn_check(uc_reg_read(unicorn.engine, reg, &value));
    return (uint32_t)value;
}

/*
 * Where it stopped between two instructions the base of CS has been added.
 * V: our idea of the state, which settles what is meant.
 */
static inline uint32_t
unicorn_eip(const struct vcpu *v)
{
    uint32_t eip = unicorn_get(UC_X86_REG_EIP);

    return eip == v->cpu.eip + v->cpu.segment[SEG_CS].base ? v->cpu.eip : eip;
}

static inline void
unicorn_set(int reg, uint32_t value)
{
    unicorn_check(uc_reg_write(unicorn.engine, reg, &(uint64_t){ value }));
}

static inline void
unicorn_set_table(int reg, uint32_t base, uint32_t limit)
{
    uc_x86_mmr table = { .base = base, .limit = limit };

    unicorn_check(uc_reg_write(unicorn.engine, reg, &table));
}

static inline void
unicorn_on_interrupt(uc_engine *engine, uint32_t vector, UNUSED void *context)
{
    unicorn.vector = (int)vector;
    uc_emu_stop(engine);
}

static inline bool
unicorn_on_invalid(UNUSED uc_engine *engine, UNUSED void *context)
{
    unicorn.vector = VEC_UD;
    return false;
}

/* Flat, CPL 0, MEMORY at 0; and ALIAS, as linear addresses are looked up. */
static inline void
unicorn_open(uint8_t *memory, uint32_t size, uint32_t alias)
{
    uc_hook hook;

    if (unicorn.engine != NULL)
        uc_close(unicorn.engine);
    unicorn_check(uc_open(UC_ARCH_X86, UC_MODE_32, &unicorn.engine));
    unicorn_check(uc_mem_map_ptr(unicorn.engine, 0, size, UC_PROT_ALL,
                                 memory));
    unicorn_check(uc_mem_map_ptr(unicorn.engine, alias, size, UC_PROT_ALL,
                                 memory));
    unicorn_check(uc_hook_add(unicorn.engine, &hook, UC_HOOK_INTR,
                              (void *)(uintptr_t)unicorn_on_interrupt, NULL,
                              1, 0));
    unicorn_check(uc_hook_add(unicorn.engine, &hook, UC_HOOK_INSN_INVALID,
                              (void *)(uintptr_t)unicorn_on_invalid, NULL,
                              1, 0));
    unicorn_check(uc_context_alloc(unicorn.engine, &unicorn.start));
    unicorn_check(uc_context_alloc(unicorn.engine, &unicorn.entered));
    unicorn.end = size - 1;
}

/* Up to COUNT instructions from EIP; unicorn.vector says how it ended. */
static inline void
unicorn_run(uint32_t eip, size_t count)
{
    uc_err error;

    unicorn.vector = UNICORN_NONE;
    error = uc_emu_start(unicorn.engine, eip, unicorn.end, 0, count);
    if (error != UC_ERR_OK && unicorn.vector == UNICORN_NONE)
        unicorn.vector = UNICORN_MEMORY;
}

static inline void
unicorn_save(uc_context *context)
{
    unicorn_check(uc_context_save(unicorn.engine, context));
}

static inline void
unicorn_restore(uc_context *context)
{
    unicorn_check(uc_context_restore(unicorn.engine, context));
}

#endif
