/*
 * interrupts.h - chooses the hardware that interrupts come through.
 */
#ifndef DRIVERS_INTERRUPTS_H
#define DRIVERS_INTERRUPTS_H

#include "drivers/platform.h"
#include "kernel/base/memory_map.h"

/*
 * Set up the interrupt controllers, the timer and the interrupts between
 * processors for the machine that PLATFORM describes, with its RAM in MAP; on
 * return interrupts can be registered.  USE_APIC false: as if there were no
 * APIC.  Boot processor, interrupts masked; needs the clock and mmio_map.
 */
MUST_CHECK status_t interrupts_init(const struct platform_info *platform,
                                    const struct memory_map *map,
                                    bool use_apic);

#endif
