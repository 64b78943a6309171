/*
 * vdev.h - what all device models have in common.
 *
 * A model is a structure with two parts.  First its wiring: pointers to the
 * clock, interrupt wires and back ends, set once by the model's init function.
 * Then its state: plain numbers, no pointers, every one of them listed in the
 * model's one table of fields.  Reset walks that table, and so will suspend and
 * migration; a test adds up the sizes, so that nothing is forgotten.
 *
 * Nothing ticks.  A model computes what it is from the clock when it is looked
 * at; run() brings it up to date, which matters only when wires would change,
 * and deadline() says when that will be.
 *
 * All functions are called with the VM's devices locked, by whoever runs the
 * VM: a vcpu at a port access or a boundary, or the owner with input.
 */
#ifndef VMM_DEV_VDEV_H
#define VMM_DEV_VDEV_H

#include "kernel/base/types.h"

/* A deadline that never comes. */
#define VDEV_NEVER      UINT64_MAX

/* Attention that a guest could ask for in a loop is given this often. */
#define VDEV_PACE_NS    (100 * NSEC_PER_USEC)

struct vdev_field {
    const char *name;
    uint16_t offset, size;      /* in the model's structure */
    uint8_t  since;             /* the version that brought it */
    bool     is_kept;           /* by reset: it has a battery */
};

#define VDEV_FIELD(type, member, version) \
    { #member, offsetof(type, member), sizeof(((type *)NULL)->member), \
      version, false }
#define VDEV_KEPT_FIELD(type, member, version) \
    { #member, offsetof(type, member), sizeof(((type *)NULL)->member), \
      version, true }

struct vdev_type {
    const char *name;
    uint8_t  version;           /* of the saved format */
    uint16_t size;              /* of the model's structure */
    uint16_t field_count;
    const struct vdev_field *fields;
    /* After the fields became 0: what is not 0, and the wires.  Or NULL. */
    void (*reset)(void *device);
    /* The clock moved: change the wires that changed by now.  Or NULL. */
    void (*run)(void *device);
    /* When to run() next, after the clock's now; or NULL: never. */
    uint64_t (*deadline)(const void *device);
};

/* One device of a VM. */
struct vdev {
    const struct vdev_type *type;
    void *device;
};

/* The RESET# wire: all fields but the kept ones become 0, then type->reset. */
void vdev_reset(const struct vdev *d);

/* As reset, the kept ones too; before anything else is done with a device. */
void vdev_power_on(const struct vdev *d);

/*
 * The VM's time, which the owner alone advances: nanoseconds of a clock that
 * never goes back, and UTC as it was when that clock stood at 0.
 */
struct vclock {
    uint64_t now;
    uint64_t wall_base;         /* nanoseconds since 1970 */
};

/* Periods of an oscillator of HZ (up to 16 MHz) that are complete at NS. */
static inline uint64_t
vclock_periods(uint64_t ns, uint32_t hz)
{
    return ns / NSEC_PER_SEC * hz + ns % NSEC_PER_SEC * hz / NSEC_PER_SEC;
}

/* When period number N is complete: vclock_periods() of it is N. */
static inline uint64_t
vclock_time_of(uint64_t n, uint32_t hz)
{
    uint64_t seconds = n / hz;

    if (seconds >= VDEV_NEVER / NSEC_PER_SEC)
        return VDEV_NEVER;
    return seconds * NSEC_PER_SEC +
           DIV_ROUND_UP(n % hz * NSEC_PER_SEC, (uint64_t)hz);
}

#endif
