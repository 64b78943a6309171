/*
 * vbackdoor.c - the commands GETVERSION and GETHZ (vbackdoor.h).
 *
 * Without the magic number the port is nobody's: all ones.  Other commands are
 * refused with all ones in EAX, from which guests know that there is no such
 * command; so they ask for GuestRPC, the balloon's relative, in vain.
 *
 * Called at port accesses of *b->vcpu, whose registers it changes; the IN
 * itself sets EAX.
 */
#include "vmm/dev/vbackdoor.h"

#define BACKDOOR_PORT   0x5658u
#define BACKDOOR_PORTS  4u
#define BACKDOOR_MAGIC  0x564d5868u
#define REFUSED         UINT32_MAX

enum backdoor_command {
    BACKDOOR_GETVERSION = 10,
    BACKDOOR_GETHZ = 45,
};
#define COMMAND         BITS(15, 0)

#define VERSION         6u
#define PRODUCT_ESX     2u
#define BUS_HZ_NONE     0u              /* there is no local APIC */

static uint32_t
get_version(uint32_t *gpr)
{
    gpr[GPR_EBX] = BACKDOOR_MAGIC;
    gpr[GPR_ECX] = PRODUCT_ESX;
    return VERSION;
}

static uint32_t
get_hz(const struct vbackdoor *b, uint32_t *gpr)
{
    gpr[GPR_EBX] = (uint32_t)(b->tsc_hz >> 32);
    gpr[GPR_ECX] = BUS_HZ_NONE;
    return (uint32_t)b->tsc_hz;
}

/* What EAX becomes. */
static uint32_t
call(const struct vbackdoor *b, uint32_t *gpr)
{
    switch (gpr[GPR_ECX] & COMMAND) {
    case BACKDOOR_GETVERSION:
        return get_version(gpr);
    case BACKDOOR_GETHZ:
        return get_hz(b, gpr);
    default:
        return REFUSED;
    }
}

static bool
is_call(const struct vbackdoor *b, unsigned offset)
{
    return offset == 0 && *b->vcpu != NULL &&
           (*b->vcpu)->cpu.gpr[GPR_EAX] == BACKDOOR_MAGIC;
}

static uint32_t
in(void *device, unsigned offset, UNUSED unsigned size)
{
    const struct vbackdoor *b = device;

    return is_call(b, offset) ? call(b, (*b->vcpu)->cpu.gpr) : UINT32_MAX;
}

static void
out(void *device, unsigned offset, UNUSED unsigned size,
    UNUSED uint32_t value)
{
    const struct vbackdoor *b = device;

    if (is_call(b, offset))
        (*b->vcpu)->cpu.gpr[GPR_EAX] = call(b, (*b->vcpu)->cpu.gpr);
}

void
vbackdoor_init(struct vbackdoor *b, struct pio_bus *bus,
               struct vcpu *const *vcpu, uint64_t tsc_hz)
{
    static const struct pio_ops ops = { in, out };

    b->vcpu = vcpu;
    b->tsc_hz = tsc_hz;
    pio_bus_claim(bus, &(struct pio_range){
        BACKDOOR_PORT, BACKDOOR_PORTS, PIO_DWORD, &ops, b });
}
