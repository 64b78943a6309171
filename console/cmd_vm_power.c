/*
 * cmd_vm_power.c - `vm create`, `set`, `destroy`, `start`, `stop`, `kill`,
 * `reset`: what a person does to VMs.
 *
 * Nothing here waits for ever for a VM.  Run in the shell's
 * world.
 */
#include "console/output.h"
#include "console/vm_commands.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "vmm/vmk/vm_power.h"

#define PATIENCE_NS     (30 * NSEC_PER_SEC)
#define START_NS        (60 * NSEC_PER_SEC)     /* large images take time */

static const char *
name_of(struct vm *vm)
{
    struct vm_info info;

    vm_get_info(vm, &info);
    return info.name;
}

/* --- Configuration -------------------------------------------------------- */

/* Does WORD, "key=value", change ENTRY? */
static bool
changes_entry(const char *word, const struct vmx_entry *entry)
{
    size_t size = strlen(entry->key);

    return strncmp(word, entry->key, size) == 0 && word[size] == '=';
}

/* Say which of the keys just set mean nothing to us. */
static void
tell_unknown(const struct vm *vm, const struct vm_changes *changes)
{
    const struct vmx *vmx = vm_config(vm);

    for (unsigned n = 0; n < vmx->count; n++)
        for (unsigned i = 0; i < changes->count; i++)
            if (vmx->entry[n].known == NULL &&
                changes_entry(changes->word[i], &vmx->entry[n]))
                output_print("Note: key %s is not known; it is kept and does "
                             "nothing.\n", vmx->entry[n].key);
}

void
vm_cmd_create(struct vm *none UNUSED, const struct args *args)
{
    bool has_from = args->count > 1 && strchr(args->word[1], '=') == NULL;
    const struct vm_changes changes = {
        args->word + 1 + has_from, args->count - 1 - has_from
    };
    struct vm *from = has_from ? vm_find(args->word[1]) : NULL;
    struct vm_why why;

    if (has_from && from == NULL) {
        output_error("vm", "there is no VM '%.40s' to create one from: 'vm "
                     "list' shows them", args->word[1]);
    } else if (vm_create(args->word[0], from, &changes, &why) != OK) {
        vm_tell(&why);
    } else {
        output_print("VM %s was created%s%s.\n", args->word[0],
                     has_from ? " from " : "", has_from ? args->word[1] : "");
        tell_unknown(vm_find(args->word[0]), &changes);
    }
}

void
vm_cmd_set(struct vm *vm, const struct args *args)
{
    const struct vm_changes changes = { args->word, args->count };
    struct vm_why why;

    if (vm_set(vm, &changes, &why) != OK) {
        vm_tell(&why);
        return;
    }
    output_print("VM %s was changed, until the machine is switched off.\n",
                 name_of(vm));
    tell_unknown(vm, &changes);
}

void
vm_cmd_destroy(struct vm *vm, const struct args *args UNUSED)
{
    char name[VM_NAME_SIZE];
    struct vm_why why;

    (void)str_copy(name, name_of(vm), sizeof(name));
    if (vm_destroy(vm, &why) != OK)
        vm_tell(&why);
    else
        output_print("VM %s is forgotten.\n", name);
}

/* --- On and off ----------------------------------------------------------- */

void
vm_cmd_start(struct vm *vm, const struct args *args UNUSED)
{
    struct vm_why why;

    if (vm_start(vm, &why) != OK ||
        vm_wait_running(vm, clock_now() + START_NS, &why) != OK)
        vm_tell(&why);
    else
        output_print("VM %s runs; 'vm console %s' is its first serial port.\n",
                     name_of(vm), name_of(vm));
}

void
vm_cmd_stop(struct vm *vm, const struct args *args UNUSED)
{
    struct vm_why why;

    if (vm_stop(vm, &why) != OK)
        vm_tell(&why);
    else if (vm_wait_off(vm, clock_now() + PATIENCE_NS) != OK)
        output_error("vm", "%s does not end; 'vm kill %s' does not ask it",
                     name_of(vm), name_of(vm));
    else
        output_print("VM %s is off.\n", name_of(vm));
}

void
vm_cmd_kill(struct vm *vm, const struct args *args UNUSED)
{
    struct vm_why why;

    if (vm_kill(vm, &why) != OK)
        vm_tell(&why);
    else if (vm_wait_off(vm, clock_now() + PATIENCE_NS) != OK)
        output_error("vm", "%s has not ended yet", name_of(vm));
    else
        output_print("VM %s was killed.\n", name_of(vm));
}

void
vm_cmd_reset(struct vm *vm, const struct args *args UNUSED)
{
    struct vm_why why;

    if (vm_reset(vm, &why) != OK ||
        vm_wait_running(vm, clock_now() + PATIENCE_NS, &why) != OK)
        vm_tell(&why);
    else
        output_print("VM %s starts over.\n", name_of(vm));
}
