/*
 * pci_ids.c - looks names up in pci_ids.def.
 *
 * The tables are short and only people wait for the answer: a walk from the
 * start serves.
 */
#include "drivers/pci_ids.h"

#define ANY_SUBCLASS    0x100u          /* the name of the class itself */

struct class_name {
    uint8_t base_class;
    uint16_t subclass;
    const char *name;
};

struct vendor_name {
    uint16_t vendor;
    const char *name;
};

struct device_name {
    uint16_t vendor;
    uint16_t device;
    const char *name;
};

static const struct class_name classes[] = {
#define PCI_CLASS(base_class, name) { base_class, ANY_SUBCLASS, name },
#define PCI_SUBCLASS(base_class, subclass, name) \
    { base_class, subclass, name },
#include "drivers/pci_ids.def"
};

static const struct vendor_name vendors[] = {
#define PCI_VENDOR(vendor, name) { vendor, name },
#include "drivers/pci_ids.def"
};

static const struct device_name devices[] = {
#define PCI_DEVICE(vendor, device, name) { vendor, device, name },
#include "drivers/pci_ids.def"
};

static const char *
find_class(uint8_t base_class, unsigned subclass)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (classes[i].base_class == base_class &&
            classes[i].subclass == subclass)
            return classes[i].name;
    }
    return NULL;
}

const char *
pci_class_name(uint8_t base_class, uint8_t subclass)
{
    const char *name = find_class(base_class, subclass);

    if (name == NULL)
        name = find_class(base_class, ANY_SUBCLASS);
    return name != NULL ? name : "unknown class";
}

const char *
pci_vendor_name(uint16_t vendor)
{
    for (size_t i = 0; i < ARRAY_LEN(vendors); i++) {
        if (vendors[i].vendor == vendor)
            return vendors[i].name;
    }
    return NULL;
}

const char *
pci_device_name(uint16_t vendor, uint16_t device)
{
    for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
        if (devices[i].vendor == vendor && devices[i].device == device)
            return devices[i].name;
    }
    return NULL;
}
