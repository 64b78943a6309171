/*
 * vmm_events.h - a ring of the monitor's last events, in pages that the
 * VMkernel reads when the VM has crashed.
 *
 * Written by the monitor alone, a few instructions an event; not trusted.
 */
#ifndef VMM_VMM_EVENTS_H
#define VMM_VMM_EVENTS_H

#include "kernel/base/types.h"

enum vmm_event {
#define VMM_EVENT(name, format) NOTE_##name,
#include "vmm/vmm_events.def"
#undef VMM_EVENT
    NOTE_COUNT
};

#define VMM_EVENTS_KEPT 1000u

struct vmm_event_record {
    uint32_t kind;              /* enum vmm_event */
    uint32_t word[3];
};

struct vmm_events {
    uint32_t next;              /* counts all events; wraps */
    uint32_t unused[3];
    struct vmm_event_record record[VMM_EVENTS_KEPT];
};
STATIC_ASSERT(sizeof(struct vmm_events) <= 4 * 4096);

#endif
