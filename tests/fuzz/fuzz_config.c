/*
 * fuzz_config.c - any bytes as the command line.  Every value must stay within
 * the limits that config_keys.def promises to those who use it.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/log.h"
#include "kernel/base/memory_map.h"
#include "kernel/config.h"
#include "kernel/sandbox.h"

#define REQUIRE(x)      do { if (!(x)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = malloc(size + 1);

    memcpy(line, data, size);
    line[size] = '\0';
    config_init(line);
    free(line);

    REQUIRE((config->console & CONSOLE_DEVICES) != 0);
    REQUIRE((config->console & ~(CONSOLE_DEVICES | CONSOLE_PLAIN)) == 0);
    REQUIRE(config->serial_port == 1 || config->serial_port == 2);
    REQUIRE(config->serial_baud != 0 && 115200 % config->serial_baud == 0);
    REQUIRE(config->log_level < LOG_LEVEL_COUNT);
    REQUIRE(config->cpus >= 1 && config->cpus <= CONFIG_CPUS_MAX);
    REQUIRE(config->mem >= CONFIG_MEM_MIN && config->mem <= MEMORY_LIMIT);
    REQUIRE(config->vmm_sandbox <= SANDBOX_PAGING);
    return 0;
}
