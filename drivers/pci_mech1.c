/*
 * pci_mech1.c - PCI configuration mechanism #1 (pci_mech1.h).
 *
 * One port takes the address, the other is the window to the register: the
 * lock makes one operation of the two.  Any context but NMI.
 */
#include "drivers/pci_mech1.h"

#include "kernel/base/bits.h"
#include "kernel/lock.h"
#include "kernel/x86/cpu.h"

#define CONFIG_ADDRESS  0xcf8u
#define CONFIG_DATA     0xcfcu

#define ADDRESS_ENABLE  BIT(31)
#define ADDRESS_BUS     BITS(23, 16)
#define ADDRESS_SLOT    BITS(15, 11)
#define ADDRESS_FUNCTION BITS(10, 8)
#define ADDRESS_REG     BITS(7, 2)

static struct lock config_lock = LOCK_INIT("pci config", RANK_CHIP);

/* holds config_lock */
static void
select_register(struct pci_address a, unsigned reg)
{
    uint32_t address = ADDRESS_ENABLE | (reg & ADDRESS_REG);

    address = FIELD_SET(address, ADDRESS_BUS, a.bus);
    address = FIELD_SET(address, ADDRESS_SLOT, a.slot);
    address = FIELD_SET(address, ADDRESS_FUNCTION, a.function);
    out32(CONFIG_ADDRESS, address);
}

static uint32_t
mech1_read(struct pci_address address, unsigned reg)
{
    uint32_t value;

    lock_acquire(&config_lock);
    select_register(address, reg);
    value = in32(CONFIG_DATA);
    lock_release(&config_lock);
    return value;
}

static void
mech1_write(struct pci_address address, unsigned reg, uint32_t value)
{
    lock_acquire(&config_lock);
    select_register(address, reg);
    out32(CONFIG_DATA, value);
    lock_release(&config_lock);
}

static const struct pci_config mech1 = {
    .read = mech1_read, .write = mech1_write,
};

/* The address register remembers its enable bit where there is one. */
const struct pci_config *
pci_mech1_find(void)
{
    uint32_t old, value;

    lock_acquire(&config_lock);
    old = in32(CONFIG_ADDRESS);
    out32(CONFIG_ADDRESS, ADDRESS_ENABLE);
    value = in32(CONFIG_ADDRESS);
    out32(CONFIG_ADDRESS, old);
    lock_release(&config_lock);
    return value == ADDRESS_ENABLE ? &mech1 : NULL;
}
