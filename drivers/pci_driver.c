/*
 * pci_driver.c - finds the PCI functions and offers each to the drivers that
 * match it, until one takes it (pci_driver.h).
 *
 * Runs once, in a world: probing may block.  Where two drivers match, the one
 * that the linker put first has the first try.
 */
#include "drivers/pci_driver.h"

#include "drivers/pci_mech1.h"
#include "kernel/base/log.h"

static bool
try_driver(const struct pci_driver *driver, struct pci_device *dev)
{
    const struct pci_address *a = &dev->address;
    status_t status;

    if (!driver->match(dev))
        return false;
    status = driver->probe(dev);
    if (status != OK) {
        log_error(MOD_PCI, "%02x:%02x.%x %s: %s", a->bus, a->slot,
                  a->function, driver->name, status_text(status));
        return false;
    }
    dev->driver = driver;
    return true;
}

static void
bind_drivers(void)
{
    for (unsigned i = 0; i < pci_device_count(); i++) {
        struct pci_device *dev = pci_device_get(i);
        const struct pci_driver *driver = pci_drivers_start;

        while (dev->driver == NULL && driver < pci_drivers_end &&
               !try_driver(driver, dev))
            driver++;
    }
}

void
pci_init(void)
{
    const struct pci_config *config = pci_mech1_find();

    if (config == NULL) {
        log_info(MOD_PCI, "no PCI (or only by mechanism #2)");
        return;
    }
    pci_scan(config);
    bind_drivers();
}
