/*
 * mp_spec.h - the structures of the MultiProcessor Specification 1.4.
 *
 * Only mp_tables.c and its tests include this.  The configuration table is a
 * header and then `entry_count` entries, each beginning with its type; entries
 * have no length field, so one of unknown type ends all reading.
 *
 *      TYPE  SIZE  MEANING (4.3)
 *         0    20  processor
 *         1     8  bus
 *         2     8  I/O APIC
 *         3     8  I/O interrupt: a line of a bus to a pin of an I/O APIC
 *         4     8  local interrupt: a line of a bus to LINT0/1 of processors
 */
#ifndef DRIVERS_MP_SPEC_H
#define DRIVERS_MP_SPEC_H

#include "kernel/base/bits.h"

#define MP_FLOATING_SIGNATURE   "_MP_"
#define MP_CONFIG_SIGNATURE     "PCMP"
#define MP_PARAGRAPH            16u

/* MP floating pointer structure, 4.1. */
struct mp_floating {
    char signature[4];
    uint32_t config_address;    /* 0: none, see default_config */
    uint8_t length;             /* in paragraphs: 1 */
    uint8_t spec_revision;
    uint8_t checksum;
    uint8_t default_config;     /* feature byte 1: 0, or 1 to 7 (chapter 5) */
    uint8_t features;           /* feature byte 2 */
    uint8_t reserved[3];
} PACKED;
STATIC_ASSERT(sizeof(struct mp_floating) == 16);

#define MP_FEATURE_IMCRP        BIT(7)

/* MP configuration table header, 4.2. */
struct mp_config {
    char signature[4];
    uint16_t base_length;       /* header and entries */
    uint8_t spec_revision;
    uint8_t checksum;
    char oem_id[8];
    char product_id[12];
    uint32_t oem_table;
    uint16_t oem_table_size;
    uint16_t entry_count;
    uint32_t local_apic_address;
    uint16_t extended_length;
    uint8_t extended_checksum;
    uint8_t reserved;
} PACKED;
STATIC_ASSERT(sizeof(struct mp_config) == 44);

enum mp_entry_type {
    MP_PROCESSOR,
    MP_BUS,
    MP_IO_APIC,
    MP_IO_INTERRUPT,
    MP_LOCAL_INTERRUPT,
    MP_ENTRY_TYPE_COUNT
};

#define MP_CPU_EN               BIT(0)
#define MP_CPU_BP               BIT(1)
#define MP_IO_APIC_EN           BIT(0)

enum mp_interrupt_type { MP_INT, MP_NMI, MP_SMI, MP_EXTINT };

/* Flags of interrupts, 4.3.4; 0 in a field: as usual on that bus. */
#define MP_INTERRUPT_PO         BITS(1, 0)
#define MP_INTERRUPT_EL         BITS(3, 2)
#define MP_PO_HIGH              1u
#define MP_PO_LOW               3u
#define MP_EL_EDGE              1u
#define MP_EL_LEVEL             3u

/* A PCI bus's source_irq: device << 2 | pin, D.3. */
#define MP_PCI_DEVICE           BITS(6, 2)
#define MP_PCI_PIN              BITS(1, 0)

#define MP_ALL_APICS            0xffu
#define MP_BUS_NAME_SIZE        6u      /* padded with spaces */

struct mp_entry {
    uint8_t type;
    union {
        struct {
            uint8_t apic_id;
            uint8_t apic_version;
            uint8_t flags;
            uint32_t signature;
            uint32_t features;
            uint32_t reserved[2];
        } PACKED processor;
        struct {
            uint8_t id;
            char name[MP_BUS_NAME_SIZE];
        } PACKED bus;
        struct {
            uint8_t id;
            uint8_t version;
            uint8_t flags;
            uint32_t address;
        } PACKED io_apic;
        struct {
            uint8_t type;       /* enum mp_interrupt_type */
            uint16_t flags;
            uint8_t source_bus;
            uint8_t source_irq;
            uint8_t apic_id;
            uint8_t pin;
        } PACKED interrupt;     /* I/O and local */
    };
} PACKED;
STATIC_ASSERT(sizeof(struct mp_entry) == 20);
STATIC_ASSERT(offsetof(struct mp_entry, interrupt.pin) == 7);

#define MP_PROCESSOR_SIZE       20u
#define MP_OTHER_SIZE           8u

#endif
