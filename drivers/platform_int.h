/*
 * platform_int.h - what the parsers of firmware tables share: building up a
 * struct platform_info without breaking its promises (drivers/platform.h).
 */
#ifndef DRIVERS_PLATFORM_INT_H
#define DRIVERS_PLATFORM_INT_H

#include "drivers/platform.h"

/*
 * Forget processors, I/O APICs and wiring: ISA line n goes to GSI n, edge,
 * high.  What every parser of them begins with, and ends with when it fails.
 */
void platform_reset_wiring(struct platform_info *info);

/* False, and nothing is added, if there is one with this id or no room. */
bool platform_add_cpu(struct platform_info *info,
                      const struct platform_cpu *cpu);
bool platform_add_ioapic(struct platform_info *info,
                         const struct platform_ioapic *ioapic);

/* The I/O APIC with this id, or NULL. */
const struct platform_ioapic *
platform_find_ioapic(const struct platform_info *info, uint8_t id);

/*
 * ISA LINE (< PLATFORM_ISA_IRQS) goes to GSI.  A line that went there only by
 * default is not connected any more.
 */
void platform_route_isa(struct platform_info *info, unsigned line,
                        uint32_t gsi, struct irq_mode mode);

bool platform_has_enabled_cpu(const struct platform_info *info);

#endif
