/*
 * power.c - power-off and reset (power.h).
 *
 * Power-off is ACPI's S5 state: the sleep type that the firmware's tables name
 * for it goes into the control register of PM1a and PM1b together with SLP_EN
 * (ACPI 6.5, 4.8.3.2.1).  Firmware may own these registers until one writes a
 * command to its SMI port.  Where that fails, or there is no ACPI, follow the
 * ports by which QEMU and Bochs are told to quit; no PC has anything there.
 *
 * Reset goes from the cleanest way to the roughest.  Each gets some time to
 * take effect before the next is tried.
 *
 * Facts: ACPI 6.5 4.8; Intel 82371SB (PIIX3) data sheet for port 0xcf9; Bochs
 * documentation, unmapped device.
 */
#include "drivers/power.h"

#include "drivers/keyboard.h"
#include "drivers/pci_mech1.h"
#include "kernel/base/bits.h"
#include "kernel/clock.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"

#define PM1_SCI_EN      BIT(0)
#define PM1_SLP_TYP     BITS(12, 10)
#define PM1_SLP_EN      BIT(13)

/* PM1 control where QEMU's firmware puts it, and did before version 2.0. */
#define QEMU_PM1        0x604u
#define QEMU_OLD_PM1    0xb004u
#define BOCHS_SHUTDOWN  0x8900u         /* wants the word, byte by byte */

#define RESET_CONTROL   0xcf9u
#define RESET_SYSTEM    BIT(1)
#define RESET_CPU       BIT(2)          /* its rising edge resets */

/* An address in PCI configuration space (ACPI 6.5, 5.2.3.2). */
#define GAS_PCI_DEVICE  BITS64(47, 32)
#define GAS_PCI_FUNCTION BITS64(31, 16)
#define GAS_PCI_OFFSET  BITS64(15, 0)
#define PCI_SLOTS       32u
#define PCI_FUNCTIONS   8u
#define PCI_REGS        256u

#define STEP_US         1000u
#define PATIENCE_MS     100u
#define ENABLE_MS       300u

static struct platform_power power;
static void *reset_memory;              /* mapped, if it is there */

void
power_init(const struct platform_info *platform)
{
    power = platform->power;
    if (power.reset.space == SPACE_MEMORY)
        reset_memory = mmio_map(make_maddr(power.reset.address), 1);
}

static void
wait_ms(unsigned ms)
{
    for (; ms > 0; ms--)
        clock_delay_us(STEP_US);
}

/* --- Off ----------------------------------------------------------------- */

/* Take the PM1 registers over from the firmware, if it still has them. */
static void
take_acpi(void)
{
    if ((in16(power.pm1a_control) & PM1_SCI_EN) || power.smi_command == 0 ||
        power.acpi_enable == 0)
        return;
    out8(power.smi_command, power.acpi_enable);
    for (unsigned i = 0; i < ENABLE_MS; i++) {
        if (in16(power.pm1a_control) & PM1_SCI_EN)
            return;
        wait_ms(1);
    }
}

/* SLP_EN comes last and alone: some chips look at the type only then. */
static void
enter_sleep(uint16_t port_a, uint16_t port_b)
{
    uint16_t a, b = 0;

    a = (uint16_t)FIELD_SET(in16(port_a), PM1_SLP_TYP, power.s5_type_a);
    out16(port_a, a);
    if (port_b != 0) {
        b = (uint16_t)FIELD_SET(in16(port_b), PM1_SLP_TYP, power.s5_type_b);
        out16(port_b, b);
    }
    out16(port_a, (uint16_t)(a | PM1_SLP_EN));
    if (port_b != 0)
        out16(port_b, (uint16_t)(b | PM1_SLP_EN));
}

static void
quit_emulator(void)
{
    static const char word[] = "Shutdown";

    out16(QEMU_PM1, PM1_SLP_EN);
    out16(QEMU_OLD_PM1, PM1_SLP_EN);
    for (size_t i = 0; i < sizeof(word) - 1; i++)
        out8(BOCHS_SHUTDOWN, (uint8_t)word[i]);
}

void
power_off(void)
{
    cli();
    if (power.pm1a_control != 0 && power.has_s5) {
        take_acpi();
        enter_sleep(power.pm1a_control, power.pm1b_control);
        wait_ms(PATIENCE_MS);
    }
    quit_emulator();
    wait_ms(PATIENCE_MS);
}

/* --- Reset --------------------------------------------------------------- */

/* One byte of configuration space, by way of the doubleword around it. */
static void
reset_by_pci(void)
{
    const struct pci_config *config = pci_mech1_find();
    uint64_t gas = power.reset.address;
    uint32_t slot = (uint32_t)FIELD_GET(gas, GAS_PCI_DEVICE);
    uint32_t function = (uint32_t)FIELD_GET(gas, GAS_PCI_FUNCTION);
    uint32_t offset = (uint32_t)FIELD_GET(gas, GAS_PCI_OFFSET);
    struct pci_address address = {
        .slot = (uint8_t)slot, .function = (uint8_t)function
    };
    uint32_t byte_mask = 0xffu << offset % 4 * 8;
    uint32_t value;

    if (config == NULL || slot >= PCI_SLOTS || function >= PCI_FUNCTIONS ||
        offset >= PCI_REGS)
        return;
    value = config->read(address, ROUND_DOWN(offset, 4));
    config->write(address, ROUND_DOWN(offset, 4),
                  FIELD_SET(value, byte_mask, power.reset.value));
}

static void
reset_by_firmware(void)
{
    switch (power.reset.space) {
    case SPACE_IO:
        out8((uint16_t)power.reset.address, power.reset.value);
        break;
    case SPACE_MEMORY:
        if (reset_memory != NULL)
            mmio_write8(reset_memory, power.reset.value);
        break;
    case SPACE_PCI:
        reset_by_pci();
        break;
    case SPACE_NONE:
        return;
    }
    wait_ms(PATIENCE_MS);
}

void
power_reset(void)
{
    cli();
    reset_by_firmware();
    keyboard_reset_machine();
    wait_ms(PATIENCE_MS);
    out8(RESET_CONTROL, RESET_SYSTEM);
    out8(RESET_CONTROL, RESET_SYSTEM | RESET_CPU);
    wait_ms(PATIENCE_MS);
    triple_fault();
}
