/*
 * vrtc.h - the MC146818 real-time clock and its memory, ports 70h and 71h.
 *
 * Data sheets: Motorola MC146818A; 82371AB 4.2.5 for port 70h's NMI bit.
 * Registers 0Eh to 7Fh are memory; by the convention of PCs 0Fh is the
 * shutdown byte and 32h the century, which the clock keeps too.
 *
 * The clock shows UTC as the owner has it, until the guest sets it: then the
 * difference stays, reset or not, as long as the VM exists.
 */
#ifndef VMM_DEV_VRTC_H
#define VMM_DEV_VRTC_H

#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vdev.h"

#define VRTC_CMOS_SIZE  128u

struct vrtc {
    const struct vclock *clock;
    struct irq_wire irq;

    uint8_t  cmos[VRTC_CMOS_SIZE];
    uint64_t base;              /* seconds of year 0... */
    uint64_t base_at;           /* ...that it was at this time */
    uint64_t shown;             /* the second that the registers show */
    uint64_t synced_at;         /* flags tell of events up to then */
    uint64_t tick_at;           /* no late periodic interrupt before */
    uint32_t backlog;           /* periodic interrupts that are late */
    uint8_t  index;             /* as written to port 70h, NMI bit included */
};

extern const struct vdev_type vrtc_type;

/* Claims the ports 70h and 71h. */
void vrtc_init(struct vrtc *rtc, struct pio_bus *bus,
               const struct vclock *clock, struct irq_wire irq);

/* Does port 70h keep NMIs away from the processor? */
bool vrtc_is_nmi_masked(const struct vrtc *rtc);

/* What firmware writes into the memory: REG is not a register of the clock. */
void vrtc_set_memory(struct vrtc *rtc, unsigned reg, uint8_t value);

#endif
