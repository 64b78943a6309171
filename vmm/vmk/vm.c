/*
 * vm.c - the VMs that there are, and their configurations (vm.h).
 *
 * The list, the configurations and the objects themselves belong to the one
 * world that acts for the person, so they need no lock.  What a VM's own world
 * changes is guarded by vm_lock; a VM that is on keeps its configuration, and
 * is not destroyed, so that its world may read both.
 */
#include "vmm/vmk/vm.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "mm/mm.h"
#include "vmm/vmk/vm_int.h"
#include "vmm/vmk/vm_memory.h"

struct lock vm_lock = LOCK_INIT("vm", RANK_SUBSYSTEM);
struct wait_queue vm_queue;
struct vm_archives vm_archives;

static struct list vms = LIST_INIT(vms);

status_t
vm_refuse(struct vm_why *why, status_t status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_buf_args(why->text, sizeof(why->text), format, args);
    va_end(args);
    return status;
}

/* --- Objects -------------------------------------------------------------- */

/* What comes behind NAME in the list, which is sorted by names. */
static struct list *
place_of(const char *name)
{
    LIST_FOR_EACH(vm, &vms, struct vm, link)
        if (strcmp(vm->name, name) > 0)
            return &vm->link;
    return &vms;
}

struct vm *
vm_add(const char *name, const char *folder)
{
    struct vm *vm = heap_alloc_zero(sizeof(*vm));

    if (vm == NULL)
        return NULL;
    (void)str_copy(vm->name, name, sizeof(vm->name));
    (void)str_copy(vm->folder, folder, sizeof(vm->folder));
    (void)str_copy(vm->reason, "off", sizeof(vm->reason));
    vm->state = VM_OFF;
    vm_console_init(&vm->console);
    list_insert_before(place_of(name), &vm->link);
    return vm;
}

struct vm *
vm_find(const char *name)
{
    LIST_FOR_EACH(vm, &vms, struct vm, link)
        if (strcmp(vm->name, name) == 0)
            return vm;
    return NULL;
}

struct vm *
vm_next(const struct vm *vm)
{
    const struct list *at = vm != NULL ? &vm->link : &vms;

    return at->next != &vms ? LIST_ENTRY(at->next, struct vm, link) : NULL;
}

const struct vmx *
vm_config(const struct vm *vm)
{
    return &vm->config->vmx;
}

struct vm_console *
vm_get_console(struct vm *vm)
{
    return &vm->console;
}

void
vm_get_info(struct vm *vm, struct vm_info *info)
{
    *info = (struct vm_info){
        .name = vm->name, .folder = vm->folder,
        .memory_mb = vmx_uint(&vm->config->vmx, "memsize")
    };
    lock_acquire(&vm_lock);
    info->state = vm->state;
    (void)str_copy(info->reason, vm->reason, sizeof(info->reason));
    if (vm->state > VM_OFF) {
        info->up_ns = clock_now() - vm->on_since;
        info->resets = vm->resets;
    }
    if (vm->instance != NULL)
        info->pages_used = vm_memory_used(vm->instance);
    lock_release(&vm_lock);
}

bool
vm_get_stats(struct vm *vm, struct vmm_stats *stats, uint64_t *run_ns)
{
    bool has_any;

    lock_acquire(&vm_lock);
    has_any = vm->instance != NULL || vm->has_stats;
    if (vm->instance != NULL) {
        *stats = *vm_instance_stats(vm->instance);
        *run_ns = vm_instance_now(vm->instance);
    } else if (vm->has_stats) {
        *stats = vm->stats;
        *run_ns = vm->stats_ns;
    }
    lock_release(&vm_lock);
    return has_any;
}

/* BAD ones need not be off: they never were on. */
static status_t
check_off(struct vm *vm, struct vm_why *why)
{
    status_t status = OK;

    lock_acquire(&vm_lock);
    if (vm->state > VM_OFF)
        status = vm_refuse(why, ERR_BUSY, "%s is on; 'vm stop %s' first",
                           vm->name, vm->name);
    lock_release(&vm_lock);
    return status;
}

/* --- What a person does --------------------------------------------------- */

static status_t
check_name(const char *name, struct vm_why *why)
{
    if (!vm_name_is_good(name))
        return vm_refuse(why, ERR_INVALID,
                         "'%.40s' cannot be a name: expected at most %u "
                         "letters, digits, '-', '_', '.', the first a letter "
                         "or digit", name, VM_NAME_SIZE - 1);
    if (vm_find(name) != NULL)
        return vm_refuse(why, ERR_EXISTS, "there is a VM '%s' already", name);
    return OK;
}

status_t
vm_create(const char *name, const struct vm *from,
          const struct vm_changes *changes, struct vm_why *why)
{
    char own_folder[VM_FOLDER_SIZE];
    struct vm_config *config = NULL;
    status_t status = check_name(name, why);
    struct vm *vm;

    if (status != OK)
        return status;
    if (from != NULL && from->state == VM_BAD)
        return vm_refuse(why, ERR_INVALID, "%s is bad: %s", from->name,
                         from->reason);
    status = vm_config_make(from != NULL ? from->config : NULL, changes,
                            &config, why);
    if (status != OK)
        return status;
    format_buf(own_folder, sizeof(own_folder), "%s/", name);
    vm = vm_add(name, from != NULL ? from->folder : own_folder);
    if (vm == NULL) {
        heap_free(config);
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for another VM");
    }
    vm->config = config;
    return OK;
}

status_t
vm_set(struct vm *vm, const struct vm_changes *changes, struct vm_why *why)
{
    struct vm_config *config = NULL;
    status_t status = check_off(vm, why);

    if (status != OK)
        return status;
    if (vm->state == VM_BAD)
        return vm_refuse(why, ERR_INVALID, "%s is bad: %s", vm->name,
                         vm->reason);
    status = vm_config_make(vm->config, changes, &config, why);
    if (status != OK)
        return status;
    heap_free(vm->config);
    vm->config = config;
    return OK;
}

status_t
vm_destroy(struct vm *vm, struct vm_why *why)
{
    status_t status = check_off(vm, why);

    if (status != OK)
        return status;
    list_remove(&vm->link);
    vm_console_free(&vm->console);
    heap_free(vm->config);
    heap_free(vm);
    return OK;
}
