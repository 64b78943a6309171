/*
 * pio_bus.h - which device answers at a port.
 *
 * A range says which access sizes its device decodes.  An access that no range
 * takes whole is split in halves, down to bytes, as a PCI-to-ISA bridge does
 * for narrow devices (82371AB 4.1: 16- and 32-bit cycles become 8-bit ones,
 * lowest address first); bytes that nobody claims read as all ones, and writes
 * to them go nowhere.  This also gives a doubleword register its exclusive
 * meaning beside byte registers at the same place, as CF8h and CF9h have it.
 *
 * Filled when a VM is created; later only pio_bus_move().  No locks of its
 * own: the VM's devices are locked.
 */
#ifndef VMM_DEV_PIO_BUS_H
#define VMM_DEV_PIO_BUS_H

#include "kernel/base/types.h"

#define PIO_RANGES_MAX  40u

/* Which sizes a range decodes: the sizes themselves, ORed. */
enum pio_sizes {
    PIO_BYTE = 1,
    PIO_WORD = 2,
    PIO_DWORD = 4,
    PIO_ANY = PIO_BYTE | PIO_WORD | PIO_DWORD,
};

/*
 * OFFSET is from the start of the range; all SIZE bytes are inside it.  The
 * port is a multiple of SIZE: misaligned accesses are split too.
 */
struct pio_ops {
    uint32_t (*in)(void *device, unsigned offset, unsigned size);
    void (*out)(void *device, unsigned offset, unsigned size, uint32_t value);
};

struct pio_range {
    uint16_t first;
    uint16_t count;             /* 0: decodes nothing now */
    uint8_t  sizes;             /* enum pio_sizes */
    const struct pio_ops *ops;
    void *device;
};

struct pio_bus {
    unsigned count;
    struct pio_range ranges[PIO_RANGES_MAX];
};

void pio_bus_init(struct pio_bus *bus);

/*
 * Claim a range; returns its number.  Where ranges overlap, the first claimed
 * one answers.  More than PIO_RANGES_MAX is a bug of ours.
 */
unsigned pio_bus_claim(struct pio_bus *bus, const struct pio_range *range);

/* A range whose place the guest programs: COUNT 0 switches it off. */
void pio_bus_move(struct pio_bus *bus, unsigned number, uint16_t first,
                  uint16_t count);

/* SIZE is 1, 2 or 4. */
uint32_t pio_bus_in(struct pio_bus *bus, uint16_t port, unsigned size);
void pio_bus_out(struct pio_bus *bus, uint16_t port, unsigned size,
                 uint32_t value);

#endif
