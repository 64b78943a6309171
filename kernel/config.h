/*
 * config.h - the options that a person gives on the boot loader's command line.
 *
 *      multiboot /boot/vmkernel.elf console=serial,plain log=debug cpus=2
 *
 * Options are `key=value` words with spaces between; the last of two wins.  All
 * are declared in config_keys.def, which makes the fields of struct config:
 *
 *      if (config->acpi) ...
 *
 * A wrong option is reported with what was expected and then ignored, so the
 * machine boots.  The values change only in config_init(), which runs before
 * there are other processors; until then they are the defaults.  Pure.
 */
#ifndef KERNEL_CONFIG_H
#define KERNEL_CONFIG_H

#include "kernel/base/bits.h"
#include "kernel/options.h"

#define CONFIG_CPUS_MAX     255u    /* local APIC ids are 0 to 254 */
#define CONFIG_MEM_MIN      MB(32ull)

/* Flags of config->console; at least one device is always set. */
#define CONSOLE_SERIAL      BIT(0)
#define CONSOLE_VGA         BIT(1)
#define CONSOLE_PLAIN       BIT(2)
#define CONSOLE_DEVICES     (CONSOLE_SERIAL | CONSOLE_VGA)

#define CONFIG_MEMBER_BOOL(field)   bool field
#define CONFIG_MEMBER_UINT(field)   uint32_t field
#define CONFIG_MEMBER_SIZE(field)   uint64_t field
#define CONFIG_MEMBER_CHOICE(field) uint32_t field
#define CONFIG_MEMBER_FLAGS(field)  uint32_t field
#define CONFIG_MEMBER_TEXT(field)   char field[OPTION_TEXT_MAX]

struct config {
#define CONFIG(type, field, key, value, limits) CONFIG_MEMBER_##type(field);
#include "kernel/config_keys.def"
#undef CONFIG
};

extern const struct config *config;

/* Set `config` from the command line; log an error for each wrong option. */
void config_init(const char *command_line);

#endif
