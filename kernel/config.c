/*
 * config.c - the options of the command line (config.h).
 *
 * config_keys.def is expanded three times: to the fields of struct config, to
 * their defaults, and to the table of keys that kernel/options.c works from.
 */
#include "kernel/config.h"

#include "kernel/base/log.h"
#include "kernel/base/memory_map.h"
#include "kernel/sandbox.h"

static const struct option_choice console_parts[] = {
    { "serial", CONSOLE_SERIAL },
    { "vga",    CONSOLE_VGA },
    { "plain",  CONSOLE_PLAIN },
};

static const struct option_choice serial_ports[] = {
    { "com1", 1 },
    { "com2", 2 },
};

static const struct option_choice serial_bauds[] = {
    { "9600",   9600 },
    { "19200",  19200 },
    { "38400",  38400 },
    { "57600",  57600 },
    { "115200", 115200 },
};

static const struct option_choice log_levels[] = {
    { "error", LOG_ERROR },
    { "warn",  LOG_WARN },
    { "info",  LOG_INFO },
    { "debug", LOG_DEBUG },
};

static const struct option_choice sandboxes[] = {
    { "auto",    SANDBOX_AUTO },
    { "segment", SANDBOX_SEGMENT },
    { "paging",  SANDBOX_PAGING },
};

static const struct config defaults = {
#define CONFIG(type, field, key, value, limits) .field = value,
#include "kernel/config_keys.def"
#undef CONFIG
};

#define ANY             .choice_count = 0
#define RANGE(lo, hi)   .min = lo, .max = hi
#define CHOICES(array)  .choices = array, .choice_count = ARRAY_LEN(array)

static const struct option_key keys[] = {
#define CONFIG(kind, field, key, value, limits)                           \
    { .name = key, .type = OPTION_##kind,                                 \
      .offset = offsetof(struct config, field), limits },
#include "kernel/config_keys.def"
#undef CONFIG
};

static const struct option_table table = { keys, ARRAY_LEN(keys) };

static struct config values;

const struct config *config = &defaults;

static void
log_wrong_option(void *ctx, const char *message)
{
    (void)ctx;
    log_error(MOD_BOOT, "%s", message);
}

void
config_init(const char *command_line)
{
    const struct option_reporter to = { .report = log_wrong_option };

    values = defaults;
    (void)options_parse(&table, &values, command_line, &to);
    /* "console=plain" says how, not where. */
    if (!(values.console & CONSOLE_DEVICES))
        values.console |= CONSOLE_DEVICES;
    config = &values;
}
