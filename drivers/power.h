/*
 * power.h - switching the machine off, and resetting it.
 *
 * Each tries what the firmware told, then what is known to work on emulators
 * and old PCs.  Flush the consoles and bring everything to rest before: after
 * these calls there is no way back.  Any context; interrupts become masked.
 */
#ifndef DRIVERS_POWER_H
#define DRIVERS_POWER_H

#include "drivers/platform.h"

/* Remember the registers of PLATFORM.  Needs mmio_map. */
void power_init(const struct platform_info *platform);

/* Returns only on machines that can only be switched off by hand. */
void power_off(void);

NORETURN void power_reset(void);

#endif
