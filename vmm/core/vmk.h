/*
 * vmk.h - the monitor's side of the calls to the VMkernel (vmm/vmkcall.def).
 *
 * Each switches to the VMkernel and returns when that comes back, perhaps much
 * later and on another processor.  Allowed with interrupts on or off, save
 * vmk_interrupt(), which wants them off.  Not from within each other.
 */
#ifndef VMM_CORE_VMK_H
#define VMM_CORE_VMK_H

#include "kernel/base/log.h"
#include "kernel/base/types.h"
#include "vmm/layout.h"
#include "vmm/shared.h"

static struct vmm_shared *const vmm_shared = (void *)VMM_SHARED_AT;
static struct vmm_rings *const vmm_rings = (void *)VMM_RINGS_AT;

void vmk_interrupt(unsigned vector);
/* What stands in vmm_shared->wake: sleep until then, or take note of it. */
void vmk_halt(void);
void vmk_timer(void);
void vmk_console(void);
/* False: no memory. */
MUST_CHECK bool vmk_page(uint32_t ppn, bool is_write);
MUST_CHECK bool vmk_shadow_page(uint32_t *table, uint32_t *links);
/* A line for the log: whoever has no va_list has log_info() and its like. */
PRINTF_LIKE(2, 0)
void vmk_log(enum log_level level, const char *format, va_list args);
/* The text, as printf makes it, says why. */
PRINTF_LIKE(2, 3)
NORETURN void vmk_end(enum vmm_end how, const char *format, ...);

#endif
