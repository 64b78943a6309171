/*
 * vdev.c - reset by the table of fields (vdev.h).
 *
 * Fields become 0 and the model's own reset function says what is not 0; so a
 * field that somebody adds cannot be forgotten here.  Called when a VM is
 * created and when it is reset, with its devices locked.
 */
#include "vmm/dev/vdev.h"

#include "kernel/base/string.h"

static void
clear_fields(const struct vdev *d, bool also_kept)
{
    for (unsigned i = 0; i < d->type->field_count; i++) {
        const struct vdev_field *f = &d->type->fields[i];

        if (also_kept || !f->is_kept)
            memset((uint8_t *)d->device + f->offset, 0, f->size);
    }
}

void
vdev_reset(const struct vdev *d)
{
    clear_fields(d, false);
    if (d->type->reset != NULL)
        d->type->reset(d->device);
}

void
vdev_power_on(const struct vdev *d)
{
    clear_fields(d, true);
    if (d->type->reset != NULL)
        d->type->reset(d->device);
}
