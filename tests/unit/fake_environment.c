/*
 * fake_environment.c - builds the memory of an environment, and the stub that
 * enters it by IRET, or by a far JMP behind clearing CR0.PE.
 */
#include "unit/fake_environment.h"

#include <string.h>

#include "kernel/x86/descriptor.h"
#include "kernel/x86/paging.h"
#include "unit/fake_guest.h"

#define FLAT32 .is_flat = true, .is_code32 = true, .is_stack32 = true

const struct environment environments[ENVIRONMENTS] = {
    { "real mode", .is_real = true },
    { "virtual-8086 mode, IOPL 3", .is_v86 = true, .cpl = 3, .iopl = 3 },
    { "virtual-8086 mode, IOPL 0", .is_v86 = true, .cpl = 3 },
    { "16-bit code, CPL 0", .cpl = 0 },
    { "16-bit code, CPL 3", .cpl = 3 },
    { "16-bit code, 32-bit stack, CPL 3", .is_stack32 = true, .cpl = 3 },
    { "32-bit code, 16-bit stack, CPL 0", .is_code32 = true },
    { "flat, CPL 0", FLAT32 },
    { "flat, CPL 3", FLAT32, .cpl = 3 },
    { "two-level paging, CPL 0, WP", FLAT32, .paging = PAGING_2_LEVEL,
      .cr0 = CR0_WP },
    { "two-level paging, CPL 0", FLAT32, .paging = PAGING_2_LEVEL },
    { "two-level paging, CPL 3", FLAT32, .cpl = 3,
      .paging = PAGING_2_LEVEL },
    { "PAE paging, CPL 0, WP", FLAT32, .paging = PAGING_PAE, .cr0 = CR0_WP },
    { "PAE paging, CPL 3", FLAT32, .cpl = 3, .paging = PAGING_PAE },
};

/* Real-mode parts of the stub, in its segment. */
#define STUB_LEAVE      0x100u
#define STUB_REAL       0x200u

#define REAL_SHIFT      4

static const uint8_t selectors[SEG_NONE] = {
    [SEG_ES] = ENV_SEL_ES, [SEG_CS] = ENV_SEL_CS, [SEG_SS] = ENV_SEL_SS,
    [SEG_DS] = ENV_SEL_DS, [SEG_FS] = ENV_SEL_FS, [SEG_GS] = ENV_SEL_GS,
};

/* The privilege that descriptors are made for. */
static unsigned
ring(const struct environment *env)
{
    return env->is_v86 ? 0 : env->cpl;
}

uint32_t
environment_base(const struct environment *env, unsigned segment)
{
    static const uint32_t bases[SEG_NONE] = {
        [SEG_ES] = ENV_DATA + 0x8000, [SEG_CS] = ENV_CODE,
        [SEG_SS] = ENV_STACK, [SEG_DS] = ENV_DATA,
        [SEG_FS] = ENV_DATA + 0x2000, [SEG_GS] = ENV_DATA + 0x4000,
    };

    return env->is_flat ? 0 : bases[segment];
}

/* --- Tables ----------------------------------------------------------------*/

struct builder {
    const struct environment *env;
    uint8_t *memory, *cursor;
};

/* A data or code segment, flat or of 64 KB, for the ring in SELECTOR. */
static void
put_segment(struct builder *b, uint32_t selector, uint32_t base, unsigned type,
            bool is_32)
{
    bool is_flat = b->env->is_flat || selector < ENV_SEL_CS;
    uint32_t limit = is_flat ? SEG_LIMIT_4GB : UINT16_MAX;
    struct segdesc d = SEGDESC_PAGES(base, limit, type, selector & SEL_RPL);

    d.g = is_flat;
    d.db = is_32;
    memcpy(b->memory + ENV_GDT + (selector & ~SEL_RPL), &d, sizeof(d));
}

static void
put_system(struct builder *b, uint32_t selector, uint32_t base, unsigned type)
{
    uint32_t limit = type == SYS_LDT ? ENV_LDT_SIZE - 1
                                     : sizeof(struct tss) + 0x100;
    struct segdesc d = SEGDESC_PAGES(base, limit, type, 0);

    d.s = d.g = d.db = 0;
    memcpy(b->memory + ENV_GDT + selector, &d, sizeof(d));
}

static void
put_descriptors(struct builder *b)
{
    const struct environment *env = b->env;
    struct tss *tss = (struct tss *)(void *)(b->memory + ENV_TSS);
    unsigned rpl = ring(env);

    put_segment(b, ENV_SEL_STUB, 0, SEG_CODE | SEG_CODE_R, true);
    put_segment(b, ENV_SEL_FLAT, 0, SEG_DATA_W, true);
    for (unsigned n = 0; n < SEG_NONE; n++)
        put_segment(b, selectors[n] | rpl, environment_base(env, n),
                    n == SEG_CS ? SEG_CODE | SEG_CODE_R : SEG_DATA_W,
                    n == SEG_CS ? env->is_code32 : env->is_stack32);
    put_system(b, ENV_SEL_TSS, ENV_TSS, SYS_TSS32_AVAIL);
    put_system(b, ENV_SEL_LDT, ENV_LDT, SYS_LDT);
    put_segment(b, ENV_SEL_STUB16, ENV_STUB, SEG_CODE | SEG_CODE_R, false);
    put_segment(b, ENV_SEL_DATA16, 0, SEG_DATA_W, false);
    tss->esp0 = ENV_STACK + ENV_ESP;
    tss->ss0 = ENV_SEL_FLAT;
    tss->iomap = sizeof(*tss);
}

uint32_t
environment_large_pde(const struct environment *env)
{
    return env->paging == PAGING_PAE
           ? ENV_TABLES + PAGE_SIZE + sizeof(uint64_t)
           : ENV_TABLES + sizeof(uint32_t);
}

uint32_t
environment_large_page(const struct environment *env)
{
    return env->paging == PAGING_PAE ? ENV_LARGE_PAE : ENV_LARGE_2;
}

/* Identity for all of memory, everything allowed. */
static void
put_page_tables(struct builder *b)
{
    const uint64_t rights = PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D;
    bool is_pae = b->env->paging == PAGING_PAE;
    size_t size = is_pae ? sizeof(uint64_t) : sizeof(uint32_t);
    uint64_t pdpte = (ENV_TABLES + PAGE_SIZE) | PTE_P;
    uint64_t pde = ENV_PTES | rights;

    uint64_t large = rights | PTE_PS;

    memcpy(b->memory + environment_large_pde(b->env), &large, size);
    memcpy(b->memory + ENV_TABLES, is_pae ? &pdpte : &pde, size);
    if (is_pae)
        memcpy(b->memory + ENV_TABLES + PAGE_SIZE, &pde, size);
    for (uint32_t page = 0; page < ENV_MEMORY / PAGE_SIZE; page++) {
        uint64_t pte = page * PAGE_SIZE | rights;

        memcpy(b->memory + ENV_PTES + page * size, &pte, size);
    }
}

/* --- The stub --------------------------------------------------------------*/

static void
emit(struct builder *b, const char *bytes, size_t size)
{
    memcpy(b->cursor, bytes, size);
    b->cursor += size;
}

#define EMIT(b, bytes) emit(b, bytes, sizeof(bytes) - 1)

static void
emit16(struct builder *b, uint32_t value)
{
    emit(b, (const char *)&value, sizeof(uint16_t));
}

/* mov $VALUE,%ax; mov %ax,SEGMENT. */
static void
emit_segment(struct builder *b, bool is_32, unsigned segment, uint32_t value)
{
    const char mov[] = { (char)0x8e, (char)(0xc0 | segment << 3) };

    if (is_32)
        EMIT(b, "\x66");
    EMIT(b, "\xb8");
    emit16(b, value);
    emit(b, mov, sizeof(mov));
}

static void
put_real_stub(struct builder *b)
{
    EMIT(b, "\xea\x00\x01\x00\x00\x58\x00");    /* ljmp STUB16:STUB_LEAVE */
    b->cursor = b->memory + ENV_STUB + STUB_LEAVE;
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (n != SEG_CS)
            emit_segment(b, false, n, ENV_SEL_DATA16);
    EMIT(b, "\x0f\x20\xc0\x24\xfe\x0f\x22\xc0"); /* CR0.PE = 0 */
    EMIT(b, "\xea\x00\x02\x00\x10");            /* ljmp STUB:STUB_REAL */
    b->cursor = b->memory + ENV_STUB + STUB_REAL;
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (n != SEG_CS)
            emit_segment(b, false, n,
                         environment_base(b->env, n) >> REAL_SHIFT);
    EMIT(b, "\xea");
    emit16(b, ENV_EIP);
    emit16(b, ENV_CODE >> REAL_SHIFT);
}

/* IRET's frame; to virtual-8086 mode with all segment registers. */
static void
put_frame(struct builder *b)
{
    static const uint8_t order[] = { SEG_SS, SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    const struct environment *env = b->env;
    uint32_t frame[9] = {
        ENV_EIP + (env->is_flat ? ENV_CODE : 0),
        env->is_v86 ? ENV_CODE >> REAL_SHIFT : ENV_SEL_CS | ring(env),
        FIELD_SET(EFLAGS_FIXED, EFLAGS_IOPL, env->iopl),
        ENV_ESP + (env->is_flat ? ENV_STACK : 0),
        ENV_SEL_SS | ring(env),
    };

    if (env->is_v86) {
        frame[2] |= EFLAGS_VM;
        for (size_t n = 0; n < ARRAY_LEN(order); n++)
            frame[4 + n] = environment_base(env, order[n]) >> REAL_SHIFT;
    }
    memcpy(b->memory + ENV_STACK + ENV_ESP, frame, sizeof(frame));
}

static void
put_protected_stub(struct builder *b)
{
    unsigned rpl = ring(b->env);

    put_frame(b);
    for (unsigned n = 0; n < SEG_NONE; n++)
        if (n != SEG_CS && (n != SEG_SS || b->env->cpl == 0))
            emit_segment(b, true, n, selectors[n] | rpl);
    EMIT(b, "\xcf");
}

void
environment_build(const struct environment *env, uint8_t *memory)
{
    struct builder b = { env, memory, memory + ENV_STUB };

    memset(memory, 0, ENV_MEMORY);
    put_descriptors(&b);
    if (env->paging != PAGING_NONE)
        put_page_tables(&b);
    emit_segment(&b, true, SEG_SS, ENV_SEL_FLAT);
    EMIT(&b, "\x66\xb8\x48\x00\x0f\x00\xd8");   /* mov $TSS,%ax; ltr */
    EMIT(&b, "\x66\xb8\x50\x00\x0f\x00\xd0");   /* mov $LDT,%ax; lldt */
    if (env->is_real)
        put_real_stub(&b);
    else
        put_protected_stub(&b);
    b.cursor = memory + ENV_FLUSH;
    EMIT(&b, "\x0f\x20\xd8\x0f\x22\xd8");
}

void
environment_start(const struct environment *env, struct vcpu *v)
{
    fake_guest_flat(v, 0);
    v->cpu.gdtr = (struct guest_table){ ENV_GDT, ENV_GDT_SIZE - 1 };
    v->cpu.idtr = (struct guest_table){ ENV_IDT, ENV_IDT_SIZE - 1 };
    v->cpu.cr0 = CR0_PE | CR0_ET | env->cr0;
    v->cpu.eip = ENV_STUB;
    v->cpu.gpr[GPR_ESP] = ENV_ESP;
    if (env->cpl == 3 || env->is_flat)
        v->cpu.gpr[GPR_ESP] += ENV_STACK;
    if (env->paging == PAGING_NONE)
        return;
    v->cpu.cr0 |= CR0_PG;
    v->cpu.cr3 = ENV_TABLES;
    v->cpu.cr4 = CR4_PSE;
    if (env->paging == PAGING_PAE) {
        v->cpu.cr4 |= CR4_PAE;
        v->cpu.pdpte[0] = (ENV_TABLES + PAGE_SIZE) | PTE_P;
    }
}

bool
environment_is_reached(const struct environment *env, const struct vcpu *v)
{
    return v->cpu.eip == ENV_EIP + (env->is_flat ? ENV_CODE : 0) &&
           v->cpu.segment[SEG_CS].base == environment_base(env, SEG_CS);
}
