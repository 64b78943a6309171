/*
 * event_log.h - noting an event: see vmm/vmm_events.h.
 */
#ifndef VMM_CORE_EVENT_LOG_H
#define VMM_CORE_EVENT_LOG_H

#include "vmm/layout.h"
#include "vmm/vmm_events.h"

static struct vmm_events *const vmm_events = (void *)VMM_EVENTS_AT;

static inline void
event_note(enum vmm_event kind, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t n = vmm_events->next++ % VMM_EVENTS_KEPT;

    vmm_events->record[n] = (struct vmm_event_record){ kind, { a, b, c } };
}

#endif
