/*
 * bare.c - address space, descriptors and timer for the monitor's entry code,
 * and what it calls.
 *
 *      PDPT --[0]--> 512 large pages: linear is physical, for all rings
 *           --[3]--> upper table: VMM_UPPER and on, ring 0 only
 *
 * The upper 2 MB lie at UPPER_MEMORY, behind the program.  vmk_end() goes back
 * to who caused it, by a jump that also leaves the tasks of #DF and NMI; they
 * mark the TSS they were in, so guest_enter_init() makes all tables again.
 */
#include "entry/bare.h"

#include "kernel/base/assert.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/paging.h"
#include "vmm/core/monitor.h"
#include "vmm/core/vmk.h"

#define UPPER_MEMORY    MB(8)
#define LAPIC           0xfee00000u
#define STACK_SIZE      4096u
#define MB_INFO_CMDLINE BIT(2)
#define MB_CMDLINE      4               /* words into the information */

#define PIC_MASTER      0x20
#define PIC_SLAVE       0xa0
#define ICW1_INIT_ICW4  0x11
#define ICW4_8086       0x01
#define PIC_CASCADE     2
#define OCW2_EOI        0x20
#define PIT_COUNTER0    0x40
#define PIT_CONTROL     0x43
#define PIT_RATE        0x34            /* counter 0, both bytes, mode 2 */
#define PIT_1KHZ        1193u

void bare_init(const uint32_t *info);
void bare_main(void);

struct vmm_said said;

static pte_t pdpt[PDPT_ENTRIES] ALIGNED(32);
static pte_t low_pd[PT_ENTRIES] ALIGNED(4096);
static pte_t top_pd[PT_ENTRIES] ALIGNED(4096);
static pte_t upper[PT_ENTRIES] ALIGNED(4096);
static uint8_t user_stack[STACK_SIZE] ALIGNED(16);
static bool is_gentle;
static void *before_crash[5];           /* of __builtin_setjmp() */

/* --- The machine -----------------------------------------------------------*/

static void
make_space(void)
{
    const pte_t data = PTE_P | PTE_RW;

    for (unsigned n = 0; n < PT_ENTRIES; n++) {
        low_pd[n] = (pte_t)n * LARGE_PAGE_SIZE | data | PTE_US | PTE_PS;
        upper[n] = (UPPER_MEMORY + (pte_t)n * PAGE_SIZE) | data;
    }
    upper[pt_index(VMM_STACK_GUARD)] = 0;
    upper[pt_index(VMM_TABLE_AT)] = (uint32_t)upper | data;
    memset((void *)UPPER_MEMORY, 0, LARGE_PAGE_SIZE);
    top_pd[pd_index(VMM_UPPER)] = (uint32_t)upper | data;
    top_pd[pd_index(LAPIC)] = LAPIC | data | PTE_PCD | PTE_PS;
    pdpt[0] = (uint32_t)low_pd | PTE_P;
    pdpt[pdpt_index(VMM_BASE)] = (uint32_t)top_pd | PTE_P;
    write_cr4(CR4_PAE);
    write_cr3((uint32_t)pdpt);
    write_cr0(read_cr0() | CR0_PG | CR0_WP);
}

static void
init_pic(uint16_t port, uint8_t vector, uint8_t cascade)
{
    out8(port, ICW1_INIT_ICW4);
    out8(port + 1, vector);
    out8(port + 1, cascade);
    out8(port + 1, ICW4_8086);
    out8(port + 1, UINT8_MAX);
}

void
bare_timer(bool is_on)
{
    out8(PIT_CONTROL, PIT_RATE);
    out8(PIT_COUNTER0, PIT_1KHZ & UINT8_MAX);
    out8(PIT_COUNTER0, PIT_1KHZ >> 8);
    out8(PIC_MASTER + 1, is_on ? (uint8_t)~BIT(0) : UINT8_MAX);
}

/* Multiboot 3.3: where the command line is, if there is one. */
static void
read_command_line(const uint32_t *info)
{
    if ((info[0] & MB_INFO_CMDLINE) == 0)
        return;
    for (const char *p = (const char *)info[MB_CMDLINE]; *p != '\0'; p++)
        if (str_starts_with(p, " gentle"))
            is_gentle = true;
}

bool
bare_is_gentle(void)
{
    return is_gentle;
}

void
bare_init(const uint32_t *info)
{
    read_command_line(info);
    report_init();
    init_pic(PIC_MASTER, BARE_TIMER, BIT(PIC_CASCADE));
    init_pic(PIC_SLAVE, BARE_TIMER + 8, PIC_CASCADE);
    make_space();
    vmm_shared->params.permanent_cr3 = (uint32_t)pdpt;
}

/* --- What the monitor calls ------------------------------------------------*/

void
vmk_interrupt(unsigned vector)
{
    said.interrupts++;
    said.last = vector;
    out8(PIC_MASTER, OCW2_EOI);
}

void
vmk_end(UNUSED enum vmm_end how, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_buf_args(said.end, sizeof(said.end), format, args);
    va_end(args);
    __builtin_longjmp(before_crash, 1);
}

void
log_write(UNUSED enum log_level level, UNUSED enum log_module module,
          UNUSED const char *format, ...)
{
}

void
assert_failed(const char *what, const char *file, unsigned line)
{
    print("FAIL assertion: %s:%u: %s\n", file, line, what);
    report_done();
    for (;;)
        hlt();
}

void
monitor_load_gprs(const struct vcpu *v, struct trapframe *frame)
{
    frame->eax = v->cpu.gpr[GPR_EAX];
    frame->ecx = v->cpu.gpr[GPR_ECX];
    frame->edx = v->cpu.gpr[GPR_EDX];
    frame->ebx = v->cpu.gpr[GPR_EBX];
    frame->esp = v->cpu.gpr[GPR_ESP];
    frame->ebp = v->cpu.gpr[GPR_EBP];
    frame->esi = v->cpu.gpr[GPR_ESI];
    frame->edi = v->cpu.gpr[GPR_EDI];
}

void
monitor_store_gprs(struct vcpu *v, const struct trapframe *frame)
{
    v->cpu.gpr[GPR_EAX] = frame->eax;
    v->cpu.gpr[GPR_ECX] = frame->ecx;
    v->cpu.gpr[GPR_EDX] = frame->edx;
    v->cpu.gpr[GPR_EBX] = frame->ebx;
    v->cpu.gpr[GPR_ESP] = frame->esp;
    v->cpu.gpr[GPR_EBP] = frame->ebp;
    v->cpu.gpr[GPR_ESI] = frame->esi;
    v->cpu.gpr[GPR_EDI] = frame->edi;
}

/* --- For the tests ---------------------------------------------------------*/

void
bare_frame(const char *code)
{
    guest_frame.regs = (struct trapframe){
        .ds = BARE_DATA, .es = BARE_DATA, .edi = 0x1001, .esi = 0x1002,
        .ebp = 0x1003, .ebx = 0x1004, .edx = 0x1005, .ecx = 0x1006,
        .eax = 0x1007, .eip = (uint32_t)code, .cs = BARE_CODE,
        .eflags = EFLAGS_FIXED | EFLAGS_IF,
        .esp = (uint32_t)user_stack + STACK_SIZE, .ss = BARE_DATA,
    };
}

void
bare_run(const char *code)
{
    bare_frame(code);
    guest_enter();
}

void
bare_check(const char *name, unsigned vector, uint32_t error, const char *eip)
{
    const struct trapframe *f = &guest_frame.regs;
    bool is_right = f->vector == vector && f->error == error &&
                    f->eip == (uint32_t)eip;

    if (!is_right)
        print("# vector %u (%x) at %08x, not %u (%x) at %08x\n", f->vector,
              f->error, f->eip, vector, error, (uint32_t)eip);
    check(name, is_right, true);
}

static void
init(void)
{
    struct segdesc code = SEGDESC_PAGES(0, SEG_LIMIT_4GB,
                                        SEG_CODE | SEG_CODE_R | SEG_ACCESSED,
                                        3);
    struct segdesc data = SEGDESC_PAGES(0, SEG_LIMIT_4GB,
                                        SEG_DATA_W | SEG_ACCESSED, 3);

    guest_enter_init();
    gdt_set(BARE_CODE, &code);
    gdt_set(BARE_DATA, &data);
    data.p = 0;
    gdt_set(BARE_ABSENT, &data);
}

NOINLINE const char *
bare_crash(void (*crash)(void))
{
    said.end[0] = '\0';
    if (__builtin_setjmp(before_crash) == 0)
        crash();
    init();
    return said.end;
}

void
bare_main(void)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } topics[] = {
        { "enter", topic_enter }, { "refuse", topic_refuse },
        { "stack16", topic_stack16 },
        { "interrupts", topic_interrupts }, { "native", topic_native },
        { "fpu", topic_fpu }, { "crash", topic_crash },
    };

    init();
    for (size_t n = 0; n < ARRAY_LEN(topics); n++) {
        report_topic(topics[n].name);
        topics[n].run();
    }
    report_done();
}
