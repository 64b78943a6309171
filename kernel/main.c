/*
 * main.c - the order in which the VMkernel comes to life.
 *
 * Read the two tables: what the boot processor does before there are worlds,
 * and what the first world does once there are.  A step that fails ends the
 * start with its name and reason, for each is something that nothing behind it
 * can do without; what one can do without reports for itself and goes on.
 *
 * entry.S calls kernel_start() with paging on, interrupts masked, on the boot
 * stack, which later is the stack of the boot processor's idle world.
 */
#include "boot/boot.h"
#include "console/shell.h"
#include "drivers/console.h"
#include "drivers/interrupts.h"
#include "drivers/pci.h"
#include "drivers/pit.h"
#include "drivers/platform.h"
#include "drivers/power.h"
#include "drivers/rtc.h"
#include "drivers/serial_16550.h"
#include "kernel/backtrace.h"
#include "kernel/base/log.h"
#include "kernel/clock.h"
#include "kernel/config.h"
#include "kernel/gdt.h"
#include "kernel/image.h"
#include "kernel/log_ring.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/sandbox.h"
#include "kernel/smp.h"
#include "kernel/trap.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/cpuid.h"
#include "mm/mm.h"
#include "mm/mm_info.h"
#include "mm/mm_init.h"
#include "sched/sched.h"
#include "sched/world.h"
#include "version.h"
#include "vmm/vmk/vm.h"
#include "vmm/vmk/vm_image.h"
#include "vmm/vmk/vm_power.h"

/* Long enough for 0.1 %, short enough not to be felt at boot. */
#define CALIBRATE_USEC  2000u
#define CALIBRATE_TRIES 5u

/* What is promised to be enough: somewhat less works. */
#define MEMORY_NEEDED_MB 32u

struct start_step {
    const char *name;
    status_t (*fn)(void);
};

void kernel_start(uint32_t magic, uint32_t info, uint64_t tsc);

static struct boot_info boot;
static struct boot_source source;
static struct platform_info platform;

/* --- Steps of the boot processor ----------------------------------------- */

static status_t
read_boot_info(void)
{
    status_t status = boot_info_fill(&boot, &source, &machine_reader);

    if (status == OK)
        config_init(boot.command_line);
    log_set_console_level(config->log_level);
    return status;
}

static status_t
choose_console(void)
{
    struct console_options options = console_defaults;

    if (config->serial_port == 2) {
        options.serial_port = SERIAL_COM2_PORT;
        options.serial_irq = SERIAL_COM2_IRQ;
    }
    if (!(config->console & CONSOLE_SERIAL))
        options.serial_port = 0;
    options.serial_baud = config->serial_baud;
    options.vga = (config->console & CONSOLE_VGA) != 0;
    console_init(&options);
    return OK;
}

static status_t
start_memory(void)
{
    status_t status;

    memory_map_limit(&boot.map, config->mem);
    status = mm_init(&boot.map);
    if (status != OK) {
        uint64_t usable = memory_map_total(&boot.map, MEMORY_USABLE);

        log_error(MOD_BOOT, "%u MB of memory can be used; %u MB are needed",
                  (unsigned)(usable / MB(1)), MEMORY_NEEDED_MB);
        return status;
    }
    backtrace_set_probe(mm_is_mapped);
    gdt_set_df_cr3(this_cpu(), read_cr3());
    return OK;
}

/* The median of a few short measurements: one may have been interrupted. */
static status_t
start_clock(void)
{
    uint32_t khz[CALIBRATE_TRIES];

    for (unsigned i = 0; i < CALIBRATE_TRIES; i++) {
        status_t status = pit_measure_tsc(CALIBRATE_USEC, &khz[i]);

        if (status != OK)
            return status;
        for (unsigned j = i; j > 0 && khz[j - 1] > khz[j]; j--) {
            uint32_t t = khz[j];

            khz[j] = khz[j - 1];
            khz[j - 1] = t;
        }
    }
    clock_calibrate(khz[CALIBRATE_TRIES / 2]);
    return OK;
}

static status_t
probe_sandbox(void)
{
    sandbox_init((enum sandbox)config->vmm_sandbox);
    return OK;
}

static status_t
read_platform(void)
{
    platform_discover(&machine_reader, config->acpi, &platform);
    power_init(&platform);
    return OK;
}

static status_t
start_interrupts(void)
{
    return interrupts_init(&platform, &boot.map, config->apic);
}

static status_t create_init_world(void);

/* The machine is of use without VMs, too. */
static status_t
prepare_monitors(void)
{
    status_t status = vm_image_init();

    if (status != OK)
        log_error(MOD_VMM, "no VM can run, the monitor's program is bad: %s",
                  status_text(status));
    return OK;
}

static const struct start_step boot_steps[] = {
    { "boot information", read_boot_info },
    { "console", choose_console },
    { "machine memory", start_memory },
    { "clock", start_clock },
    { "sandbox probe", probe_sandbox },
    { "monitors", prepare_monitors },
    { "platform tables", read_platform },
    { "interrupts", start_interrupts },
    { "scheduler", sched_init },
    { "first world", create_init_world },
};

/* --- Steps of the first world -------------------------------------------- */

static status_t
start_console(void)
{
    console_start(platform.has_i8042);
    return OK;
}

static status_t
start_processors(void)
{
    uint8_t ids[PLATFORM_CPU_MAX];
    unsigned count = 0;

    for (unsigned i = 0; i < platform.cpu_count; i++)
        if (platform.cpus[i].enabled && count < config->cpus)
            ids[count++] = platform.cpus[i].apic_id;
    if (config->apic)
        sched_start_processors(ids, count);
    log_info(MOD_CPU, "%u processor%s: %s %s", cpu_count(),
             cpu_count() == 1 ? "" : "s", cpu_model()->vendor,
             cpu_model()->brand);
    return OK;
}

static status_t
find_devices(void)
{
    rtc_init(platform.century_register);
    pci_init();
    return OK;
}

static status_t
find_vms(void)
{
    vm_init(&boot);
    vm_autostart(config->vm_autostart);
    return OK;
}

static status_t
start_shell(void)
{
    uint64_t us = clock_now() / NSEC_PER_USEC;

    log_info(MOD_BOOT, "console ready %u.%03u ms after Multiboot entry",
             (unsigned)(us / 1000), (unsigned)(us % 1000));
    return shell_start();
}

static const struct start_step world_steps[] = {
    { "console input", start_console },
    { "processors", start_processors },
    { "devices", find_devices },
    { "virtual machines", find_vms },
    { "shell", start_shell },
};

/* --- Walking the tables -------------------------------------------------- */

static void
run_steps(const struct start_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        status_t status = steps[i].fn();

        if (status != OK)
            panic("cannot start: %s: %s", steps[i].name,
                  status_text(status));
    }
}

static void
init_main(void *arg UNUSED)
{
    run_steps(world_steps, ARRAY_LEN(world_steps));
}

static status_t
create_init_world(void)
{
    const struct world_params params = {
        .name = "init", .fn = init_main, .affinity = 1, .is_system = true
    };

    return world_create(&params, NULL);
}

static void
panic_write(const char *text, size_t size)
{
    console_write(text, size);
}

static const struct panic_output panic_console = {
    .enter = console_enter_panic, .write = panic_write
};

void
kernel_start(uint32_t magic, uint32_t info, uint64_t tsc)
{
    percpu_init_boot();
    clock_set_entry(tsc);
    trap_init();
    smp_init();
    console_init(&console_defaults);
    panic_set_output(&panic_console);
    shell_show_log();
    cpuid_init();
    log_info(MOD_BOOT, "Socle %s (%s)", SOCLE_VERSION, SOCLE_COMMIT);
    source = (struct boot_source){
        .magic = magic, .info = make_maddr(info), .entry_tsc = tsc,
        .kernel_start = direct_maddr(image_start),
        .kernel_end = direct_maddr(image_end)
    };
    run_steps(boot_steps, ARRAY_LEN(boot_steps));
    sched_idle();
}
