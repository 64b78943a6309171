/*
 * vpci.c - configuration cycles (vpci.h).
 *
 * There is one bus, number 0.  Nothing at an address reads as all ones, which
 * is how software finds out.  CF8h is a register for doublewords only; other
 * accesses there pass on to the ISA bus, where CF9h is.
 *
 * Called at port accesses, with the VM's devices locked.
 */
#include "vmm/dev/vpci.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/string.h"

#define ADDRESS_PORT    0xcf8u
#define DATA_PORT       0xcfcu
#define DATA_PORTS      4u

#define ADDRESS_ENABLE  BIT(31)
#define ADDRESS_BUS     BITS(23, 16)
#define ADDRESS_SLOT    BITS(15, 11)
#define ADDRESS_FUNCTION BITS(10, 8)
#define ADDRESS_REGISTER BITS(7, 2)
#define ADDRESS_BITS    (ADDRESS_ENABLE | BITS(23, 2))

#define BITS_PER_BYTE   8u
#define DWORD_BITS      32u

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vpci, address, 1),
};

const struct vdev_type vpci_type = {
    .name = "pci", .version = 1, .size = sizeof(struct vpci),
    .fields = fields, .field_count = ARRAY_LEN(fields),
};

/* The function that CF8h selects, or NULL. */
static struct vpci_function *
selected(const struct vpci *pci)
{
    if ((pci->address & ADDRESS_ENABLE) == 0 ||
        FIELD_GET(pci->address, ADDRESS_BUS) != 0)
        return NULL;
    for (unsigned i = 0; i < pci->count; i++) {
        struct vpci_function *f = pci->functions[i];

        if (f->slot == FIELD_GET(pci->address, ADDRESS_SLOT) &&
            f->number == FIELD_GET(pci->address, ADDRESS_FUNCTION))
            return f;
    }
    return NULL;
}

/* Without a row, the register is 0 and stays so. */
static const struct vpci_row *
find_row(const struct vpci_function *f, unsigned index)
{
    for (unsigned i = 0; i < f->kind->row_count; i++)
        if (f->kind->rows[i].reg == index * 4)
            return &f->kind->rows[i];
    return NULL;
}

/* Only the bits of BYTES are written. */
static void
write_config(struct vpci_function *f, unsigned index, uint32_t value,
             uint32_t bytes)
{
    const struct vpci_row *row = find_row(f, index);
    uint32_t writable, old = f->config[index];

    if (row == NULL)
        return;
    writable = row->writable & bytes;
    f->config[index] = ((old & ~writable) | (value & writable)) &
                       ~(value & row->clear & bytes);
    if (f->kind->written != NULL)
        f->kind->written(f->device, row->reg);
}

static uint32_t
address_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    const struct vpci *pci = device;

    return pci->address;
}

static void
address_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
            uint32_t value)
{
    struct vpci *pci = device;

    pci->address = value & ADDRESS_BITS;
}

/* The low SIZE bytes. */
static uint32_t
bytes_mask(unsigned size)
{
    return ~0u >> (DWORD_BITS - size * BITS_PER_BYTE);
}

static uint32_t
data_in(void *device, unsigned offset, unsigned size)
{
    const struct vpci *pci = device;
    const struct vpci_function *f = selected(pci);
    unsigned index = FIELD_GET(pci->address, ADDRESS_REGISTER);

    if (f == NULL)
        return bytes_mask(size);
    return f->config[index] >> offset * BITS_PER_BYTE & bytes_mask(size);
}

static void
data_out(void *device, unsigned offset, unsigned size, uint32_t value)
{
    const struct vpci *pci = device;
    struct vpci_function *f = selected(pci);
    unsigned shift = offset * BITS_PER_BYTE;

    if (f != NULL)
        write_config(f, FIELD_GET(pci->address, ADDRESS_REGISTER),
                     value << shift, bytes_mask(size) << shift);
}

void
vpci_init(struct vpci *pci, struct pio_bus *bus)
{
    static const struct pio_ops address = { address_in, address_out };
    static const struct pio_ops data = { data_in, data_out };

    pci->count = 0;
    pio_bus_claim(bus, &(struct pio_range){
        ADDRESS_PORT, 4, PIO_DWORD, &address, pci });
    pio_bus_claim(bus, &(struct pio_range){
        DATA_PORT, DATA_PORTS, PIO_ANY, &data, pci });
}

void
vpci_add(struct vpci *pci, struct vpci_function *function)
{
    ASSERT(pci->count < VPCI_FUNCTIONS_MAX);
    pci->functions[pci->count++] = function;
}

void
vpci_function_reset(struct vpci_function *function)
{
    memset(function->config, 0, sizeof(function->config));
    for (unsigned i = 0; i < function->kind->row_count; i++) {
        const struct vpci_row *row = &function->kind->rows[i];

        function->config[row->reg / 4] = row->value;
    }
}
