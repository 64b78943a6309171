/*
 * test_pci.c - PCI functions on a bus that does not exist: drivers/pci.c,
 * drivers/pci_scan.c, drivers/pci_ids.c.
 */
#include "unit/test.h"

#include "drivers/pci.h"
#include "drivers/pci_ids.h"
#include "unit/fake_pci.h"

#define AT(b, s, f)     ((struct pci_address){ (b), (s), (f) })
#define ID_NIC          0x100e8086
#define CLASS_NIC       0x02000003
#define ID_BRIDGE       0x00011b36
#define CLASS_BRIDGE    0x06040000
#define CLASS_HOST      0x06000000
#define BRIDGE          0x00010000      /* header type, doubleword 3 */
#define MULTI           0x00800000
#define STATUS_CAPS     0x00100000

enum { COMMAND = 1, HEADER = 3, BAR = 4, BUSES = 6, CAPS = 13, IRQ = 15 };

static int
fresh(void **state)
{
    (void)state;
    fake_pci_reset();
    return 0;
}

static struct fake_pci *
add_bridge(struct pci_address at, uint8_t secondary)
{
    struct fake_pci *f = fake_pci_add(at, ID_BRIDGE, CLASS_BRIDGE);

    f->regs[HEADER] = BRIDGE;
    f->regs[BUSES] = at.bus | (uint32_t)secondary << 8 | 0xff0000;
    return f;
}

static void
assert_at(unsigned index, struct pci_address at)
{
    const struct pci_device *dev = pci_device_get(index);

    assert_int_equal(dev->address.bus, at.bus);
    assert_int_equal(dev->address.slot, at.slot);
    assert_int_equal(dev->address.function, at.function);
}

static void
test_empty_bus(void **state)
{
    (void)state;
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), 0);
    assert_int_equal(fake_pci_reads(), 32);
}

static void
test_header(void **state)
{
    struct fake_pci *f = fake_pci_add(AT(0, 3, 0), ID_NIC, CLASS_NIC);
    const struct pci_device *dev;
    unsigned line;

    (void)state;
    f->regs[11] = 0x11001af4;
    f->regs[IRQ] = 0x010b;
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), 1);
    dev = pci_device_get(0);
    assert_int_equal(dev->vendor, 0x8086);
    assert_int_equal(dev->device, 0x100e);
    assert_int_equal(dev->subsystem_vendor, 0x1af4);
    assert_int_equal(dev->subsystem, 0x1100);
    assert_int_equal(dev->base_class, 2);
    assert_int_equal(dev->subclass, 0);
    assert_int_equal(dev->revision, 3);
    assert_int_equal(dev->irq_pin, 1);
    assert_int_equal(pci_irq_line(dev, &line), OK);
    assert_int_equal(line, 11);
    f->regs[IRQ] = 0x01ff;
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_irq_line(pci_device_get(0), &line), ERR_NOT_FOUND);
}

static void
test_functions(void **state)
{
    (void)state;
    fake_pci_add(AT(0, 1, 0), ID_NIC, CLASS_NIC)->regs[HEADER] = MULTI;
    fake_pci_add(AT(0, 1, 5), ID_NIC, CLASS_NIC);
    fake_pci_add(AT(0, 2, 0), ID_NIC, CLASS_NIC);
    fake_pci_add(AT(0, 2, 1), ID_NIC, CLASS_NIC);       /* not looked for */
    fake_pci_add(AT(0, 3, 1), ID_NIC, CLASS_NIC);       /* no function 0 */
    fake_pci_add(AT(0, 31, 0), ID_NIC, CLASS_NIC);
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), 4);
    assert_at(0, AT(0, 1, 0));
    assert_at(1, AT(0, 1, 5));
    assert_at(2, AT(0, 2, 0));
    assert_at(3, AT(0, 31, 0));
}

static void
test_bridges(void **state)
{
    (void)state;
    add_bridge(AT(0, 1, 0), 7);
    add_bridge(AT(0, 2, 0), 3);
    add_bridge(AT(3, 0, 0), 5);
    fake_pci_add(AT(5, 9, 0), ID_NIC, CLASS_NIC);
    fake_pci_add(AT(7, 0, 0), ID_NIC, CLASS_NIC);
    fake_pci_add(AT(8, 0, 0), ID_NIC, CLASS_NIC);       /* no way there */
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), 5);
    assert_at(2, AT(3, 0, 0));
    assert_at(3, AT(5, 9, 0));
    assert_at(4, AT(7, 0, 0));
}

static void
test_hostile_bridges(void **state)
{
    (void)state;
    add_bridge(AT(0, 1, 0), 0);
    add_bridge(AT(0, 2, 0), 4);
    add_bridge(AT(0, 3, 0), 4);         /* twice the same */
    add_bridge(AT(4, 0, 0), 4);         /* itself */
    add_bridge(AT(4, 1, 0), 2);         /* back */
    add_bridge(AT(4, 2, 0), 255);
    add_bridge(AT(255, 0, 0), 0);
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), 7);
    assert_true(fake_pci_reads() < 1000);
}

static void
test_too_many(void **state)
{
    (void)state;
    add_bridge(AT(0, 0, 0), 1);
    for (unsigned i = 0; i < PCI_DEVICES_MAX; i++)
        fake_pci_add(AT(1, (uint8_t)(i / 8), i % 8), ID_NIC, CLASS_NIC)
            ->regs[HEADER] = MULTI;
    pci_scan(&fake_pci_config);
    assert_int_equal(pci_device_count(), PCI_DEVICES_MAX);
}

static void
set_bar(struct fake_pci *f, unsigned n, uint32_t value, uint32_t writable)
{
    f->regs[BAR + n] = value;
    f->writable[BAR + n] = writable;
}

#define ASSERT_BAR(n, want_kind, want_base, want_size)                    \
    do {                                                                  \
        const struct pci_bar *b_ = &pci_device_get(0)->bars[n];           \
        assert_int_equal(b_->kind, (want_kind));                          \
        assert_int_equal(b_->base, (want_base));                          \
        assert_int_equal(b_->size, (want_size));                          \
    } while (0)

static void
test_bars(void **state)
{
    struct fake_pci *f = fake_pci_add(AT(0, 3, 0), ID_NIC, CLASS_NIC);

    (void)state;
    f->regs[COMMAND] = 0xf9000107;
    set_bar(f, 0, 0xfeb80000, 0xfffe0000);              /* 128 KB */
    set_bar(f, 1, 0x0000c041, 0xffffffc0);              /* 64 ports */
    set_bar(f, 2, 0x0000c101, 0x0000fff0);              /* of 16 bits */
    set_bar(f, 3, 0xfe00000c, 0xffffc000);              /* 64 bits */
    set_bar(f, 4, 0x00000012, 0xffffffff);
    pci_scan(&fake_pci_config);
    ASSERT_BAR(0, PCI_BAR_MEM32, 0xfeb80000, 0x20000);
    ASSERT_BAR(1, PCI_BAR_IO, 0xc040, 64);
    ASSERT_BAR(2, PCI_BAR_IO, 0xc100, 16);
    ASSERT_BAR(3, PCI_BAR_MEM64, 0x12fe000000, 0x4000);
    ASSERT_BAR(4, PCI_BAR_NONE, 0, 0);
    ASSERT_BAR(5, PCI_BAR_NONE, 0, 0);
    assert_true(pci_device_get(0)->bars[3].prefetchable);
    /* All as before, nothing cleared, and sized with decoding off. */
    assert_int_equal(f->regs[COMMAND], 0xf9000107);
    assert_int_equal(f->regs[BAR], 0xfeb80000);
    assert_int_equal(f->regs[BAR + 1], 0x0000c041);
    assert_int_equal(f->regs[BAR + 4], 0x00000012);
    assert_int_equal(f->bad_writes, 0);
}

static void
test_bars_hostile(void **state)
{
    struct fake_pci *f = fake_pci_add(AT(0, 3, 0), ID_NIC, CLASS_NIC);

    (void)state;
    set_bar(f, 0, 0xfeb80000, 0xff0f0000);              /* a hole */
    set_bar(f, 1, 0xfffffff0, 0);                       /* fixed */
    set_bar(f, 2, 4, 0);                                /* no size */
    set_bar(f, 4, 1, 0xfffffffe);                       /* 2 bits of I/O */
    set_bar(f, 5, 4, 0xfffffff0);                       /* 64 without 2nd */
    pci_scan(&fake_pci_config);
    ASSERT_BAR(0, PCI_BAR_NONE, 0, 0);
    ASSERT_BAR(1, PCI_BAR_MEM32, 0xfffffff0, 16);
    ASSERT_BAR(2, PCI_BAR_NONE, 0, 0);
    ASSERT_BAR(4, PCI_BAR_IO, 0, 4);
    ASSERT_BAR(5, PCI_BAR_NONE, 0, 0);
}

static void
test_host_bridge_is_left_alone(void **state)
{
    struct fake_pci *f = fake_pci_add(AT(0, 0, 0), 0x12378086, CLASS_HOST);

    (void)state;
    set_bar(f, 0, 0xe0000000, 0xff000000);
    f->regs[COMMAND] = 7;
    pci_scan(&fake_pci_config);
    ASSERT_BAR(0, PCI_BAR_NONE, 0, 0);
    assert_int_equal(f->bad_writes, 0);
    assert_int_equal(f->regs[COMMAND], 7);
}

static struct fake_pci *
add_with_caps(void)
{
    struct fake_pci *f = fake_pci_add(AT(0, 3, 0), ID_NIC, CLASS_NIC);

    f->regs[COMMAND] = STATUS_CAPS | 7;
    f->regs[CAPS] = 0x40;
    f->regs[0x40 / 4] = 0x5001;                         /* power */
    f->regs[0x50 / 4] = 0x00806005;                     /* MSI, 64 bits */
    f->regs[0x60 / 4] = 0x0009;                         /* vendor's own */
    for (unsigned i = 0x50 / 4; i < 0x60 / 4; i++)
        f->writable[i] = i == 0x50 / 4 ? 0x00710000 : UINT32_MAX;
    return f;
}

static void
test_capabilities(void **state)
{
    struct fake_pci *f = add_with_caps();
    const struct pci_device *dev;
    uint8_t id = 0;

    (void)state;
    pci_scan(&fake_pci_config);
    dev = pci_device_get(0);
    assert_int_equal(pci_next_capability(dev, 0, &id), 0x40);
    assert_int_equal(id, PCI_CAP_POWER);
    assert_int_equal(pci_next_capability(dev, 0x40, &id), 0x50);
    assert_int_equal(pci_next_capability(dev, 0x50, &id), 0x60);
    assert_int_equal(pci_next_capability(dev, 0x60, &id), 0);
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSI), 0x50);
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSIX), 0);
    /* Back to the start, to itself, into the header; no list at all. */
    f->regs[0x60 / 4] = 0x4009;
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSIX), 0);
    f->regs[0x60 / 4] = 0x6009;
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSIX), 0);
    f->regs[0x60 / 4] = 0x1009;
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSIX), 0);
    f->regs[COMMAND] = 7;
    assert_int_equal(pci_find_capability(dev, PCI_CAP_MSI), 0);
}

static void
test_msi(void **state)
{
    struct fake_pci *f = add_with_caps();
    const struct pci_device *dev;

    (void)state;
    f->regs[0x50 / 4] |= 0x00700000;                    /* 128 vectors */
    pci_scan(&fake_pci_config);
    dev = pci_device_get(0);
    assert_int_equal(pci_enable_msi(dev, 0x81, 3), OK);
    assert_int_equal(f->regs[0x50 / 4], 0x00816005);
    assert_int_equal(f->regs[0x54 / 4], 0xfee03000);
    assert_int_equal(f->regs[0x58 / 4], 0);
    assert_int_equal(f->regs[0x5c / 4], 0x81);
    assert_int_equal(f->regs[COMMAND] & 0xffff, 0x407);
    f->regs[0x50 / 4] = 0x00006005;                     /* 32 bits */
    assert_int_equal(pci_enable_msi(dev, 0x82, 0), OK);
    assert_int_equal(f->regs[0x58 / 4], 0x82);
    f->regs[0x50 / 4] = 0x00006009;
    assert_int_equal(pci_enable_msi(dev, 0x82, 0), ERR_UNSUPPORTED);
    f->regs[0x50 / 4] = 0x0000f809;                     /* at the very end */
    f->regs[0xf8 / 4] = 0x00800005;
    assert_int_equal(pci_enable_msi(dev, 0x82, 0), ERR_UNSUPPORTED);
}

static void
test_enable(void **state)
{
    struct fake_pci *f = add_with_caps();

    (void)state;
    f->regs[COMMAND] = 0xf9100140;
    pci_scan(&fake_pci_config);
    pci_enable(pci_device_get(0), PCI_COMMAND_MASTER);
    assert_int_equal(f->regs[COMMAND], 0xf9100144);
}

static void
test_names(void **state)
{
    (void)state;
    assert_string_equal(pci_class_name(1, 6), "SATA controller");
    assert_string_equal(pci_class_name(1, 0x80),
                        "mass storage controller");
    assert_string_equal(pci_class_name(0x77, 0), "unknown class");
    assert_string_equal(pci_vendor_name(0x8086), "Intel");
    assert_null(pci_vendor_name(0xffff));
    assert_string_equal(pci_device_name(0x15ad, 0x07b0),
                        "vmxnet3 Ethernet");
    assert_null(pci_device_name(0x15ad, 0xffff));
}

/* Every name is found by its number, so no number comes twice. */
static void
test_names_are_unique(void **state)
{
    (void)state;
#define PCI_SUBCLASS(base_class, subclass, name) \
    assert_string_equal(pci_class_name(base_class, subclass), name);
#define PCI_VENDOR(vendor, name) \
    assert_string_equal(pci_vendor_name(vendor), name);
#define PCI_DEVICE(vendor, device, name)                                  \
    assert_string_equal(pci_device_name(vendor, device), name);           \
    assert_non_null(pci_vendor_name(vendor));
#include "drivers/pci_ids.def"
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty_bus, fresh),
        cmocka_unit_test_setup(test_header, fresh),
        cmocka_unit_test_setup(test_functions, fresh),
        cmocka_unit_test_setup(test_bridges, fresh),
        cmocka_unit_test_setup(test_hostile_bridges, fresh),
        cmocka_unit_test_setup(test_too_many, fresh),
        cmocka_unit_test_setup(test_bars, fresh),
        cmocka_unit_test_setup(test_bars_hostile, fresh),
        cmocka_unit_test_setup(test_host_bridge_is_left_alone, fresh),
        cmocka_unit_test_setup(test_capabilities, fresh),
        cmocka_unit_test_setup(test_msi, fresh),
        cmocka_unit_test_setup(test_enable, fresh),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
