/*
 * fuzz_mp.c - MP tables whose inside is the fuzzer's.
 *
 * The input is the floating pointer's two feature bytes, the number of entries
 * (2 bytes), the address of the local APICs (4 bytes), and the entries.  What
 * a fuzzer does not find (signatures, lengths, checksums) is added here.  The
 * tables are then read alone, and as the supplement to what ACPI said.
 */
#include <string.h>

#include "drivers/mp_spec.h"
#include "drivers/mp_tables.h"
#include "fuzz/check_platform.h"
#include "unit/fake_memory.h"

#define ROM             0xf0000u
#define CONFIG          0xf0100u
#define INPUT_HEADER    8
#define ENTRIES_MAX     0xf000u
#define ROM_SIZE        (CONFIG - ROM + sizeof(struct mp_config) + ENTRIES_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct platform_info info;

static uint8_t
checksum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    while (size-- > 0)
        sum = (uint8_t)(sum + *bytes++);
    return (uint8_t)-sum;
}

static void
build(struct fake_memory *memory, const uint8_t *data, size_t size)
{
    struct mp_floating floating = {
        .signature = { '_', 'M', 'P', '_' }, .config_address = CONFIG,
        .length = 1, .default_config = data[0], .features = data[1]
    };
    struct mp_config config = {
        .signature = { 'P', 'C', 'M', 'P' },
        .entry_count = (uint16_t)(data[2] | data[3] << 8)
    };
    uint8_t *bytes;

    size = MIN(size - INPUT_HEADER, ENTRIES_MAX);
    memcpy(&config.local_apic_address, data + 4, sizeof(uint32_t));
    config.base_length = (uint16_t)(sizeof config + size);
    fake_memory_put(memory, ROM, NULL, ROM_SIZE);
    bytes = fake_memory_at(memory, CONFIG);
    memcpy(bytes, &config, sizeof config);
    memcpy(bytes + sizeof config, data + INPUT_HEADER, size);
    config.checksum = checksum(bytes, config.base_length);
    memcpy(bytes, &config, sizeof config);
    floating.checksum = checksum((uint8_t *)&floating, sizeof floating);
    memcpy(fake_memory_at(memory, ROM), &floating, sizeof floating);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_memory memory = { 0 };
    struct mem_reader reader = fake_memory_reader(&memory);
    struct platform_info before;

    if (size < INPUT_HEADER)
        return 0;
    build(&memory, data, size);
    platform_discover(&reader, false, &info);
    check_platform(&info);

    info.source = PLATFORM_ACPI;
    before = info;
    (void)!mp_tables_read(&reader, &info);
    check_platform(&info);
    REQUIRE(info.source == PLATFORM_ACPI);
    REQUIRE(info.cpu_count == before.cpu_count);
    REQUIRE(info.ioapic_count == before.ioapic_count);
    REQUIRE(memcmp(info.isa_irqs, before.isa_irqs, sizeof info.isa_irqs) == 0);
    fake_memory_free(&memory);
    return 0;
}
