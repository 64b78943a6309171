/*
 * vpit.h - the 8254 interval timer with port 61h: the system timer on IRQ 0,
 * memory refresh, and the speaker's tone.
 *
 * Data sheets: Intel 8254 (order 231164); 82371AB 4.2.2 and port 61h (NSC) in
 * 4.2.6.
 *
 * A counter is a start and a count; what it shows and whether OUT is high is
 * computed from the clock when somebody looks.
 */
#ifndef VMM_DEV_VPIT_H
#define VMM_DEV_VPIT_H

#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

#define VPIT_HZ         1193182u
#define VPIT_COUNTERS   3u

/* Times are in periods of the timer's clock; a start may lie before 0. */
struct vpit_counter {
    int64_t  start;             /* when `count` was loaded */
    int64_t  frozen;            /* elapsed, while it is not counting */
    int64_t  reload_at;         /* when `reload` takes over, if pending */
    uint64_t edges;             /* of OUT, upwards, since `start`: reported */
    uint32_t count, reload;     /* 1 to 65536 */
    uint16_t latch;             /* a value caught for reading */
    uint8_t  control;           /* RW, mode and BCD as in the control word */
    uint8_t  status;            /* caught for reading */
    uint8_t  low;               /* the first byte of two that was written */
    uint8_t  flags;             /* enum vpit_flag */
};

enum vpit_flag {
    PIT_GATE = 1,               /* the pin is high */
    PIT_LOADED = 2,             /* a count was written since the mode was */
    PIT_COUNTING = 4,
    PIT_RELOAD = 8,             /* a new count waits for reload_at */
    PIT_LATCHED = 16,
    PIT_STATUS = 32,            /* status is caught */
    PIT_READ_HIGH = 64,         /* the next byte read is the second */
    PIT_WRITE_HIGH = 128,
};

struct vpit {
    const struct vclock *clock;
    struct irq_wire irq;

    struct vpit_counter counter[VPIT_COUNTERS];
    uint64_t tick_at;           /* ns: no interrupt before */
    uint64_t backlog;           /* ticks that are late */
    uint8_t  port_61;
};

extern const struct vdev_type vpit_type;

/* Claims the ports 40h and 61h. */
void vpit_init(struct vpit *pit, struct pio_bus *bus,
               const struct vclock *clock, struct irq_wire irq);

#endif
