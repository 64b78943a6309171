/*
 * devices.h - ports of the chips that every PC has, and how tests make an
 * interrupt request that waits.  Data sheets: 8259A, 8254, MC146818, PC16550D;
 * 82371AB for ELCR and port 61h.
 */
#ifndef TESTS_GUEST_DEVICES_H
#define TESTS_GUEST_DEVICES_H

#include "guest/guest.h"

#define PIC1            0x20            /* master: command; +1 is the mask */
#define PIC2            0xa0
#define ICW1_INIT_ICW4  0x11
#define ICW4_8086       0x01
#define OCW2_EOI        0x20
#define OCW2_SPECIFIC   0x60            /* EOI of the level in bits 2:0 */
#define OCW3_READ_IRR   0x0a
#define OCW3_READ_ISR   0x0b
#define OCW3_POLL       0x0c
#define IRQ_TIMER       0
#define IRQ_KEYBOARD    1
#define IRQ_CASCADE     2
#define IRQ_COM2        3
#define IRQ_COM1        4
#define IRQ_RTC         8
#define IRQ_MOUSE       12

#define PIT_0           0x40
#define PIT_2           0x42
#define PIT_COMMAND     0x43
#define PIT_LATCH       0x00
#define PIT_LOW         0x10
#define PIT_HIGH        0x20
#define PIT_LOW_HIGH    0x30            /* both bytes, low first */
#define PIT_MODE(n)     ((n) << 1)
#define PIT_BCD         BIT(0)
#define PIT_STATUS_0    0xe2            /* read back: the status byte next */
#define PIT_OUT         BIT(7)          /* of it */
#define PIT_CHANNEL_2   0x80
#define PORT_61         0x61
#define P61_GATE_2      BIT(0)
#define P61_SPEAKER     BIT(1)
#define P61_REFRESH     BIT(4)
#define P61_OUT_2       BIT(5)

#define RTC_INDEX       0x70
#define RTC_DATA        0x71

#define COM1            0x3f8
#define COM2            0x2f8
#define UART_IER        1
#define UART_IIR        2               /* FCR when written */
#define UART_LCR        3
#define UART_MCR        4
#define UART_LSR        5
#define UART_MSR        6
#define UART_SCRATCH    7
#define IER_THRE        BIT(1)
#define MCR_OUT2        BIT(3)
#define LSR_TEMT        BIT(6)

#define PATIENCE        2000000u        /* polls, before a test gives up */

static inline uint8_t
pic_read(uint16_t pic, uint8_t what)
{
    out8(pic, what);
    return in8(pic);
}

static inline void
pit_set(uint16_t port, uint8_t command, uint16_t count)
{
    out8(PIT_COMMAND, command);
    out8(port, (uint8_t)count);
    out8(port, (uint8_t)(count >> 8));
}

/* Wait until IRR of PIC shows LEVEL; false: it never did. */
static inline bool
pic_wait(uint16_t pic, unsigned level)
{
    for (uint32_t n = 0; n < PATIENCE; n++)
        if (pic_read(pic, OCW3_READ_IRR) & BIT(level))
            return true;
    return false;
}

/* Wait until channel 0's output is high. */
static inline bool
pit_wait(void)
{
    for (uint32_t n = 0; n < PATIENCE; n++) {
        out8(PIT_COMMAND, PIT_STATUS_0);
        if (in8(PIT_0) & PIT_OUT)
            return true;
    }
    return false;
}

/* Make IRQ 0 wait for the CPU, not masked; IF must be clear. */
static inline bool
timer_request(void)
{
    out8(PIC1, OCW2_EOI);
    pit_set(PIT_0, PIT_LOW_HIGH | PIT_MODE(0), 100);
    out8(PIC1 + 1, (uint8_t)~BIT(IRQ_TIMER));
    return pit_wait() && pic_wait(PIC1, IRQ_TIMER);
}

/* Take back what timer_request() did, whether it was served or not. */
static inline void
timer_stop(void)
{
    out8(PIC1 + 1, UINT8_MAX);
    out8(PIC1, OCW2_EOI);
}

/* The vector that comes if interrupts are allowed, or VEC_DONE. */
uint32_t vector_taken(void);

/* HLT until one comes. */
uint32_t vector_waited_for(void);

/* ICW1 to ICW4; everything is masked. */
void pic_init(uint16_t pic, uint8_t vectors, uint8_t cascade, uint8_t icw4);

/* COM2's interrupt line goes up, and stays; goes down. */
void com2_raise(void);
void com2_drop(void);

/* So many periods of the 8254, by its channel 2. */
void pass_time(uint16_t count);

uint8_t rtc_read(uint8_t index);
void rtc_write(uint8_t index, uint8_t value);

#endif
