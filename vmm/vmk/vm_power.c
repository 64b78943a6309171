/*
 * vm_power.c - VMs on and off (vm_power.h).
 *
 * A VM that is on has a world (vm_world.c).  Here it is created and told what
 * is wanted of it; nobody joins it, but waits for the VM's state to change.
 */
#include "vmm/vmk/vm_power.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "vmm/vmk/vm_int.h"
#include "vmm/vmk/vm_params.h"

static status_t
check_startable(const struct vm *vm, struct vm_why *why)
{
    if (vm->state == VM_BAD)
        return vm_refuse(why, ERR_INVALID, "%s is bad: %s", vm->name,
                         vm->reason);
    if (vm->state != VM_OFF)
        return vm_refuse(why, ERR_BUSY, "%s is on already", vm->name);
    return OK;
}

static status_t
create_world(struct vm *vm, struct vm_why *why)
{
    char name[WORLD_NAME_SIZE];
    struct world_params params = {
        .name = name, .fn = vm_world, .arg = vm
    };
    const struct vmx *vmx = &vm->config->vmx;
    status_t status;

    format_buf(name, sizeof(name), "vm:%s", vm->name);
    if (!vm_world_params(vmx, &params))
        return vm_refuse(why, ERR_INVALID, "sched.cpu.affinity is \"%.40s\"; "
                         "expected all, or numbers of processors with commas",
                         vmx_text(vmx, "sched.cpu.affinity"));
    status = world_create(&params, NULL);
    if (status == ERR_NO_MEMORY)
        return vm_refuse(why, status, "no memory for another world");
    if (status != OK)
        return vm_refuse(why, status, "sched.cpu.*: %s: expected min <= max, "
                         "and processors that there are", status_text(status));
    return OK;
}

status_t
vm_start(struct vm *vm, struct vm_why *why)
{
    status_t status;

    lock_acquire(&vm_lock);
    status = check_startable(vm, why);
    lock_release(&vm_lock);
    if (status == OK)
        status = vm_boot_check(vm, why);
    if (status != OK)
        return status;
    if (vm_console_start(&vm->console) != OK)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for its console");
    vm->on_since = clock_now();
    vm->resets = 0;
    vm->reset_logged = 0;
    vm->has_stats = vm->has_run = false;
    vm->wanted = WANTED_ON;
    vm->state = VM_STARTING;
    status = create_world(vm, why);
    if (status != OK) {
        vm->state = VM_OFF;
        vm_console_end(&vm->console);
    }
    return status;
}

status_t
vm_wait_running(struct vm *vm, uint64_t deadline, struct vm_why *why)
{
    status_t status = OK;

    lock_acquire(&vm_lock);
    while ((vm->state == VM_STARTING || vm->state == VM_STOPPING) &&
           status == OK)
        status = wait_block(&vm_queue, &vm_lock, deadline);
    if (status != OK)
        (void)vm_refuse(why, status, "%s does not run yet; 'vm kill %s' ends "
                        "it", vm->name, vm->name);
    else if (vm->state == VM_OFF && !vm->has_run)
        status = vm_refuse(why, ERR_INVALID, "%s: %s", vm->name, vm->reason);
    lock_release(&vm_lock);
    return status;
}

/* Note that it shall end, and tell a monitor that runs. */
static status_t
end_it(struct vm *vm, enum vm_wanted wanted, struct vm_why *why)
{
    status_t status = OK;

    lock_acquire(&vm_lock);
    if (vm->state <= VM_OFF) {
        status = vm_refuse(why, ERR_INVALID, "%s is not on", vm->name);
    } else {
        vm->wanted = wanted;
        if (vm->state == VM_RUNNING)
            vm->state = VM_STOPPING;
        if (vm->instance != NULL)
            vm_instance_request(vm->instance, VMM_REQUEST_STOP);
    }
    lock_release(&vm_lock);
    return status;
}

status_t
vm_stop(struct vm *vm, struct vm_why *why)
{
    return end_it(vm, WANTED_OFF, why);
}

status_t
vm_reset(struct vm *vm, struct vm_why *why)
{
    return end_it(vm, WANTED_RESET, why);
}

status_t
vm_kill(struct vm *vm, struct vm_why *why)
{
    status_t status = end_it(vm, WANTED_OFF, why);

    if (status != OK)
        return status;
    lock_acquire(&vm_lock);
    if (vm->instance != NULL)
        vm_instance_kill(vm->instance);
    lock_release(&vm_lock);
    return OK;
}

status_t
vm_wait_off(struct vm *vm, uint64_t deadline)
{
    status_t status = OK;

    lock_acquire(&vm_lock);
    while (vm->state > VM_OFF && status == OK)
        status = wait_block(&vm_queue, &vm_lock, deadline);
    if (vm->state <= VM_OFF)
        status = OK;
    lock_release(&vm_lock);
    return status;
}

/* --- At the start of the system ------------------------------------------- */

static void
autostart(const char *name)
{
    struct vm *vm = vm_find(name);
    struct vm_why why;

    if (vm == NULL)
        log_error(MOD_VMM, "vm.autostart: there is no VM '%s'", name);
    else if (vm_start(vm, &why) != OK)
        log_error(MOD_VMM, "vm.autostart: %s", why.text);
}

void
vm_autostart(const char *names)
{
    char name[VM_NAME_SIZE];

    while (*names != '\0') {
        size_t size = 0;

        while (names[size] != '\0' && names[size] != ',')
            size++;
        if (size < sizeof(name)) {
            memcpy(name, names, size);
            name[size] = '\0';
            autostart(name);
        } else {
            log_error(MOD_VMM, "vm.autostart: there is no VM '%.*s'",
                      (int)size, names);
        }
        names += size + (names[size] == ',');
    }
}
