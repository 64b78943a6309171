/*
 * backend.h - what stands behind a front end: functions that the owner brings.
 *
 * The monitor's owner is the VMkernel behind vmkcalls; vmrun's is a terminal;
 * a test's is an array.  The functions may be called from any device function,
 * must not block, and must not call back into the devices.
 */
#ifndef VMM_DEV_BACKEND_H
#define VMM_DEV_BACKEND_H

#include "kernel/base/types.h"

/*
 * Bytes both ways, with flow control by refusal.  Who refused says when it is
 * worth to ask again by chipset_serial_ready().
 */
struct char_backend_ops {
    /* Take one byte; false: no room, the device keeps it. */
    bool (*write)(void *context, uint8_t byte);
    /* The next byte for the device, asked for when it has room; or false. */
    bool (*read)(void *context, uint8_t *byte);
};

/* Without ops: written bytes are lost, and none comes. */
struct char_backend {
    const struct char_backend_ops *ops;
    void *context;
};

static inline bool
char_backend_write(const struct char_backend *b, uint8_t byte)
{
    return b->ops == NULL || b->ops->write(b->context, byte);
}

static inline bool
char_backend_read(const struct char_backend *b, uint8_t *byte)
{
    return b->ops != NULL && b->ops->read(b->context, byte);
}

#endif
