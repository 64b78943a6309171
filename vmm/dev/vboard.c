/*
 * vboard.c - A20, POST codes, and ways to reset (vboard.h).
 *
 * Requests are only noted: the owner takes them after the access, when no
 * device is in the middle of something.
 *
 * Called at port accesses, with the VM's devices locked.
 */
#include "vmm/dev/vboard.h"

#define POST_PORT       0x80u
#define FAST_PORT       0x92u
#define FPU_PORT        0xf0u
#define RESET_PORT      0xcf9u

#define FAST_INIT       BIT(0)          /* an edge is a reset */
#define FAST_A20        BIT(1)

#define RC_HARD         BIT(1)          /* else INIT# only */
#define RC_RESET        BIT(2)          /* an edge is a reset */
#define RC_FULL         BIT(3)          /* with power off in between */

static const struct vdev_field fields[] = {
    VDEV_FIELD(struct vboard, requests, 1),
    VDEV_FIELD(struct vboard, is_a20_off, 1),
    VDEV_FIELD(struct vboard, post_code, 1),
    VDEV_FIELD(struct vboard, port_92, 1),
    VDEV_FIELD(struct vboard, reset_control, 1),
};

const struct vdev_type vboard_type = {
    .name = "board", .version = 1, .size = sizeof(struct vboard),
    .fields = fields, .field_count = ARRAY_LEN(fields),
};

void
vboard_request(struct vboard *board, enum vboard_request request)
{
    board->requests |= request;
}

void
vboard_set_a20(struct vboard *board, bool is_on)
{
    if (board->is_a20_off != is_on)
        return;
    board->is_a20_off = !is_on;
    vboard_request(board, REQUEST_A20);
}

static uint32_t
post_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    const struct vboard *board = device;

    return board->post_code;
}

static void
post_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
         uint32_t value)
{
    struct vboard *board = device;

    board->post_code = (uint8_t)value;
}

static uint32_t
fast_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    const struct vboard *board = device;

    return board->port_92 | (board->is_a20_off ? 0 : FAST_A20);
}

static void
fast_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
         uint32_t value)
{
    struct vboard *board = device;

    if (value & ~(uint32_t)board->port_92 & FAST_INIT)
        vboard_request(board, REQUEST_INIT);
    board->port_92 = value & FAST_INIT;
    vboard_set_a20(board, (value & FAST_A20) != 0);
}

static uint32_t
reset_in(void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    const struct vboard *board = device;

    return board->reset_control;
}

static void
reset_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
          uint32_t value)
{
    struct vboard *board = device;

    if (value & ~(uint32_t)board->reset_control & RC_RESET)
        vboard_request(board, value & (RC_HARD | RC_FULL) ? REQUEST_RESET :
                                                            REQUEST_INIT);
    board->reset_control = value & (RC_HARD | RC_RESET | RC_FULL);
}

static uint32_t
fpu_in(UNUSED void *device, UNUSED unsigned offset, UNUSED unsigned size)
{
    return UINT8_MAX;
}

static void
fpu_out(void *device, UNUSED unsigned offset, UNUSED unsigned size,
        UNUSED uint32_t value)
{
    const struct vboard *board = device;

    irq_wire_set(&board->fpu_irq, false);
}

void
vboard_init(struct vboard *board, struct pio_bus *bus,
            struct irq_wire fpu_irq)
{
    static const struct pio_ops fpu = { fpu_in, fpu_out };
    static const struct pio_ops post = { post_in, post_out };
    static const struct pio_ops fast = { fast_in, fast_out };
    static const struct pio_ops reset = { reset_in, reset_out };

    board->fpu_irq = fpu_irq;
    pio_bus_claim(bus, &(struct pio_range){
        FPU_PORT, 1, PIO_BYTE, &fpu, board });
    pio_bus_claim(bus, &(struct pio_range){
        POST_PORT, 1, PIO_BYTE, &post, board });
    pio_bus_claim(bus, &(struct pio_range){
        FAST_PORT, 1, PIO_BYTE, &fast, board });
    pio_bus_claim(bus, &(struct pio_range){
        RESET_PORT, 1, PIO_BYTE, &reset, board });
}
