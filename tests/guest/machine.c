/*
 * machine.c - the state that every topic starts with, and the end.
 *
 * GDT and IDT are made anew for each topic, control registers are those of the
 * loader, all interrupts are masked at the PICs.
 *
 * Off goes the power through the PIIX4's power management function, which
 * nobody may have given its ports yet; what is not a PIIX4 is told by Bochs's
 * port, and else halts.  82371AB data sheet 7.1, 7.2.
 */
#include "guest/guest.h"
#include "kernel/base/string.h"

#define SEG_DATA_RW     (SEG_DATA_W | SEG_ACCESSED)
#define SEG_CODE_RX     (SEG_CODE | SEG_CODE_R | SEG_ACCESSED)
#define LIMIT_BYTES     MB(1)           /* above this, counted in pages */

#define PIC_MASTER      0x20
#define PIC_SLAVE       0xa0
#define ICW1_INIT_ICW4  0x11
#define ICW4_8086       0x01
#define PIC_CASCADE     2

#define PCI_ADDRESS     0xcf8
#define PCI_DATA        0xcfc
#define PCI_ENABLE      BIT(31)
#define PCI_DEVICES     32
#define PIIX4_PM        0x71138086
#define PM_FUNCTION     3
#define PMBASE          0x40
#define PMREGMISC       0x80
#define PM_PORTS        0x4000
#define PMCNTRL         (PM_PORTS + 4)
#define SLP_EN          BIT(13)         /* type 0 is soft off */
#define MB_INFO_CMDLINE BIT(2)
#define MB_CMDLINE      4               /* words into the information */
#define BOCHS_SHUTDOWN  0x8900

void guest_main(const uint32_t *info);
NORETURN void guest_stray_trap(const struct context *c);

struct segdesc gdt[GDT_ENTRIES] ALIGNED(8);
struct gate idt[IDT_ENTRIES] ALIGNED(8);
struct tss tss;

static bool is_gentle;
static uint8_t trap_stack[GUEST_STACK] ALIGNED(16);

/* --- Descriptor tables -----------------------------------------------------*/

struct segdesc *
gdt_set(unsigned index, uint32_t base, uint32_t limit, unsigned type)
{
    bool in_pages = limit >= LIMIT_BYTES;
    uint32_t units = in_pages ? limit >> 12 : limit;

    gdt[index] = (struct segdesc){
        .limit_low = units & UINT16_MAX, .limit_high = units >> 16,
        .base_low = base & UINT16_MAX, .base_mid = base >> 16 & UINT8_MAX,
        .base_high = base >> 24, .type = type, .s = 1, .p = 1, .db = 1,
        .g = in_pages,
    };
    return &gdt[index];
}

static void
set_ring(unsigned code, unsigned ring)
{
    gdt_set(code, 0, UINT32_MAX, SEG_CODE_RX)->dpl = ring;
    gdt_set(code + 1, 0, UINT32_MAX, SEG_DATA_RW)->dpl = ring;
}

struct gate *
idt_set(unsigned vector, unsigned type, unsigned dpl)
{
    uint32_t to = (uint32_t)trap_stubs[vector];

    idt[vector] = (struct gate){
        .offset_low = to & UINT16_MAX, .offset_high = to >> 16,
        .selector = SEL_CODE0, .type = type, .dpl = dpl, .p = 1,
    };
    return &idt[vector];
}

static void
load_tables(void)
{
    struct table_register gdtr = { sizeof(gdt) - 1, (uint32_t)gdt };
    struct table_register idtr = { sizeof(idt) - 1, (uint32_t)idt };
    struct segdesc *d;

    for (unsigned n = 0; n < GDT_ENTRIES; n++)
        gdt[n] = (struct segdesc){ .p = 0 };
    set_ring(GDT_CODE0, 0);
    set_ring(GDT_CODE3, 3);
    d = gdt_set(GDT_TSS, (uint32_t)&tss, sizeof(tss) - 1, SYS_TSS32_AVAIL);
    d->s = d->db = 0;
    for (unsigned n = 0; n < IDT_ENTRIES; n++)
        idt_set(n, SYS_INT32, n == VEC_BP || n == VEC_OF || n == VEC_DONE ? 3
                                                                          : 0);
    tss = (struct tss){ .ss0 = SEL_DATA0, .iomap = sizeof(tss),
                        .esp0 = (uint32_t)trap_stack + sizeof(trap_stack) };
    lgdt(&gdtr);
    lidt(&idtr);
    load_code_selector(SEL_CODE0);
    write_ss(SEL_DATA0);
    write_ds(SEL_DATA0);
    write_es(SEL_DATA0);
    write_fs(SEL_DATA0);
    write_gs(SEL_DATA0);
    lldt(0);
    ltr((uint16_t)selector(GDT_TSS, 0));
}

/* --- Devices ---------------------------------------------------------------*/

static void
init_pic(uint16_t port, uint8_t vector, uint8_t cascade)
{
    out8(port, ICW1_INIT_ICW4);
    out8(port + 1, vector);
    out8(port + 1, cascade);
    out8(port + 1, ICW4_8086);
    out8(port + 1, UINT8_MAX);
}

static uint32_t
pci_register(unsigned device, unsigned offset)
{
    return PCI_ENABLE | device << 11 | PM_FUNCTION << 8 | offset;
}

void
machine_power_off(void)
{
    for (unsigned n = 0; n < PCI_DEVICES; n++) {
        out32(PCI_ADDRESS, pci_register(n, 0));
        if (in32(PCI_DATA) != PIIX4_PM)
            continue;
        out32(PCI_ADDRESS, pci_register(n, PMBASE));
        out32(PCI_DATA, PM_PORTS | 1);
        out32(PCI_ADDRESS, pci_register(n, PMREGMISC));
        out8(PCI_DATA, 1);
        out16(PMCNTRL, SLP_EN);
    }
    for (const char *p = "Shutdown"; *p != '\0'; p++)
        out8(BOCHS_SHUTDOWN, (uint8_t)*p);
    for (;;) {
        cli();
        hlt();
    }
}

void
machine_init(void)
{
    cli();
    write_cr0(CR0_PE | CR0_ET | CR0_NE);
    write_cr4(0);
    write_eflags(EFLAGS_FIXED);
    __asm__ volatile("fninit");
    load_tables();
    init_pic(PIC_MASTER, VEC_IRQ0, BIT(PIC_CASCADE));
    init_pic(PIC_SLAVE, VEC_IRQ0 + 8, PIC_CASCADE);
}

/* --- The program -----------------------------------------------------------*/

void
guest_stray_trap(const struct context *c)
{
    print("FAIL: stray trap %u (%x) at %x\n", c->vector, c->error, c->eip);
    machine_power_off();
}

/* Multiboot 3.3: where the command line is, if there is one. */
static void
read_command_line(const uint32_t *info)
{
    const char *p;

    if ((info[0] & MB_INFO_CMDLINE) == 0)
        return;
    for (p = (const char *)info[MB_CMDLINE]; *p != '\0'; p++)
        if (memcmp(p, " gentle", sizeof(" gentle")) == 0)
            is_gentle = true;
}

bool
machine_is_gentle(void)
{
    return is_gentle;
}

void
guest_main(const uint32_t *info)
{
    read_command_line(info);
    report_init();
    for (const struct topic *t = topics_start; t < topics_end; t++) {
        machine_init();
        report_topic(t->name);
        t->run();
    }
    machine_init();
    report_done();
    machine_power_off();
}
