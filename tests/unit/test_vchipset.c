/*
 * test_vchipset.c - vmm/dev/chipset.c with everything in it: the bus, PCI and
 * its bridges, power management, the backdoor, resets, and that no field of
 * any device is forgotten.
 */
#include "unit/test.h"

#include "kernel/base/bits.h"
#include "vmm/dev/chipset.h"

#define ADDRESS         0xcf8
#define DATA            0xcfc
#define PM              0x1000
#define MAGIC           0x564d5868u

static struct chipset chipset;
static struct vcpu vcpu;

static void
out(uint16_t port, unsigned size, uint32_t value)
{
    chipset_port_out(&chipset, port, size, value);
}

static uint32_t
in(uint16_t port, unsigned size)
{
    return chipset_port_in(&chipset, port, size);
}

static void
select_register(unsigned slot, unsigned function, unsigned reg)
{
    out(ADDRESS, 4, 0x80000000u | slot << 11 | function << 8 | reg);
}

static uint32_t
pci_in(unsigned slot, unsigned function, unsigned reg)
{
    select_register(slot, function, reg);
    return in(DATA, 4);
}

static void
pci_out(unsigned slot, unsigned function, unsigned reg, uint32_t value)
{
    select_register(slot, function, reg);
    out(DATA, 4, value);
}

static int
setup(void **state)
{
    const struct chipset_config config = {
        .wall_base = 1700000000ull * NSEC_PER_SEC,
        .memory_bytes = MB(128),
        .tsc_hz = 5000000000ull,
    };

    (void)state;
    chipset_init(&chipset, &config, 1000);
    chipset.vcpu = &vcpu;
    chipset_set_up(&chipset);
    return 0;
}

static void
test_nobody_home(void **state)
{
    static const uint16_t ports[] = { 0x100, 0x1f0, 0x3c0, 0x3e8, 0xffff,
                                      0x5658, 0xcf8, 0xc000 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        assert_int_equal(in(ports[i], 1), 0xff);
        out(ports[i], 4, 0x12345678);
        out(ports[i], 1, 0x78);
    }
    assert_int_equal(in(0x1f0, 2), 0xffff);
    assert_int_equal(in(0x1f0, 4), 0xffffffff);
}

/* How Linux finds mechanism 1, and that CF9h is another register. */
static void
test_mechanism_1(void **state)
{
    (void)state;
    out(0xcfb, 1, 1);
    out(ADDRESS, 4, 0x80000000u);
    assert_int_equal(in(ADDRESS, 4), 0x80000000u);
    out(ADDRESS, 1, 0x12);
    out(ADDRESS, 2, 0x0034);
    assert_int_equal(in(ADDRESS, 4), 0x80000000u);
    assert_int_equal(in(DATA, 4), 0x71908086u);
    assert_int_equal(in(DATA, 2), 0x8086);
    assert_int_equal(in(DATA + 2, 2), 0x7190);
    assert_int_equal(in(DATA + 1, 1), 0x80);
    out(ADDRESS, 4, 0xffffffffu);
    assert_int_equal(in(ADDRESS, 4), 0x80fffffcu);
    assert_int_equal(in(DATA, 4), 0xffffffffu);
    out(ADDRESS, 4, 0);
    assert_int_equal(in(DATA, 4), 0xffffffffu);
    assert_int_equal(in(DATA, 1), 0xff);
}

static void
test_functions(void **state)
{
    unsigned found = 0;

    (void)state;
    for (unsigned slot = 0; slot < 32; slot++)
        for (unsigned function = 0; function < 8; function++)
            found += pci_in(slot, function, 0) != 0xffffffffu;
    assert_int_equal(found, 3);
    assert_int_equal(pci_in(7, 0, 0), 0x71108086u);
    assert_int_equal(pci_in(7, 3, 0), 0x71138086u);
    assert_int_equal(pci_in(0, 0, 8) >> 16, 0x0600);
    assert_int_equal(pci_in(7, 0, 8) >> 16, 0x0601);
    assert_int_equal(pci_in(7, 3, 8) >> 16, 0x0680);
    assert_int_equal(pci_in(7, 0, 12) >> 16 & 0xff, 0x80);
    assert_int_equal(pci_in(7, 0, 0x2c), 0x197615adu);
    /* No base address registers, and read-only things. */
    for (unsigned reg = 0x10; reg < 0x28; reg += 4) {
        pci_out(0, 0, reg, 0xffffffffu);
        assert_int_equal(pci_in(0, 0, reg), 0);
    }
    pci_out(7, 0, 0, 0);
    assert_int_equal(pci_in(7, 0, 0), 0x71108086u);
    /* PAM: stored, byte-wise. */
    select_register(0, 0, 0x58);
    out(DATA + 1, 1, 0x30);
    out(DATA + 2, 2, 0x3313);
    assert_int_equal(in(DATA, 4), 0x33133000u);
    /* Error bits are cleared by ones; nothing sets them here. */
    chipset.host_bridge.function.config[1] |= 0xf0000000u;
    select_register(0, 0, 4);
    out(DATA + 2, 2, 0x3000);
    assert_int_equal(in(DATA, 4), 0xc2000006u);
    out(DATA, 2, 0xffff);
    assert_int_equal(in(DATA, 4), 0xc2000106u);
}

static void
test_base_registers(void **state)
{
    static const struct vpci_row rows[] = {
        { VPCI_ID, 0x12345678, 0, 0 },
        { VPCI_BAR0, 1, ~0x3fu, 0 },
        { VPCI_BAR0 + 4, 8, ~0xfffu, 0 },
    };
    static const struct vpci_kind kind = { rows, ARRAY_LEN(rows), NULL };
    static struct vpci_function card;

    (void)state;
    card = (struct vpci_function){ .kind = &kind, .slot = 9 };
    vpci_function_reset(&card);
    vpci_add(&chipset.pci, &card);
    pci_out(9, 0, 0x10, 0xffffffffu);
    assert_int_equal(pci_in(9, 0, 0x10), 0xffffffc1u);
    pci_out(9, 0, 0x14, 0xffffffffu);
    assert_int_equal(pci_in(9, 0, 0x14), 0xfffff008u);
    pci_out(9, 0, 0x14, 0xfebf1234u);
    assert_int_equal(pci_in(9, 0, 0x14), 0xfebf1008u);
}

/* A card's pin goes where PIRQRC says, and follows it while it is up. */
static void
test_pirq_routing(void **state)
{
    (void)state;
    assert_int_equal(pci_in(7, 0, 0x60), 0x0b0a0b0au);
    vpiix4_set_pin(&chipset.isa_bridge, 4, 0, true);
    assert_int_equal(chipset.lines.held[10], 2);
    assert_true(vpic_is_requested(&chipset.pic, 10));
    pci_out(7, 0, 0x60, 0x0b0a0b05u);
    assert_int_equal(chipset.lines.held[10], 0);
    assert_int_equal(chipset.lines.held[5], 2);
    pci_out(7, 0, 0x60, 0x0b0a0b85u);
    assert_int_equal(chipset.lines.held[5], 0);
    /* Lines that the board itself uses cannot be taken. */
    for (unsigned line = 0; line < 3; line++) {
        pci_out(7, 0, 0x60, 0x0b0a0b00u | line);
        assert_int_equal(chipset.lines.held[line] & ~1u, 0);
    }
    pci_out(7, 0, 0x60, 0x0b0a0b0au);
    assert_int_equal(chipset.lines.held[10], 2);
    vpiix4_set_pin(&chipset.isa_bridge, 4, 2, true);    /* C, also on 10 */
    vpiix4_set_pin(&chipset.isa_bridge, 4, 0, false);
    assert_int_equal(chipset.lines.held[10], 8);
    vpiix4_set_pin(&chipset.isa_bridge, 4, 2, false);
    assert_false(vpic_is_requested(&chipset.pic, 10));
}

static void
test_power_management(void **state)
{
    uint64_t now = chipset.clock.now;

    (void)state;
    assert_int_equal(pci_in(7, 3, 0x40), PM | 1);
    assert_int_equal(pci_in(7, 3, 0x3c), 0x109);
    assert_true(chipset_next_deadline(&chipset) > now);
    out(PM + 2, 2, 0xffff);
    assert_int_equal(in(PM + 2, 2), 0x521);
    out(PM + 4, 2, 1);
    assert_int_equal(in(PM, 4) >> 16, 0x521);
    /* The power button, and its interrupt. */
    vpiix4_pm_press_power(&chipset.power);
    assert_int_equal(chipset.lines.held[IRQ_POWER], 1);
    assert_int_equal(in(PM, 2), 0x100);
    out(PM, 2, 0x0001);
    assert_int_equal(in(PM, 2), 0x100);
    out(PM + 1, 1, 0x01);
    assert_int_equal(in(PM, 2), 0);
    assert_int_equal(chipset.lines.held[IRQ_POWER], 0);
    assert_int_equal(in(PM + 2, 2), 0x521);
    /* Only soft off is a sleeping state. */
    out(PM + 4, 2, 0x2000 | 1 << 10);
    assert_int_equal(chipset_take_requests(&chipset), 0);
    out(PM + 4, 2, 0x2001);
    assert_int_equal(in(PM + 4, 2), 1);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_POWER_OFF);
    assert_int_equal(chipset_take_requests(&chipset), 0);
    /* Elsewhere, and nowhere. */
    pci_out(7, 3, 0x40, 0xb001);
    assert_int_equal(in(PM + 4, 2), 0xffff);
    assert_int_equal(in(0xb004, 2), 1);
    assert_int_equal(in(0xb004, 4), 1);
    pci_out(7, 3, 0x80, 0);
    assert_int_equal(in(0xb004, 2), 0xffff);
}

static void
test_power_timer(void **state)
{
    uint64_t start = chipset.clock.now;
    uint32_t before = in(PM + 8, 4), after;
    uint64_t at;

    (void)state;
    chipset_run(&chipset, start + NSEC_PER_SEC);
    after = in(PM + 8, 4);
    assert_in_range(after - before, 3579544, 3579546);
    /* 2^23 periods: the status, and the interrupt. */
    for (unsigned i = 0; i < 3; i++) {
        out(PM, 2, 1);
        out(PM + 2, 2, 1);
        out(PM + 4, 2, 1);
        at = chipset.power.synced_at;
        for (unsigned n = 0; chipset.lines.held[IRQ_POWER] == 0; n++) {
            assert_true(n < 200);
            chipset_run(&chipset, chipset_next_deadline(&chipset));
        }
        assert_true(chipset.clock.now - at <= 2344 * NSEC_PER_MSEC);
        assert_int_equal(in(PM, 2) & 1, 1);
        assert_in_range(in(PM + 8, 4) & 0x7fffff, 0, 10);
    }
    assert_true(in(PM + 8, 4) <= 0xffffff);
}

static void
test_resets(void **state)
{
    (void)state;
    out(0xcf9, 1, 0x02);
    out(0xcf9, 1, 0x02);
    assert_int_equal(chipset_take_requests(&chipset), 0);
    out(0xcf9, 1, 0x06);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_RESET);
    assert_int_equal(in(0xcf9, 1), 6);
    out(0xcf9, 1, 0x00);
    out(0xcf9, 1, 0x04);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_INIT);
    /* As a word at CF8h, where PCI wants doublewords only. */
    out(0xcf9, 1, 0);
    out(0xcf8, 2, 0x0600);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_RESET);

    out(0x92, 1, 3);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_INIT);
    out(0x92, 1, 0);
    assert_int_equal(chipset_take_requests(&chipset), REQUEST_A20);
    assert_false(chipset_is_a20_on(&chipset));
    assert_int_equal(in(0x92, 1), 0);
    out(0x64, 1, 0xdf);
    assert_true(chipset_is_a20_on(&chipset));
    assert_int_equal(in(0x92, 1), 2);
    out(0x64, 1, 0xfe);
    assert_int_equal(chipset_take_requests(&chipset),
                     REQUEST_A20 | REQUEST_INIT);
    out(0x80, 1, 0x42);
    assert_int_equal(in(0x80, 1), 0x42);
}

static void
test_backdoor(void **state)
{
    uint32_t *gpr = vcpu.cpu.gpr;

    (void)state;
    memset(&vcpu, 0, sizeof(vcpu));
    gpr[GPR_ECX] = 10;
    assert_int_equal(in(0x5658, 4), 0xffffffffu);
    assert_int_equal(gpr[GPR_EBX], 0);
    gpr[GPR_EAX] = MAGIC;
    assert_int_equal(in(0x5658, 2), 0xffff);
    assert_int_equal(in(0x5658, 4), 6);
    assert_int_equal(gpr[GPR_EBX], MAGIC);
    assert_int_equal(gpr[GPR_ECX], 2);
    gpr[GPR_ECX] = 45;
    gpr[GPR_EBX] = 0xffffffffu;
    assert_int_equal(in(0x5658, 4), (uint32_t)5000000000ull);
    assert_int_equal(gpr[GPR_EBX], 1);
    for (unsigned command = 0; command < 0x200; command++) {
        gpr[GPR_ECX] = command | 0x10000;
        if (command != 10 && command != 45)
            assert_int_equal(in(0x5658, 4), 0xffffffffu);
    }
    gpr[GPR_ECX] = 10;
    out(0x5658, 4, MAGIC);
    assert_int_equal(gpr[GPR_EAX], 6);
    chipset.vcpu = NULL;
    assert_int_equal(in(0x5658, 4), 0xffffffffu);
}

static void
test_fpu_error(void **state)
{
    (void)state;
    chipset_fpu_error(&chipset);
    assert_true(vpic_is_requested(&chipset.pic, IRQ_FPU));
    out(0xf0, 1, 0);
    assert_false(vpic_is_requested(&chipset.pic, IRQ_FPU));
}

static unsigned
cmos(unsigned reg)
{
    out(0x70, 1, reg);
    return in(0x71, 1);
}

static void
test_firmware(void **state)
{
    unsigned sum = 0;

    (void)state;
    assert_int_equal(in(0x21, 1), 0xff);
    assert_int_equal(in(0xa1, 1), 0xff);
    assert_int_equal(in(0x4d0, 2), 0x0e00);
    assert_int_equal(cmos(0x15) | cmos(0x16) << 8, 640);
    assert_int_equal(cmos(0x17) | cmos(0x18) << 8, 65535);
    assert_int_equal(cmos(0x34) | cmos(0x35) << 8, 112 * 16);
    for (unsigned reg = 0x10; reg <= 0x2d; reg++)
        sum += cmos(reg);
    assert_int_equal(cmos(0x2e) << 8 | cmos(0x2f), sum & 0xffff);
    /* The timer runs at 18.2 Hz. */
    out(0x21, 1, 0xfe);
    assert_in_range(chipset_next_deadline(&chipset), 54 * NSEC_PER_MSEC,
                    56 * NSEC_PER_MSEC);
    chipset_run(&chipset, 56 * NSEC_PER_MSEC);
    assert_true(chipset_is_interrupt_pending(&chipset));
    assert_int_equal(chipset_acknowledge(&chipset), 8);
}

/* Time that goes back is taken as standing still. */
static void
test_time(void **state)
{
    (void)state;
    chipset_run(&chipset, NSEC_PER_SEC);
    chipset_run(&chipset, 5);
    assert_true(chipset.clock.now == NSEC_PER_SEC);
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t at = chipset_next_deadline(&chipset);

        assert_true(at > chipset.clock.now);
        chipset_run(&chipset, at);
    }
}

/* The lowest bit that is set: how a thing of that offset or size is aligned. */
static unsigned
alignment(unsigned n)
{
    return n & -n;
}

/* What is not in its device's table would be forgotten by reset and suspend. */
static void
test_fields_are_complete(void **state)
{
    (void)state;
    for (unsigned i = 0; i < chipset.device_count; i++) {
        const struct vdev_type *type = chipset.devices[i].type;
        unsigned end = type->field_count > 0 ? type->fields[0].offset : 0;

        for (unsigned n = 0; n < type->field_count; n++) {
            const struct vdev_field *f = &type->fields[n];
            unsigned gap = f->offset - end;

            assert_true(f->size > 0 && f->offset >= end);
            assert_true(f->offset + f->size <= type->size);
            assert_in_range(f->since, 1, type->version);
            /* Only padding, or the wiring of a PCI function. */
            if (gap > 0 && (gap >= MIN(8, alignment(f->offset)) ||
                            gap >= alignment(f->size)))
                assert_string_equal(f->name, "function.config");
            end = f->offset + f->size;
        }
        if (type->field_count > 0 && type->size - end >= 8)
            fail_msg("%s: behind its last field", type->name);
    }
}

static void
test_reset_is_power_on(void **state)
{
    static struct chipset fresh;

    (void)state;
    chipset_reset(&chipset);
    fresh = chipset;
    for (unsigned port = 0; port < 0x500; port++)
        if (port != 0x70 && port != 0x71)
            out((uint16_t)port, 1, port * 37);
    chipset_reset(&chipset);
    for (unsigned i = 0; i < chipset.device_count; i++) {
        const struct vdev *d = &chipset.devices[i];
        size_t offset = (size_t)((uint8_t *)d->device - (uint8_t *)&chipset);

        for (unsigned n = 0; n < d->type->field_count; n++) {
            const struct vdev_field *f = &d->type->fields[n];

            assert_memory_equal((uint8_t *)&chipset + offset + f->offset,
                                (uint8_t *)&fresh + offset + f->offset,
                                f->size);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nobody_home, setup),
        cmocka_unit_test_setup(test_mechanism_1, setup),
        cmocka_unit_test_setup(test_functions, setup),
        cmocka_unit_test_setup(test_base_registers, setup),
        cmocka_unit_test_setup(test_pirq_routing, setup),
        cmocka_unit_test_setup(test_power_management, setup),
        cmocka_unit_test_setup(test_power_timer, setup),
        cmocka_unit_test_setup(test_resets, setup),
        cmocka_unit_test_setup(test_backdoor, setup),
        cmocka_unit_test_setup(test_fpu_error, setup),
        cmocka_unit_test_setup(test_firmware, setup),
        cmocka_unit_test_setup(test_time, setup),
        cmocka_unit_test_setup(test_fields_are_complete, setup),
        cmocka_unit_test_setup(test_reset_is_power_on, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
