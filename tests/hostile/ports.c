/*
 * ports.c - random values to all ports, in all sizes.
 *
 * Tame, it leaves out what resets the VM or switches it off: then the devices
 * have to work again once they are programmed as usual, which is shown by a
 * tick and by what is printed.  Wild, it leaves out nothing, and ends as it
 * may.  The numbers are the same each time.
 *
 * A20 is switched, too: code and data are where that makes no difference.
 */
#include "hostile/hostile.h"

#include "guest/devices.h"

#define SEEDS           4u
#define ACCESSES        4000u
#define WILD_ACCESSES   20000u
#define STRING          16u
#define PORT_92         0x92
#define KBC_DATA        0x60
#define KBC             0x64
#define KBC_PULSES      0xf0            /* and above, if bit 0 is clear */
#define RESET_BIT       BIT(0)          /* of 92h; of P2, upside down */
#define RESET_CONTROL   0xcf9
#define RC_RESET        BIT(2)
#define PCI_DATA        0xcfc
#define PM_CONTROL_HIGH 0x1005
#define SUS_EN          BIT(5)          /* there */

static const uint16_t known[] = {
    0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61,
    0x64, 0x70, 0x71, 0x80, 0x92, 0xf0, 0x3f8, 0x3f9, 0x3fa, 0x3fb, 0x3fc,
    0x3fd, 0x3fe, 0x3ff, 0x2f8, 0x2f9, 0x2fa, 0x2fb, 0x2fc, 0x2fd, 0x2ff,
    0xcf8, 0xcf9, 0xcfc, 0xcfd, 0xcfe, 0x1000, 0x1002, 0x1004, 0x1008, 0x1034,
    0x5658, 0x5659, 0xfffe, 0xffff,
};

static uint32_t state;
static uint8_t buffer[STRING];

static uint32_t
next(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* A byte that would end us at PORT, made harmless. */
static uint8_t
tame_byte(uint16_t port, uint8_t byte)
{
    switch (port) {
    case KBC:
        return byte >= KBC_PULSES ? byte | RESET_BIT : byte;
    case KBC_DATA:
        return byte | RESET_BIT;
    case PORT_92:
        return byte & (uint8_t)~RESET_BIT;
    case RESET_CONTROL:
        return byte & (uint8_t)~RC_RESET;
    case PM_CONTROL_HIGH:
        return byte & (uint8_t)~SUS_EN;
    default:
        return byte;
    }
}

/* Nor may the power management's ports go elsewhere, where nobody looks. */
static uint32_t
tame(uint16_t port, uint32_t value)
{
    uint32_t bytes = 0;

    if (port >= PCI_DATA - 3 && port < PCI_DATA + 4 && port != RESET_CONTROL)
        return 0;
    for (unsigned n = 0; n < 4; n++)
        bytes |= (uint32_t)tame_byte((uint16_t)(port + n),
                                     (uint8_t)(value >> 8 * n)) << 8 * n;
    return bytes;
}

static void
write_port(uint16_t port, unsigned size, uint32_t value)
{
    if (size == 0)
        out8(port, (uint8_t)value);
    else if (size == 1)
        out16(port, (uint16_t)value);
    else
        out32(port, value);
}

static void
read_port(uint16_t port, unsigned size)
{
    void *to = buffer;
    uint32_t count = STRING;

    if (size == 0)
        (void)in8(port);
    else if (size == 1)
        (void)in16(port);
    else if (size == 2)
        (void)in32(port);
    else
        __asm__ volatile("rep insb" : "+D"(to), "+c"(count) : "d"(port)
                         : "memory");
}

static void
attack(uint32_t seed, unsigned accesses, bool is_tame)
{
    state = seed;
    for (unsigned n = 0; n < accesses; n++) {
        uint32_t dice = next(), value = next();
        uint16_t port = dice & 7 ? known[(dice >> 8) % ARRAY_LEN(known)]
                                 : (uint16_t)(dice >> 8);

        if (dice >> 30 == 0)
            read_port(port, value & 3);
        else
            write_port(port, (dice >> 28 & 3) % 3, is_tame ? tame(port, value)
                                                           : value);
    }
}

TOPIC(ports)
{
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        attack(seed, ACCESSES, true);
        machine_init();
        report_init();
        print("seed %u\n", seed);
        if (!timer_request() || vector_taken() != VEC_IRQ0 + IRQ_TIMER)
            check("the timer ticks no more", seed, 0);
        timer_stop();
    }
    check("all seeds are through", SEEDS, SEEDS);
    report_done();
    attack(SEEDS + 1, WILD_ACCESSES, false);
    machine_init();
    report_init();
}
