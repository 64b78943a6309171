/*
 * fuzz_pci.c - a PCI bus that never says the same twice: each doubleword read
 * from configuration space is the next four bytes of the input, and all ones
 * behind its end.  The scan must end, and what it found must keep the promises
 * of drivers/pci.h.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/pci.h"

#define REQUIRE(x)      do { if (!(x)) abort(); } while (0)

/* 256 buses of 32 slots of 8 functions, some 40 reads each at the most. */
#define READS_MAX       (256 * 32 * 8 * 40)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;
static unsigned reads;

static uint32_t
stream_read(struct pci_address address, unsigned reg)
{
    uint32_t value;

    REQUIRE(address.slot < 32 && address.function < 8);
    REQUIRE(reg % 4 == 0 && reg < 256);
    REQUIRE(++reads < READS_MAX);
    if (left < sizeof(value))
        return UINT32_MAX;
    memcpy(&value, input, sizeof(value));
    input += sizeof(value);
    left -= sizeof(value);
    return value;
}

static void
stream_write(struct pci_address address, unsigned reg, uint32_t value)
{
    (void)value;
    REQUIRE(address.slot < 32 && address.function < 8);
    REQUIRE(reg % 4 == 0 && reg < 256);
}

static const struct pci_config stream = {
    .read = stream_read, .write = stream_write,
};

static void
check_device(const struct pci_device *dev)
{
    unsigned line;

    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &dev->bars[i];

        if (bar->kind == PCI_BAR_NONE)
            continue;
        REQUIRE(bar->size != 0 && (bar->size & (bar->size - 1)) == 0);
        REQUIRE(bar->base % bar->size == 0);
    }
    if (pci_irq_line(dev, &line) == OK)
        REQUIRE(line < 16);
    if (pci_enable_msi(dev, 0x80, 0) != OK)
        (void)pci_find_capability(dev, PCI_CAP_MSIX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input = data;
    left = size;
    reads = 0;
    pci_scan(&stream);
    REQUIRE(pci_device_count() <= PCI_DEVICES_MAX);
    for (unsigned i = 0; i < pci_device_count(); i++)
        check_device(pci_device_get(i));
    return 0;
}
