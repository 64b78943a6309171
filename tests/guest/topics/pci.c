/*
 * pci.c - configuration space by mechanism 1, of whatever functions are there.
 *
 * PCI Local Bus Specification 2.1, 3.2.2.3.2 (CF8h, CFCh), 3.2.2.3.4, 6.1 (the
 * header), 6.2.5.1 (sizes of base addresses).  One function all machines have:
 * an Intel host bridge at 00:00.0, with an ISA bridge beside it.
 */
#include "guest/devices.h"

#define ADDRESS         0xcf8
#define RESET_CONTROL   0xcf9           /* a byte of its own */
#define DATA            0xcfc
#define ENABLE          BIT(31)
#define NO_BUS          (ENABLE | 0x00fe0000)
#define SLOTS           32
#define FUNCTIONS       8

#define REG_ID          0x00
#define REG_COMMAND     0x04
#define REG_CLASS       0x08
#define REG_HEADER      0x0c
#define REG_BAR(n)      (0x10 + 4 * (n))
#define BARS            6
#define HEADER_TYPE     0x007f0000
#define MULTIFUNCTION   0x00800000
#define BAR_IO          BIT(0)
#define DECODES         0x3             /* of the command register */
#define INTEL           0x8086
#define CLASS_HOST      0x0600
#define CLASS_ISA       0x0601

static uint32_t
address_of(unsigned slot, unsigned function, unsigned reg)
{
    return ENABLE | slot << 11 | function << 8 | reg;
}

static uint32_t
read_config(unsigned slot, unsigned function, unsigned reg)
{
    out32(ADDRESS, address_of(slot, function, reg));
    return in32(DATA);
}

static void
write_config(unsigned slot, unsigned function, unsigned reg, uint32_t value)
{
    out32(ADDRESS, address_of(slot, function, reg));
    out32(DATA, value);
}

static void
check_address(void)
{
    uint32_t address = address_of(0, 0, REG_CLASS);

    out32(ADDRESS, address);
    check("CF8h reads back", in32(ADDRESS), address);
    out8(ADDRESS, 0);
    out16(ADDRESS + 2, 0);
    check("CF8h takes doublewords only", in32(ADDRESS), address);
    (void)in8(RESET_CONTROL);
    out8(RESET_CONTROL, 0);
    check("CF9h is another register", in32(ADDRESS), address);
    out32(ADDRESS, address & ~ENABLE);
    check("disabled, there is nothing", in32(DATA), UINT32_MAX);
    out32(ADDRESS, 0);
}

static void
check_sizes(void)
{
    uint32_t id = read_config(0, 0, REG_ID);
    uint32_t class = read_config(0, 0, REG_CLASS), bytes = 0;

    check("the host bridge is Intel's", id & UINT16_MAX, INTEL);
    check("its class", class >> 16, CLASS_HOST);
    out32(ADDRESS, address_of(0, 0, REG_CLASS));
    for (uint16_t n = 0; n < 4; n++)
        bytes |= (uint32_t)in8(DATA + n) << 8 * n;
    check("byte by byte", bytes, class);
    check("the low word", in16(DATA), class & UINT16_MAX);
    check("the high word", in16(DATA + 2), class >> 16);
    write_config(0, 0, REG_ID, ~id);
    check("the identification cannot be written", read_config(0, 0, REG_ID),
          id);
}

/* A register of the ISA bridge's that is all writable: where PIRQs go. */
static void
check_writes(unsigned isa)
{
    uint32_t before = read_config(isa, 0, 0x60);

    write_config(isa, 0, 0x60, 0x80808080);
    out32(ADDRESS, address_of(isa, 0, 0x60));
    out8(DATA + 1, 0x0b);
    check("a byte is written", in32(DATA), 0x80800b80);
    out16(DATA + 2, 0x0a0b);
    check("a word is written", in32(DATA), 0x0a0b0b80);
    write_config(isa, 0, 0x60, before);
    check("a doubleword is written", in32(DATA), before);
}

static void
check_absence(void)
{
    unsigned absent = 0, found = 0;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        uint32_t id = read_config(slot, 0, REG_ID);

        absent += id == UINT32_MAX;
        found += (id & UINT16_MAX) != UINT16_MAX;
    }
    check("a slot is absent or has a vendor", absent + found, SLOTS);
    check("some are absent", absent > 0, true);
    out32(ADDRESS, NO_BUS);
    check("there is no bus 254", in32(DATA), UINT32_MAX);
    check("by words", in16(DATA + 2), UINT16_MAX);
    check("by bytes", in8(DATA + 3), UINT8_MAX);
    out32(DATA, 0);
    check("and writing does nothing", in32(DATA), UINT32_MAX);
}

/* All ones come back with zeros below the size, a power of 2; or all 0. */
static bool
has_right_size(unsigned slot, unsigned function, unsigned n)
{
    uint32_t command = read_config(slot, function, REG_COMMAND);
    uint32_t before = read_config(slot, function, REG_BAR(n)), size;

    write_config(slot, function, REG_COMMAND, command & UINT16_MAX &
                                              ~(uint32_t)DECODES);
    write_config(slot, function, REG_BAR(n), UINT32_MAX);
    size = read_config(slot, function, REG_BAR(n));
    write_config(slot, function, REG_BAR(n), before);
    write_config(slot, function, REG_COMMAND, command & UINT16_MAX);
    size &= size & BAR_IO ? ~0x3u : ~0xfu;
    size = size & BAR_IO ? size | ~(uint32_t)UINT16_MAX : size;
    return ((~size + 1) & ~size) == 0 &&
           read_config(slot, function, REG_BAR(n)) == before;
}

static unsigned
wrong_bars(unsigned slot, unsigned function)
{
    unsigned wrong = 0;

    if ((read_config(slot, function, REG_HEADER) & HEADER_TYPE) != 0)
        return 0;
    for (unsigned n = 0; n < BARS; n++)
        wrong += !has_right_size(slot, function, n);
    return wrong;
}

/* Finds the ISA bridge on the way. */
static unsigned
check_functions(void)
{
    unsigned wrong = 0, stray = 0, isa = SLOTS;

    for (unsigned slot = 0; slot < SLOTS; slot++) {
        bool is_multi = (read_config(slot, 0, REG_HEADER) & MULTIFUNCTION) !=
                        0;

        if (read_config(slot, 0, REG_ID) == UINT32_MAX)
            continue;
        if (read_config(slot, 0, REG_CLASS) >> 16 == CLASS_ISA)
            isa = slot;
        for (unsigned f = 0; f < FUNCTIONS; f++) {
            if (read_config(slot, f, REG_ID) == UINT32_MAX)
                continue;
            stray += f > 0 && !is_multi;
            wrong += wrong_bars(slot, f);
        }
    }
    check("base addresses say their sizes", wrong, 0);
    check("only what says so has more functions", stray, 0);
    check("there is an ISA bridge", isa < SLOTS, true);
    return isa;
}

TOPIC(pci)
{
    unsigned isa;

    check_address();
    check_sizes();
    check_absence();
    isa = check_functions();
    if (isa < SLOTS)
        check_writes(isa);
    out32(ADDRESS, 0);
}
