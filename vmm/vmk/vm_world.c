/*
 * vm_world.c - the world of a VM that is on: it makes an instance of the
 * monitor, loads the guest, runs it to its end, and begins again if that was a
 * reset.
 *
 * What the person wants meanwhile stands in vm->wanted, under vm_lock: an
 * instance that does not run yet is not told, but the world looks before it
 * runs it.  The last that a world does to its VM is to set VM_OFF: whoever sees
 * that may start or destroy the VM, though the world is still on its way out.
 *
 * What the monitor says is not believed: text is made printable, and a guest
 * that resets itself all the time does not fill the log.
 */
#include "drivers/rtc.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/log_ring.h"
#include "vmm/vmk/vm_int.h"
#include "vmm/vmk/vm_params.h"

#define RESET_LOG_NS    NSEC_PER_SEC

/* --- The end, in words ---------------------------------------------------- */

/* TEXT came from the monitor: print nothing that is not text. */
static void
copy_printable(char *dst, size_t size, const char *text)
{
    (void)str_copy(dst, text, size);
    for (; *dst != '\0'; dst++)
        if (!char_is_print(*dst))
            *dst = '?';
}

/* What HOW is called, with the monitor's own words if there are any. */
static void
say_end(char *reason, enum vmm_end how, const char *text)
{
    static const char *const words[VMM_END_COUNT] = {
        [VMM_END_POWER_OFF] = "off",
        [VMM_END_HALTED] = "halted",
        [VMM_END_RESET] = "off",
        [VMM_END_REFUSED] = "ended",
        [VMM_END_NO_MEMORY] = "ended: the machine has no memory left",
        [VMM_END_CRASHED] = "crashed",
        [VMM_END_STOPPED] = "off",
    };
    bool has_text = how == VMM_END_REFUSED || how == VMM_END_CRASHED;
    char said[VM_REASON_SIZE];

    copy_printable(said, sizeof(said), text);
    format_buf(reason, VM_REASON_SIZE, "%s%s%s", words[how],
               has_text && *said != '\0' ? ": " : "", has_text ? said : "");
}

static void
say_not_started(char *reason, const char *text)
{
    format_buf(reason, VM_REASON_SIZE, "not started: %s", text);
}

static void
log_end(const struct vm *vm, enum vmm_end how, const char *reason)
{
    if (how == VMM_END_CRASHED)
        log_error(MOD_VMM, "%s: %s", vm->name, reason);
    else if (how == VMM_END_REFUSED || how == VMM_END_NO_MEMORY)
        log_warn(MOD_VMM, "%s: %s", vm->name, reason);
    else if (how == VMM_END_POWER_OFF)
        log_info(MOD_VMM, "%s: the guest switched itself off", vm->name);
    else
        log_info(MOD_VMM, "%s: %s", vm->name, reason);
}

/* --- The VM's world ------------------------------------------------------- */

static void
on_console(void *context)
{
    struct vm *vm = context;

    vm_console_service(&vm->console);
}

static void
on_log(void *context, enum log_level level, const char *line)
{
    const struct vm *vm = context;
    char text[LOG_LINE_MAX];

    copy_printable(text, sizeof(text), line);
    log_write(level, MOD_VMM, "%s: %s", vm->name, text);
}

static uint64_t
wall_clock(void)
{
    struct rtc_time time;

    return rtc_read(&time) == OK ? rtc_to_seconds(&time) * NSEC_PER_SEC : 0;
}

/* The monitor may be talked to; false: it shall not run any more. */
static bool
publish(struct vm *vm, struct vm_instance *instance)
{
    bool may_run;

    lock_acquire(&vm_lock);
    may_run = vm->wanted != WANTED_OFF;
    if (may_run) {
        vm->wanted = WANTED_ON;
        vm->state = VM_RUNNING;
        vm->has_run = true;
        vm->instance = instance;
    }
    lock_release(&vm_lock);
    wait_wake_all(&vm_queue);
    if (!may_run)
        return false;
    vm_console_connect(&vm->console, instance);
    if (vm->resets == 0)
        log_info(MOD_VMM, "%s: on", vm->name);
    return true;
}

/* It ended: keep what it counted. */
static void
retire(struct vm *vm, struct vm_instance *instance)
{
    vm_console_connect(&vm->console, NULL);
    lock_acquire(&vm_lock);
    vm->stats = *vm_instance_stats(instance);
    vm->stats_ns = vm_instance_now(instance);
    vm->has_stats = true;
    vm->instance = NULL;
    lock_release(&vm_lock);
}

/* From switching on to the end; REASON is that of the end. */
static enum vmm_end
run_once(struct vm *vm, char *reason)
{
    struct vm_instance_params params = {
        .wall_base = wall_clock(), .context = vm,
        .console = on_console, .log = on_log
    };
    enum vmm_end how = VMM_END_REFUSED;
    struct vm_instance *instance;
    struct vm_why why;
    status_t status;

    vm_instance_params(&vm->config->vmx, &params);
    status = vm_instance_create(&params, &instance);
    if (status != OK) {
        say_not_started(reason, status == ERR_NO_MEMORY
                                    ? "no memory for its monitor"
                                    : status_text(status));
        return how;
    }
    status = vm_boot_load(vm, instance, &why);
    if (status != OK) {
        say_not_started(reason, why.text);
    } else if (!publish(vm, instance)) {
        how = VMM_END_STOPPED;
        say_end(reason, how, "");
    } else {
        how = vm_instance_run(instance);
        say_end(reason, how, vm_instance_end_text(instance));
        retire(vm, instance);
    }
    vm_instance_destroy(instance);
    return how;
}

/* A guest may reset itself all the time: not each is told. */
static void
log_reset(struct vm *vm, enum vmm_end how)
{
    uint64_t now = clock_now();

    if (how == VMM_END_RESET && vm->reset_logged != 0 &&
        now - vm->reset_logged < RESET_LOG_NS)
        return;
    vm->reset_logged = now;
    log_info(MOD_VMM, "%s: reset%s, %u since it is on", vm->name,
             how == VMM_END_RESET ? " by the guest" : "", vm->resets);
}

/* Does it go on after HOW? */
static bool
begin_again(struct vm *vm, enum vmm_end how)
{
    bool again = how == VMM_END_RESET;

    lock_acquire(&vm_lock);
    if (how == VMM_END_STOPPED && vm->wanted == WANTED_RESET)
        again = true;
    again = again && vm->wanted != WANTED_OFF && !world_should_stop();
    if (again) {
        vm->state = VM_STARTING;
        vm->has_run = false;
        vm->resets++;
    }
    lock_release(&vm_lock);
    if (again)
        log_reset(vm, how);
    return again;
}

void
vm_world(void *arg)
{
    struct vm *vm = arg;
    char reason[VM_REASON_SIZE];
    enum vmm_end how;

    do {
        how = run_once(vm, reason);
    } while (begin_again(vm, how));
    log_end(vm, how, reason);
    vm_console_end(&vm->console);
    lock_acquire(&vm_lock);
    (void)str_copy(vm->reason, reason, sizeof(vm->reason));
    vm->state = VM_OFF;
    lock_release(&vm_lock);
    wait_wake_all(&vm_queue);
}
