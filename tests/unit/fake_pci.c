/*
 * fake_pci.c - configuration space of imaginary PCI functions (fake_pci.h).
 */
#include "unit/fake_pci.h"

#include <assert.h>
#include <string.h>

#define COMMAND         1
#define COMMAND_DECODE  3u
#define BAR_FIRST       4
#define BAR_LAST        9

static struct fake_pci functions[FAKE_PCI_MAX];
static unsigned count;
static unsigned reads;

void
fake_pci_reset(void)
{
    memset(functions, 0, sizeof(functions));
    count = 0;
    reads = 0;
}

unsigned
fake_pci_reads(void)
{
    return reads;
}

struct fake_pci *
fake_pci_add(struct pci_address address, uint32_t id, uint32_t class)
{
    struct fake_pci *f = &functions[count++];

    assert(count <= FAKE_PCI_MAX);
    f->address = address;
    f->regs[0] = id;
    f->regs[2] = class;
    f->writable[COMMAND] = 0xffff;
    return f;
}

static struct fake_pci *
find(struct pci_address a)
{
    for (unsigned i = 0; i < count; i++) {
        const struct pci_address *b = &functions[i].address;

        if (a.bus == b->bus && a.slot == b->slot && a.function == b->function)
            return &functions[i];
    }
    return NULL;
}

static uint32_t
fake_read(struct pci_address address, unsigned reg)
{
    const struct fake_pci *f = find(address);

    assert(reg % 4 == 0 && reg / 4 < FAKE_PCI_REGS);
    reads++;
    return f == NULL ? UINT32_MAX : f->regs[reg / 4];
}

static void
fake_write(struct pci_address address, unsigned reg, uint32_t value)
{
    struct fake_pci *f = find(address);
    unsigned i = reg / 4;

    assert(reg % 4 == 0 && i < FAKE_PCI_REGS);
    if (f == NULL)
        return;
    if (i >= BAR_FIRST && i <= BAR_LAST &&
        (f->regs[COMMAND] & COMMAND_DECODE))
        f->bad_writes++;
    f->regs[i] = (f->regs[i] & ~f->writable[i]) | (value & f->writable[i]);
    /* The status half: what is written as 1 is cleared. */
    if (i == COMMAND)
        f->regs[i] &= ~(value & 0xf9000000);
}

const struct pci_config fake_pci_config = {
    .read = fake_read, .write = fake_write,
};
