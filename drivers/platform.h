/*
 * platform.h - what the firmware says the machine is made of: processors,
 * interrupt controllers, wiring, and the registers that switch it off.
 *
 * One structure, whoever fills it: the ACPI tables if there are any, else the
 * tables of Intel's MultiProcessor Specification, else what every PC has (one
 * processor, a pair of 8259s).  The tables are hostile input: the counts here
 * stay within the arrays, ids do not repeat, ISA lines and I/O ports are in
 * range; but an address may point at nothing, or at RAM, so who maps one
 * compares it with the memory map first.
 *
 * Filled once at boot by one processor; read-only afterwards.
 */
#ifndef DRIVERS_PLATFORM_H
#define DRIVERS_PLATFORM_H

#include "kernel/base/mem_reader.h"
#include "kernel/irq.h"

#define PLATFORM_CPU_MAX        255u    /* local APIC ids 0 to 254 */
#define PLATFORM_IOAPIC_MAX     8u
#define PLATFORM_ISA_IRQS       16u
#define PLATFORM_PCI_IRQ_MAX    128u

#define PLATFORM_LAPIC_DEFAULT  0xfee00000u

/* Who told us about processors and interrupts. */
enum platform_source { PLATFORM_DEFAULT, PLATFORM_MP, PLATFORM_ACPI };

struct platform_cpu {
    uint8_t apic_id;
    uint32_t acpi_id;           /* ACPI's number for it; MP: the APIC id */
    bool enabled;               /* else only plugged in later: do not start */
    bool bsp;                   /* we boot on it; by ACPI's rule the first */
    uint8_t nmi_lint;           /* NMI arrives at LINT 0, 1; or LINT_NONE */
};

#define PLATFORM_LINT_NONE      0xffu

/* Serves global system interrupts from gsi_base up. */
struct platform_ioapic {
    uint8_t id;
    maddr_t maddr;
    uint32_t gsi_base;
};

/* Where an ISA line goes.  Not connected: its pin serves another line. */
struct platform_isa_irq {
    bool connected;
    uint32_t gsi;
    struct irq_mode mode;
};

/* Where an interrupt pin of a PCI slot goes when the I/O APICs are used. */
struct platform_pci_irq {
    uint8_t bus;
    uint8_t device;
    uint8_t pin;                /* 0 = INTA# ... 3 = INTD# */
    uint32_t gsi;
    struct irq_mode mode;
};

enum platform_space { SPACE_NONE, SPACE_MEMORY, SPACE_IO, SPACE_PCI };

/*
 * Write `value`, one byte, to reset the machine.  SPACE_PCI: bus 0, address
 * bits 47-32 device, 31-16 function, 15-0 offset (ACPI 6.5, table 5.1).
 */
struct platform_reset {
    enum platform_space space;
    uint64_t address;
    uint8_t value;
};

/* ACPI's fixed hardware (ACPI 6.5, 4.8.3); a port that is 0 does not exist. */
struct platform_power {
    uint16_t pm1a_event;        /* status; enable at + pm1_event_length / 2 */
    uint16_t pm1b_event;
    uint8_t pm1_event_length;
    uint16_t pm1a_control;
    uint16_t pm1b_control;
    uint16_t smi_command;       /* write acpi_enable here if PM1 SCI_EN is 0 */
    uint8_t acpi_enable;
    uint8_t acpi_disable;
    uint16_t sci_irq;
    uint16_t pm_timer;          /* counts at 3.579545 MHz */
    bool pm_timer_32bit;        /* else 24 */
    bool has_s5;                /* the SLP_TYP values that mean "off" */
    uint8_t s5_type_a;
    uint8_t s5_type_b;
    struct platform_reset reset;
};

struct platform_info {
    enum platform_source source;
    maddr_t lapic;
    unsigned cpu_count;                 /* at least one is enabled */
    struct platform_cpu cpus[PLATFORM_CPU_MAX];
    unsigned ioapic_count;              /* 0: the 8259 pair does everything */
    struct platform_ioapic ioapics[PLATFORM_IOAPIC_MAX];
    struct platform_isa_irq isa_irqs[PLATFORM_ISA_IRQS];
    unsigned pci_irq_count;
    struct platform_pci_irq pci_irqs[PLATFORM_PCI_IRQ_MAX];
    bool has_8259;
    bool has_imcr;                      /* see MP 1.4, 3.6.2.1 */
    bool has_i8042;
    uint8_t century_register;           /* index in the CMOS; 0: none */
    struct platform_power power;        /* all zero without ACPI */
};

/*
 * Fill INFO.  Cannot fail: in the worst case it is a PC with one processor.
 * Tables that are refused cost one warning each.
 */
void platform_discover(const struct mem_reader *reader, bool use_acpi,
                       struct platform_info *info);

#endif
