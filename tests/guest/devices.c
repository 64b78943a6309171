/*
 * devices.c - what tests of several devices need (devices.h).
 *
 * Interrupts are taken by contexts only, so a handler's return is never at
 * stake here.  COM2 is nobody's console: its transmitter is always empty, and
 * so its interrupt line is a lever.
 */
#include "guest/devices.h"

SNIPPET(wait, "", "nop", "nop");
SNIPPET(halt, "", "hlt", "nop");

static uint32_t
vector_in(const struct snippet *s)
{
    struct context c;

    context_init(&c, s->start, 0);
    c.eflags |= EFLAGS_IF;
    context_run(&c);
    return c.vector;
}

uint32_t
vector_taken(void)
{
    return vector_in(&wait);
}

uint32_t
vector_waited_for(void)
{
    return vector_in(&halt);
}

void
pic_init(uint16_t pic, uint8_t vectors, uint8_t cascade, uint8_t icw4)
{
    out8(pic, ICW1_INIT_ICW4);
    out8(pic + 1, vectors);
    out8(pic + 1, cascade);
    out8(pic + 1, icw4);
    out8(pic + 1, UINT8_MAX);
}

void
com2_raise(void)
{
    out8(COM2 + UART_LCR, 0);
    out8(COM2 + UART_IER, 0);
    out8(COM2 + UART_MCR, MCR_OUT2);
    while ((in8(COM2 + UART_LSR) & LSR_TEMT) == 0)
        cpu_pause();
    out8(COM2 + UART_IER, IER_THRE);
}

void
com2_drop(void)
{
    out8(COM2 + UART_IER, 0);
    (void)in8(COM2 + UART_IIR);
}

void
pass_time(uint16_t count)
{
    uint8_t port_61 = in8(PORT_61) & ~(P61_GATE_2 | P61_SPEAKER);

    out8(PORT_61, port_61 | P61_GATE_2);
    pit_set(PIT_2, PIT_CHANNEL_2 | PIT_LOW_HIGH | PIT_MODE(0), count);
    while ((in8(PORT_61) & P61_OUT_2) == 0)
        cpu_pause();
}

uint8_t
rtc_read(uint8_t index)
{
    out8(RTC_INDEX, index);
    return in8(RTC_DATA);
}

void
rtc_write(uint8_t index, uint8_t value)
{
    out8(RTC_INDEX, index);
    out8(RTC_DATA, value);
}
