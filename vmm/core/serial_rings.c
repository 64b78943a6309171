/*
 * serial_rings.c - COM1's bytes to and from the VMkernel (serial_rings.h).
 *
 * The UART calls from within a port access or chipset_serial_ready().
 */
#include "vmm/core/serial_rings.h"

#include "vmm/vmm_ring.h"

/* Output waits so long for more of it. */
#define GATHER_NS   (5 * NSEC_PER_MSEC)
#define ENOUGH      (VMM_RING_SIZE / 2)

static void
call_soon(struct serial_rings *s)
{
    s->call_at = MIN(s->call_at, s->clock->now + GATHER_NS);
}

/* Who is behind has been called, and takes what is there. */
static void
call_now(struct serial_rings *s)
{
    if (!s->is_behind)
        s->call_at = 0;
}

static bool
write(void *context, uint8_t byte)
{
    struct serial_rings *s = context;

    if (!vmm_ring_put(&s->rings->output, byte)) {
        call_now(s);
        return false;
    }
    call_soon(s);
    if (vmm_ring_used(&s->rings->output) >= ENOUGH)
        call_now(s);
    return true;
}

/* Behind the last byte more may be waiting for room. */
static bool
read(void *context, uint8_t *byte)
{
    struct serial_rings *s = context;

    if (!vmm_ring_get(&s->rings->input, byte))
        return false;
    if (vmm_ring_used(&s->rings->input) == 0)
        call_soon(s);
    return true;
}

struct char_backend
serial_rings_backend(struct serial_rings *s)
{
    static const struct char_backend_ops ops = { write, read };

    return (struct char_backend){ &ops, s };
}

void
serial_rings_init(struct serial_rings *s, struct vmm_rings *rings,
                  const struct vclock *clock)
{
    *s = (struct serial_rings){ rings, clock, VDEV_NEVER, false };
}

void
serial_rings_called(struct serial_rings *s)
{
    s->call_at = VDEV_NEVER;
    s->is_behind = vmm_ring_used(&s->rings->output) != 0;
}

/* What was put in while it looked would otherwise wait for the next byte. */
void
serial_rings_moved(struct serial_rings *s)
{
    s->is_behind = false;
    if (vmm_ring_used(&s->rings->output) != 0)
        call_soon(s);
}
