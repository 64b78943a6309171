/*
 * cmd_pci.c - `pci`: the functions on the PCI buses, one line each; with -v
 * also what they decode and can.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "drivers/pci.h"
#include "drivers/pci_driver.h"
#include "drivers/pci_ids.h"
#include "kernel/base/format.h"

#define TEXT_SIZE   128u

static const char *
capability_name(uint8_t id)
{
    switch (id) {
    case PCI_CAP_POWER:  return "power";
    case PCI_CAP_MSI:    return "MSI";
    case PCI_CAP_VENDOR: return "vendor";
    case PCI_CAP_PCIE:   return "PCIe";
    case PCI_CAP_MSIX:   return "MSI-X";
    default:             return NULL;
    }
}

static void
show_function(const struct pci_device *d)
{
    const char *vendor = pci_vendor_name(d->vendor);
    const char *device = pci_device_name(d->vendor, d->device);
    char label[TEXT_SIZE], text[TEXT_SIZE];

    format_buf(label, sizeof(label), "%02x:%02x.%x %04x:%04x  ",
               d->address.bus, d->address.slot, d->address.function,
               d->vendor, d->device);
    format_buf(text, sizeof(text), "%s%s%s%s%s",
               pci_class_name(d->base_class, d->subclass),
               vendor != NULL ? ": " : "", vendor != NULL ? vendor : "",
               device != NULL ? " " : "", device != NULL ? device : "");
    output_folded(label, text);
}

static void
show_bar(unsigned i, const struct pci_bar *bar)
{
    char size[UNITS_SIZE];

    if (bar->kind == PCI_BAR_NONE)
        return;
    output_print("        BAR %u: %s %#llx, %s%s\n", i,
                 bar->kind == PCI_BAR_IO ? "ports" : "memory",
                 (unsigned long long)bar->base,
                 units_bytes(size, bar->size),
                 bar->prefetchable ? ", prefetchable" : "");
}

static void
show_capabilities(const struct pci_device *d)
{
    unsigned at = 0;
    bool any = false;
    uint8_t id;

    while ((at = pci_next_capability(d, at, &id)) != 0) {
        const char *name = capability_name(id);

        output_print("%s", any ? ", " : "        can: ");
        if (name != NULL)
            output_print("%s", name);
        else
            output_print("%#x", id);
        any = true;
    }
    if (any)
        output_print("\n");
}

static void
show_details(const struct pci_device *d)
{
    output_print("        class %02x%02x%02x revision %02x", d->base_class,
                 d->subclass, d->interface, d->revision);
    if (d->irq_pin != 0)
        output_print(", INT%c# on line %u", 'A' + d->irq_pin - 1,
                     d->irq_line);
    if (d->driver != NULL)
        output_print(", driver %s", d->driver->name);
    output_print("\n");
    for (unsigned i = 0; i < PCI_BARS; i++)
        show_bar(i, &d->bars[i]);
    show_capabilities(d);
}

void
cmd_pci(const struct args *args)
{
    bool verbose = args_option(args, 'v') != NULL;

    for (unsigned i = 0; i < pci_device_count(); i++) {
        show_function(pci_device_get(i));
        if (verbose)
            show_details(pci_device_get(i));
    }
    if (pci_device_count() == 0)
        output_print("there are no PCI devices\n");
}
