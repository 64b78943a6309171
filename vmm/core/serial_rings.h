/*
 * serial_rings.h - COM1's back end: the rings shared with the VMkernel.
 *
 * A back end may not block, and a call to the VMkernel for each byte would be
 * dear.  So bytes wait in the output ring until the ring is half full, or for
 * some milliseconds, which a person does not notice; `call_at` says when the
 * VMkernel wants to be called, by whoever may: vmk_console(), followed by
 * serial_rings_called().  It empties the output ring and refills the input.
 *
 * It leaves output where it is only while somebody reads that slowly; then it
 * knows of it, sets VMM_REQUEST_CONSOLE when there is room again, and is not
 * called just because the ring is full.
 *
 * The vcpu's thread.
 */
#ifndef VMM_CORE_SERIAL_RINGS_H
#define VMM_CORE_SERIAL_RINGS_H

#include "vmm/dev/backend.h"
#include "vmm/dev/vdev.h"
#include "vmm/shared.h"

struct serial_rings {
    struct vmm_rings *rings;
    const struct vclock *clock;
    uint64_t call_at;           /* VDEV_NEVER: nothing to tell */
    bool is_behind;             /* the VMkernel left output where it is */
};

void serial_rings_init(struct serial_rings *s, struct vmm_rings *rings,
                       const struct vclock *clock);

struct char_backend serial_rings_backend(struct serial_rings *s);

/* The VMkernel has been here. */
void serial_rings_called(struct serial_rings *s);

/* VMM_REQUEST_CONSOLE: the VMkernel has moved bytes. */
void serial_rings_moved(struct serial_rings *s);

#endif
