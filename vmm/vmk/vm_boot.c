/*
 * vm_boot.c - the guest's files, and its start (vmm/boot/direct_boot.h).
 *
 * Files are read where they lie in the archive.  They are looked for twice:
 * when a person starts the VM, so that one that is missing is told at once, and
 * each time the VM's world loads the guest.
 *
 * The rest that firmware does, to devices, the monitor does itself.
 */
#include "vmm/vmk/vm_int.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "mm/mm.h"
#include "vmm/boot/direct_boot.h"
#include "vmm/vmk/vm_memory.h"

#define KEY_SIZE    32u

/* What direct_boot() wants, all in one place: too large for a stack. */
struct loading {
    struct direct_boot boot;
    struct vm_instance *instance;
    bool is_short;                  /* of machine memory */
    struct guest_module module[GUEST_MODULES_MAX];
    struct boot_memory memory[BOOT_MEMORY_MAX];
    struct vcpu vcpu;
};

/* The file that KEY names, if it is set, as IMAGE. */
static status_t
find_file(const struct vm *vm, const char *key, struct boot_image *image,
          struct vm_why *why)
{
    const char *name = vmx_text(&vm->config->vmx, key);
    struct vm_file file;

    *image = (struct boot_image){ NULL, 0 };
    if (name == NULL)
        return OK;
    if (!vm_archive_find(&vm_archives, vm->folder, name, &file))
        return vm_refuse(why, ERR_NOT_FOUND,
                         "%s: there is no file '%s%.40s' in the archives", key,
                         vm->folder, name);
    if (file.size == 0)
        return vm_refuse(why, ERR_TRUNCATED,
                         "%s: the file '%s%.40s' is empty", key, vm->folder,
                         name);
    *image = (struct boot_image){ file.bytes, file.size };
    return OK;
}

/* Add the file of KEY, if it is set, with LINE or else its own name. */
static status_t
add_module(const struct vm *vm, struct loading *l, const char *key,
           struct vm_why *why)
{
    struct guest_module *m = &l->module[l->boot.module_count];
    const struct vmx *vmx = &vm->config->vmx;
    char line_key[KEY_SIZE];
    struct boot_image image;
    status_t status = find_file(vm, key, &image, why);

    if (status != OK || image.bytes == NULL)
        return status;
    if (l->boot.module_count == GUEST_MODULES_MAX)
        return vm_refuse(why, ERR_FULL, "%s: more than %u modules", key,
                         GUEST_MODULES_MAX);
    format_buf(line_key, sizeof(line_key), "%s.cmdline", key);
    m->image = image;
    m->command_line = vmx_text(vmx, line_key);
    if (m->command_line == NULL || *m->command_line == '\0')
        m->command_line = vmx_text(vmx, key);
    l->boot.module_count++;
    return OK;
}

/* Fill in kernel and modules. */
static status_t
find_files(const struct vm *vm, struct loading *l, struct vm_why *why)
{
    char key[KEY_SIZE];
    status_t status = find_file(vm, "boot.kernel", &l->boot.kernel, why);

    if (status == OK && l->boot.kernel.bytes == NULL)
        return vm_refuse(why, ERR_NOT_FOUND, "%s has no boot.kernel: set it to "
                         "the name of a file in '%s'", vm->name, vm->folder);
    if (status == OK)
        status = add_module(vm, l, "boot.initrd", why);
    for (unsigned n = 0; status == OK && n < GUEST_MODULES_MAX; n++) {
        format_buf(key, sizeof(key), "boot.module%u", n);
        status = add_module(vm, l, key, why);
    }
    l->boot.modules = l->module;
    l->boot.command_line = vmx_text(&vm->config->vmx, "boot.cmdline");
    return status;
}

status_t
vm_boot_check(const struct vm *vm, struct vm_why *why)
{
    struct loading *l = heap_alloc_zero(sizeof(*l));
    status_t status;

    if (l == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory to start %s",
                         vm->name);
    status = find_files(vm, l, why);
    heap_free(l);
    return status;
}

/* For direct_boot(), which asks for what is RAM only. */
static bool
write_guest(void *context, gpa_t at, const void *from, size_t size)
{
    struct loading *l = context;

    l->is_short = !vm_memory_write(l->instance, at, from, size);
    return !l->is_short;
}

static status_t
load(const struct vm *vm, struct loading *l, struct vm_why *why)
{
    uint32_t size = vmx_uint(&vm->config->vmx, "memsize") * MB(1);
    status_t status = find_files(vm, l, why);

    if (status != OK)
        return status;
    l->boot.memory = l->memory;
    l->boot.memory_count = boot_memory_of_pc(size, l->memory);
    l->boot.write = write_guest;
    l->boot.context = l;
    vcpu_reset(&l->vcpu);
    status = direct_boot(&l->boot, &l->vcpu);
    if (l->is_short)
        return vm_refuse(why, ERR_NO_MEMORY,
                         "no machine memory is left to load the guest");
    if (status != OK)
        return vm_refuse(why, status, "boot.kernel: %s",
                         l->boot.error != NULL ? l->boot.error
                                               : status_text(status));
    vm_instance_shared(l->instance)->boot_cpu = l->vcpu.cpu;
    return OK;
}

status_t
vm_boot_load(const struct vm *vm, struct vm_instance *instance,
             struct vm_why *why)
{
    struct loading *l = heap_alloc_zero(sizeof(*l));
    status_t status;

    if (l == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory to load the guest");
    l->instance = instance;
    status = load(vm, l, why);
    heap_free(l);
    return status;
}
