/*
 * acpi_fadt.c - power, reset and legacy hardware out of the FADT.
 *
 * The table has grown with each version of ACPI: 116 bytes in 1.0, 244 since
 * 2.0, more later.  What a short table lacks reads as zero here, which means
 * "not there" for every field that we use.  Registers are given twice, as a
 * 32-bit port number and since 2.0 as a generic address; the latter counts if
 * it is there and names an I/O port.
 *
 * Pure; at boot.  Section numbers are those of ACPI 6.5.
 */
#include "drivers/acpi_fadt.h"

#include "kernel/base/bits.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

/* Generic address structure, 5.2.3.2. */
struct acpi_gas {
    uint8_t address_space_id;
    uint8_t register_bit_width;
    uint8_t register_bit_offset;
    uint8_t access_size;
    uint64_t address;
} PACKED;
STATIC_ASSERT(sizeof(struct acpi_gas) == 12);

enum {
    GAS_SYSTEM_MEMORY = 0,
    GAS_SYSTEM_IO = 1,
    GAS_PCI_CONFIG = 2
};

/* Table 5.9, as far as ACPI 2.0 had it; names are the specification's. */
struct fadt {
    struct acpi_header header;
    uint32_t firmware_ctrl;     /* the FACS: for sleeping, not for us */
    uint32_t dsdt;
    uint8_t reserved1;
    uint8_t preferred_pm_profile;
    uint16_t sci_int;           /* the line of ACPI's own interrupt */
    uint32_t smi_cmd;           /* port by which the firmware is told */
    uint8_t acpi_enable;        /* ... to hand the hardware over */
    uint8_t acpi_disable;       /* ... to take it back */
    uint8_t s4bios_req;
    uint8_t pstate_cnt;
    uint32_t pm1a_evt_blk;      /* status and enable registers */
    uint32_t pm1b_evt_blk;
    uint32_t pm1a_cnt_blk;      /* control: SCI_EN, SLP_TYP, SLP_EN */
    uint32_t pm1b_cnt_blk;
    uint32_t pm2_cnt_blk;
    uint32_t pm_tmr_blk;
    uint32_t gpe0_blk;
    uint32_t gpe1_blk;
    uint8_t pm1_evt_len;        /* bytes of each block above */
    uint8_t pm1_cnt_len;
    uint8_t pm2_cnt_len;
    uint8_t pm_tmr_len;
    uint8_t gpe0_blk_len;
    uint8_t gpe1_blk_len;
    uint8_t gpe1_base;
    uint8_t cst_cnt;
    uint16_t p_lvl2_lat;
    uint16_t p_lvl3_lat;
    uint16_t flush_size;
    uint16_t flush_stride;
    uint8_t duty_offset;
    uint8_t duty_width;
    uint8_t day_alrm;
    uint8_t mon_alrm;
    uint8_t century;            /* index in the CMOS, 0: none */
    uint16_t iapc_boot_arch;    /* legacy devices; reserved in 1.0 */
    uint8_t reserved2;
    uint32_t flags;             /* ACPI 1.0 ends behind this */
    struct acpi_gas reset_reg;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_firmware_ctrl;
    uint64_t x_dsdt;
    struct acpi_gas x_pm1a_evt_blk;
    struct acpi_gas x_pm1b_evt_blk;
    struct acpi_gas x_pm1a_cnt_blk;
    struct acpi_gas x_pm1b_cnt_blk;
    struct acpi_gas x_pm2_cnt_blk;
    struct acpi_gas x_pm_tmr_blk;
    struct acpi_gas x_gpe0_blk;
    struct acpi_gas x_gpe1_blk;
} PACKED;
STATIC_ASSERT(offsetof(struct fadt, pm_tmr_blk) == 76);
STATIC_ASSERT(offsetof(struct fadt, century) == 108);
STATIC_ASSERT(offsetof(struct fadt, flags) == 112);
STATIC_ASSERT(offsetof(struct fadt, x_dsdt) == 140);
STATIC_ASSERT(sizeof(struct fadt) == 244);

#define FADT_V1_SIZE        116u

/* Revisions of the table: 3 is ACPI 2.0, the first with iapc_boot_arch. */
#define FADT_REVISION_2_0   3u

/* Table 5.10, `flags`. */
#define TMR_VAL_EXT         BIT(8)          /* the timer has 32 bits */
#define RESET_REG_SUP       BIT(10)

/* Table 5.11, `iapc_boot_arch`. */
#define IAPC_8042           BIT(1)

#define PORT_MAX            UINT16_MAX

/* The port of a register, 0 if it has none or it is not an I/O port. */
static uint16_t
pick_port(const struct acpi_gas *gas, uint32_t legacy)
{
    if (gas->address != 0 && gas->address_space_id == GAS_SYSTEM_IO &&
        gas->address <= PORT_MAX)
        return (uint16_t)gas->address;
    return legacy <= PORT_MAX ? (uint16_t)legacy : 0;
}

/* Memory, a port or configuration space; of anything else we know nothing. */
static void
read_reset(const struct fadt *fadt, struct platform_reset *reset)
{
    const struct acpi_gas *gas = &fadt->reset_reg;

    if (!(fadt->flags & RESET_REG_SUP) || gas->address == 0)
        return;
    if (gas->address_space_id == GAS_SYSTEM_MEMORY)
        reset->space = SPACE_MEMORY;
    else if (gas->address_space_id == GAS_SYSTEM_IO &&
             gas->address <= PORT_MAX)
        reset->space = SPACE_IO;
    else if (gas->address_space_id == GAS_PCI_CONFIG)
        reset->space = SPACE_PCI;
    else
        return;
    reset->address = gas->address;
    reset->value = fadt->reset_value;
}

static void
read_power(const struct fadt *fadt, struct platform_power *power)
{
    power->pm1a_event = pick_port(&fadt->x_pm1a_evt_blk, fadt->pm1a_evt_blk);
    power->pm1b_event = pick_port(&fadt->x_pm1b_evt_blk, fadt->pm1b_evt_blk);
    power->pm1_event_length = fadt->pm1_evt_len;
    power->pm1a_control = pick_port(&fadt->x_pm1a_cnt_blk,
                                    fadt->pm1a_cnt_blk);
    power->pm1b_control = pick_port(&fadt->x_pm1b_cnt_blk,
                                    fadt->pm1b_cnt_blk);
    power->pm_timer = pick_port(&fadt->x_pm_tmr_blk, fadt->pm_tmr_blk);
    power->pm_timer_32bit = (fadt->flags & TMR_VAL_EXT) != 0;
    power->smi_command = fadt->smi_cmd <= PORT_MAX ? (uint16_t)fadt->smi_cmd
                                                   : 0;
    power->acpi_enable = fadt->acpi_enable;
    power->acpi_disable = fadt->acpi_disable;
    power->sci_irq = fadt->sci_int;
    read_reset(fadt, &power->reset);
}

status_t
acpi_read_fadt(const struct acpi_root *root, struct platform_info *info,
               maddr_t *dsdt)
{
    struct acpi_table table;
    struct fadt fadt;
    status_t status = acpi_find_table(root, "FACP", 0, &table);

    if (status != OK)
        return status;
    /* Zeroes stand for what an old, short table does not have. */
    memset(&fadt, 0, sizeof fadt);
    if (table.length < FADT_V1_SIZE ||
        !acpi_table_read(&table, 0, &fadt, MIN(table.length, sizeof fadt))) {
        log_warn(MOD_ACPI, "FADT refused: too short");
        return TRACE_ERR(ERR_CORRUPT);
    }
    read_power(&fadt, &info->power);
    info->century_register = fadt.century;
    if (table.revision >= FADT_REVISION_2_0)
        info->has_i8042 = (fadt.iapc_boot_arch & IAPC_8042) != 0;
    *dsdt = make_maddr(fadt.x_dsdt != 0 ? fadt.x_dsdt : fadt.dsdt);
    return OK;
}
