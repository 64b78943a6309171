/*
 * vm_events.c - the last events of a monitor that did not end well, as text.
 *
 * The ring is in pages that the monitor wrote (vmm/vmm_events.h), so a kind may
 * be any number, and the words are only ever printed as numbers.
 */
#include "kernel/base/format.h"
#include "vmm/vmk/instance_int.h"

#define EVENTS_SHOWN    40u
#define LINE_MAX        80u

static const char *const formats[NOTE_COUNT] = {
#define VMM_EVENT(name, format) [NOTE_##name] = format,
#include "vmm/vmm_events.def"
#undef VMM_EVENT
};

static void
log_event(const struct vm_instance *i, enum log_level level,
          const struct vmm_event_record *e)
{
    char line[LINE_MAX];

    if (e->kind >= NOTE_COUNT)
        return;
    format_buf(line, sizeof(line), formats[e->kind], e->word[0], e->word[1],
               e->word[2]);
    i->params.log(i->params.context, level, line);
}

void
vm_events_log(const struct vm_instance *i, enum log_level level)
{
    uint32_t next = i->events->next;
    uint32_t count = MIN(next, EVENTS_SHOWN);

    for (uint32_t n = next - count; n != next; n++)
        log_event(i, level, &i->events->record[n % VMM_EVENTS_KEPT]);
}
