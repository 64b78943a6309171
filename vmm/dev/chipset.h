/*
 * chipset.h - all devices of a VM, and all that its owner does with them.
 *
 * The owner (the monitor, or vmrun) puts a struct chipset into memory that all
 * vcpus of the VM see, fills in a configuration, and then:
 *
 *      chipset_run(c, now)             time has passed: before the calls below
 *      chipset_port_in / _out          behind guest_port_in() and _out()
 *      chipset_is_interrupt_pending    ask at an instruction boundary
 *      chipset_acknowledge             ...and if IF allows, take the vector
 *      chipset_next_deadline           how long a halted vcpu may sleep
 *      chipset_take_requests           reset, power-off, A20: after a port_out
 *
 * and hands in what comes from outside: bytes, keys, mouse movements.  The
 * caller holds the VM's device lock; nothing here blocks.  Nothing that a guest
 * writes can make a call do more than a bounded amount of work.
 */
#ifndef VMM_DEV_CHIPSET_H
#define VMM_DEV_CHIPSET_H

#include "vmm/dev/backend.h"
#include "vmm/dev/irq_lines.h"
#include "vmm/dev/pio_bus.h"
#include "vmm/dev/vbackdoor.h"
#include "vmm/dev/vboard.h"
#include "vmm/dev/vdev.h"
#include "vmm/dev/vi440bx.h"
#include "vmm/dev/vkeyboard.h"
#include "vmm/dev/vmouse.h"
#include "vmm/dev/vpci.h"
#include "vmm/dev/vpic.h"
#include "vmm/dev/vpiix4.h"
#include "vmm/dev/vpiix4_pm.h"
#include "vmm/dev/vpit.h"
#include "vmm/dev/vps2.h"
#include "vmm/dev/vrtc.h"
#include "vmm/dev/vuart.h"

#define CHIPSET_DEVICES_MAX 16u
#define CHIPSET_SERIALS     2u

/* What does not change while the VM exists; copied by chipset_init(). */
struct chipset_config {
    uint64_t wall_base;         /* UTC at now = 0: nanoseconds since 1970 */
    uint64_t memory_bytes;      /* for CMOS */
    uint64_t tsc_hz;            /* what the backdoor says */
    struct char_backend serial[CHIPSET_SERIALS];
};

struct chipset {
    struct chipset_config config;
    struct vcpu *vcpu;          /* who accesses ports: the owner sets it */
    struct vclock clock;
    uint64_t deadline;          /* of all devices... */
    bool is_touched;            /* ...unless one was touched since */
    struct pio_bus ports;
    unsigned device_count;
    struct vdev devices[CHIPSET_DEVICES_MAX];
    struct irq_lines lines;
    struct vpic pic;
    struct vpit pit;
    struct vrtc rtc;
    struct vboard board;
    struct vuart serial[CHIPSET_SERIALS];
    struct vkeyboard keyboard;
    struct vmouse mouse;
    struct vps2 ps2;
    struct vpci pci;
    struct vi440bx host_bridge;
    struct vpiix4 isa_bridge;
    struct vpiix4_pm power;
    struct vbackdoor backdoor;
};

/* Power on, at NOW. */
void chipset_init(struct chipset *c, const struct chipset_config *config,
                  uint64_t now);

/*
 * The RESET# wire of the board; memory and CPUs are the owner's.  Address bit
 * 20 is on again, without a request.
 */
void chipset_reset(struct chipset *c);

/* What firmware does, for a VM that boots without one: after each of those. */
void chipset_set_up(struct chipset *c);

/* Time is NOW; a NOW before the last one is taken as that one. */
void chipset_run(struct chipset *c, uint64_t now);

/* When chipset_run() is wanted next: after the last now, or VDEV_NEVER. */
uint64_t chipset_next_deadline(struct chipset *c);

/* SIZE is 1, 2 or 4; see vmm/guest_port.h. */
uint32_t chipset_port_in(struct chipset *c, uint16_t port, unsigned size);
void chipset_port_out(struct chipset *c, uint16_t port, unsigned size,
                      uint32_t value);

/* What was asked for since the last call: enum vboard_request. */
uint32_t chipset_take_requests(struct chipset *c);

/* Is address bit 20 passed on?  Else it is 0 in all physical addresses. */
bool chipset_is_a20_on(const struct chipset *c);

/* The back end of a serial port has bytes, or room, again. */
void chipset_serial_ready(struct chipset *c, unsigned serial);

/* Keys by vkeyboard.h's numbers, and the mouse. */
void chipset_key(struct chipset *c, uint8_t key, bool is_down);
void chipset_move_mouse(struct chipset *c, const struct mouse_motion *motion);

/* FERR#: see guest_fpu_error(). */
void chipset_fpu_error(struct chipset *c);

/* INTR, and its INTA cycle: the vector, perhaps a spurious one. */
bool chipset_is_interrupt_pending(const struct chipset *c);
uint8_t chipset_acknowledge(struct chipset *c);

#endif
