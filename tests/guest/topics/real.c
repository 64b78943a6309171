/*
 * real.c - from protected mode to real mode and back, and what a segment
 * register keeps on the way.
 *
 * A piece of code at REAL_AT, below 1 MB, is entered through a 16-bit segment,
 * clears PE, does what is asked of it in real mode, and comes back.  What is
 * asked is a piece of 16-bit code of its own, CALLed by it.  SDM 3A 9.9
 * (switching), 20.1 (real mode: addresses, limits, IDT); the hidden parts of
 * segment registers, limits and D among them, stay until they are loaded in
 * protected mode: 3.4.3.
 */
#include "guest/paging.h"
#include "kernel/base/string.h"

#define REAL_AT         0x8000u
#define JOB_AT          0x9000u         /* CS:IP of the job: 0900:0000 */
#define HANDLER_AT      0x100u          /* in the same segment */
#define VEC_SOFTWARE    0x80
#define FAR_AT          0x00300000u     /* beyond what 20 bits address */
#define SEL_CODE16      SEL_FREE
#define SEL_DATA16      (SEL_FREE + 8)
#define SEL_BIG         (SEL_FREE + 16)
#define RW              SEG_DATA_W
#define RX              (SEG_CODE | SEG_CODE_R)
#define IVT_AT          0x6000u         /* IDTR works in real mode, too */
#define IVT_ENTRIES     256u
#define IVT_BYTES       (IVT_ENTRIES * 4)
#define MARK            0x12345678u
#define LIMIT_64K       0xffffu

#define LRET_SIZE       1
#define INT_SIZE        2

/*
 * In: EDI and EBP point to the IDT's register of real mode, and of protected
 * mode on the stack of 32 bits.  A job finds DS and SS of 16 bits, FS of 4 GB,
 * and may use all but EDI and EBP; what it leaves in the others is the
 * context's.
 */
SNIPPET(go_there, ".code16; lidtl (%edi); mov $0x38, %di; mov %di, %ds; "
        "mov %di, %ss; mov $0xa000, %sp", "mov %cr0, %edi; and $~1, %edi; "
        "mov %edi, %cr0; ljmp $0, $(1f - go_there_start + 0x8000); "
        "1: xor %di, %di; mov %di, %ss; mov %di, %ds; lcall $0x900, $0; "
        "mov %cr0, %edi; or $1, %edi; mov %edi, %cr0; ljmpl $0x08, $2f; "
        ".code32; 2: mov $0x10, %edi; mov %edi, %ds; mov %edi, %ss; "
        "mov %edi, %es; mov %edi, %fs; mov %edi, %gs; mov %ebp, %esp; "
        "lidt (%esp)", "");

/* 16-bit code that ends by a far return. */
#define JOB(name, code) SNIPPET(name, ".code16", code, "lret; .code32")

static void
install(uint32_t at, const struct snippet *s, size_t rest)
{
    memcpy((void *)at, s->start, (size_t)(s->next - s->start) + rest);
}

static void
prepare(void)
{
    gdt_set(GDT_FREE, 0, LIMIT_64K, RX)->db = 0;
    gdt_set(GDT_FREE + 1, 0, LIMIT_64K, RW)->db = 0;
    gdt_set(GDT_FREE + 2, 0, UINT32_MAX, RW);
    install(REAL_AT, &go_there, INT_SIZE);
}

/* Run JOB in real mode, with C's EAX to EDX and ESI. */
static void
visit(struct context *c, const struct snippet *job)
{
    static const struct table_register real_idtr = { IVT_BYTES - 1, IVT_AT };
    struct table_register idtr;

    install(JOB_AT, job, LRET_SIZE);
    sidt(&idtr);
    c->esp -= 2 * sizeof(uint32_t);
    memcpy((void *)c->esp, &idtr, sizeof(idtr));
    c->edi = (uint32_t)&real_idtr;
    c->ebp = c->esp;
    c->eip = REAL_AT;
    c->cs = SEL_CODE16;
    c->fs = SEL_BIG;
    context_run(c);
}

static void
init(struct context *c)
{
    context_init(c, NULL, 0);
}

/* --- Addresses -------------------------------------------------------------*/

JOB(address, "mov $0x1234, %ax; mov %ax, %ds; mov %eax, (0x20); "
    "mov %cs, %dx; mov $0xffff, %cx; mov %cx, %es; movl %es:(0x10), %ecx; "
    "pushw %cs; pop %bx");
JOB(stack, "mov %sp, %bx; mov $0xb00, %ax; mov %ax, %ss; mov $2, %sp; "
    "push %cx; push %dx; xor %ax, %ax; mov %ax, %ss; mov %bx, %sp");
JOB(machine_word, "smsw %ax; mov $0xe, %cx; lmsw %cx; smsw %bx; "
    "xor %cx, %cx; lmsw %cx; mov %cr0, %edx");

static void
check_addresses(void)
{
    struct context c;

    init(&c);
    c.eax = MARK;
    mmio_write32((void *)MB(1), MARK);
    visit(&c, &address);
    check("it comes back", c.vector, VEC_DONE);
    check("a segment begins at its selector * 16",
          mmio_read32((void *)0x12360), 0x12341234);
    check("CS is what was jumped to", c.edx & LIMIT_64K, JOB_AT >> 4);
    check("FFFF:0010 is behind 1 MB", c.ecx, MARK);
    init(&c);
    c.ecx = 0x1111;
    c.edx = 0x2222;
    visit(&c, &stack);
    check("SP wraps", *(uint16_t *)0xb000 |
          (uint32_t)*(uint16_t *)0x1affe << 16, 0x22221111);
    init(&c);
    visit(&c, &machine_word);
    check("PE is clear", c.eax & CR0_PE, 0);
    check("LMSW of MP, EM, TS", c.ebx & 0xf, 0xe);
    check("and none of them", c.edx & 0xf, 0);
}

/* --- Interrupts ------------------------------------------------------------*/

/* DX and CX: where it came from; SI: with which flags; CF is turned over. */
JOB(handler, "pop %dx; pop %cx; pop %si; xor $1, %si; push %si; push %cx; "
    "push %dx; iret");
/* DX: behind the instruction of two bytes that faulted. */
JOB(fault_handler, "pop %dx; add $2, %dx; push %dx; iret");
JOB(interrupt, "int $0x80; pushf; pop %ax");
JOB(divide, "div %cl");
JOB(undefined, "ud2");
JOB(beyond, "mov (%bx), %ax");

static uint32_t
run_vector(struct context *c, unsigned vector, const struct snippet *by,
           const struct snippet *job)
{
    install(JOB_AT + HANDLER_AT, by, 0);
    mmio_write32((void *)(IVT_AT + vector * 4), JOB_AT >> 4 << 16 | HANDLER_AT);
    init(c);
    c->ebx = LIMIT_64K;
    visit(c, job);
    return c->vector == VEC_DONE ? c->edx & LIMIT_64K : c->vector;
}

static void
check_interrupts(void)
{
    struct context c;

    check("INT pushes the IP behind it",
          run_vector(&c, VEC_SOFTWARE, &handler, &interrupt), 2);
    check("and CS", c.ecx & LIMIT_64K, JOB_AT >> 4);
    check("and the flags, which IRET loads", (c.eax ^ c.esi) & UINT8_MAX, 0);
    check("DIV by zero: its own IP",
          run_vector(&c, VEC_DE, &fault_handler, &divide), 2);
    check("UD2", run_vector(&c, VEC_UD, &fault_handler, &undefined), 2);
    check("a word at FFFF",
          run_vector(&c, VEC_GP, &fault_handler, &beyond), 2);
}

/* --- What segment registers keep -------------------------------------------*/

JOB(big, "movl %fs:(%esi), %eax; movl %ebx, %fs:4(%esi); "
    "mov $0x900, %cx; mov %cx, %fs; movl %fs:-0x9000(%esi), %ecx; "
    "mov %fs, %dx");

static void
check_big(void)
{
    struct context c;

    init(&c);
    mmio_write32((void *)FAR_AT, MARK);
    mmio_write32((void *)(FAR_AT + 4), 0);
    c.esi = FAR_AT;
    c.ebx = ~MARK;
    visit(&c, &big);
    check("a limit of 4 GB stays: read", c.eax, MARK);
    check("a limit of 4 GB stays: write", mmio_read32((void *)(FAR_AT + 4)),
          ~MARK);
    check("and in a register that is loaded", c.ecx, MARK);
    check("which has what was loaded", c.edx & LIMIT_64K, 0x900);
}

/* 32-bit code and its stack go on, as long as CS and SS are not loaded. */
SNIPPET(still_32, "mov %cr0, %ebx; lea -1(%ebx), %edx",
        "mov %edx, %cr0; mov $0x12345678, %eax; push %eax; call 1f; "
        "1: pop %ecx; pop %edx; mov %cr0, %esi; mov %ebx, %cr0; "
        "sub $1b, %ecx", "");
/* From there, too: loads of data segments are those of real mode. */
SNIPPET(data_in_real, "mov %cr0, %ebx; lea -1(%ebx), %edx; mov %edx, %cr0",
        "mov $0x900, %ecx; mov %ecx, %es; mov %es:(%esi), %eax; "
        "mov %es, %edx; mov %ebx, %cr0; mov %es:(%esi), %ecx",
        "mov $0x10, %ebx; mov %ebx, %es");

static void
check_leftovers(void)
{
    struct context c;

    run_snippet(&c, &still_32, 0);
    check("code of 32 bits goes on", c.eax, MARK);
    check("so does its stack", c.edx, MARK);
    check("in real mode", c.esi & CR0_PE, 0);
    check("and comes back", c.vector + c.ecx, VEC_DONE);
    mmio_write32((void *)(0x9000 + 8), MARK);
    context_init(&c, data_in_real.start, 0);
    c.esi = 8;
    context_run(&c);
    check("a segment of real mode", c.eax, MARK);
    check("its selector", c.edx & LIMIT_64K, 0x900);
    check("stays in protected mode", c.ecx, MARK);
}

/* --- With paging -----------------------------------------------------------*/

/* PE and PG at once, in both directions. */
SNIPPET(both_at_once, "mov %cr0, %ebx; mov %ebx, %edx; and $0x7ffffffe, %edx",
        "mov %edx, %cr0; mov %cr0, %eax; mov (%esi), %ecx; mov %ebx, %cr0",
        "mov (%edi), %edx");
SNIPPET(pe_with_pg, "mov %cr0, %eax; and $~1, %eax", "mov %eax, %cr0", "");

static void
check_pe_with_pg(void)
{
    static const char name[] = "PE does not go while there is PG";
    struct context c;

    if (machine_is_gentle()) {
        skip(name);
        return;
    }
    run_snippet(&c, &pe_with_pg, 0);
    check_trap(name, &c, VEC_GP, 0, pe_with_pg.at);
}

static void
check_paging(void)
{
    struct context c;
    unsigned right = 0;

    for (unsigned n = 0; n < 10; n++) {
        context_init(&c, both_at_once.start, 0);
        c.esi = (uint32_t)&window_memory[n % WINDOW_PAGES][NUMBER_AT];
        c.edi = WINDOW + NUMBER_AT + n % WINDOW_PAGES * PAGE;
        context_run(&c);
        right += c.vector == VEC_DONE && c.ecx == n % WINDOW_PAGES &&
                 c.edx == n % WINDOW_PAGES && (c.eax & CR0_PE) == 0;
    }
    check("PG and PE at once, off and on", right, 10);
    check_pe_with_pg();
    paging_off();
    write_cr0(read_cr0() & ~CR0_PE);
    write_cr0(read_cr0() | CR0_PE);
    paging_on();
    window_run(&c, READ, 3, WINDOW + NUMBER_AT);
    check("ring 3 with paging behind all that", c.vector, VEC_DONE);
}

TOPIC(real)
{
    prepare();
    check_addresses();
    check_interrupts();
    check_big();
    check_leftovers();
    paging_on();
    check_paging();
    paging_off();
}
