/*
 * cmd_vm_show.c - `vm info` and `vm log`: what is known about a VM.
 *
 * All lines about a VM, its monitor's too, are the log module vmm's and begin
 * with the VM's name.  Run in the shell's world.
 */
#include "console/mirror.h"
#include "console/output.h"
#include "console/units.h"
#include "console/vm_commands.h"
#include "drivers/console.h"
#include "kernel/base/addr.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define LABEL       "  "
#define LINE_SIZE   (LOG_LINE_MAX + 16u)

static void
show_keys(const struct vm *vm)
{
    const struct vmx *vmx = vm_config(vm);
    char line[LINE_SIZE];

    output_print("Keys:%s\n", vmx->count == 0 ? "     none is set" : "");
    for (unsigned n = 0; n < vmx->count; n++) {
        const struct vmx_entry *e = &vmx->entry[n];

        format_buf(line, sizeof(line), "%s = \"%s\"%s", e->key, e->value,
                   e->known == NULL ? " (not known, does nothing)" : "");
        output_folded(LABEL, line);
    }
}

void
vm_cmd_info(struct vm *vm, const struct args *args UNUSED)
{
    char state[VM_STATE_SIZE], memory[UNITS_SIZE], used[UNITS_SIZE];
    struct vm_info info;

    vm_get_info(vm, &info);
    output_print("VM:       %s\n", info.name);
    output_folded("State:    ", vm_state_text(state, &info));
    if (info.resets > 0)
        output_print("Resets:   %u since it was started\n", info.resets);
    output_print("Files:    in '%s' of the archives\n", info.folder);
    output_print("Memory:   %s",
                 units_bytes(memory, info.memory_mb * (uint64_t)MB(1)));
    if (info.state > VM_OFF)
        output_print(", of which the guest has touched %s",
                     units_bytes(used, info.pages_used *
                                           (uint64_t)PAGE_SIZE));
    output_print("\n");
    show_keys(vm);
}

/* --- vm log --------------------------------------------------------------- */

/* Is the line about the VM called NAME?  Then what it says, or NULL. */
static const char *
text_about(const struct log_entry *entry, const char *name)
{
    size_t size = strlen(name);

    if (entry->module != MOD_VMM ||
        strncmp(entry->text, name, size) != 0 || entry->text[size] != ':')
        return NULL;
    return entry->text;
}

/* The level that WORD names, or LOG_LEVEL_COUNT. */
static enum log_level
level_called(const char *word)
{
    unsigned level = 0;

    while (level < LOG_LEVEL_COUNT &&
           strcmp(word, log_level_name((enum log_level)level)) != 0)
        level++;
    return (enum log_level)level;
}

void
vm_cmd_log(struct vm *vm, const struct args *args)
{
    enum log_level level = args->count > 0 ? level_called(args->word[0])
                                           : LOG_INFO;
    static struct log_entry entry;      /* too large for the shell's stack */
    char label[MIRROR_LABEL_SIZE];
    struct vm_info info;
    unsigned count = 0;

    if (level == LOG_LEVEL_COUNT) {
        output_error("vm", "unknown level '%.40s': expected error, warn, info "
                     "or debug", args->word[0]);
        return;
    }
    vm_get_info(vm, &info);
    for (uint64_t seq = 0; log_read(seq, &entry); seq = entry.seq + 1) {
        const char *text = text_about(&entry, info.name);

        if (console_interrupted())
            return;
        if (text == NULL || entry.level > level)
            continue;
        output_folded(mirror_label(label, &entry), text);
        count++;
    }
    if (count == 0)
        output_print("The log has no lines about %s.\n", info.name);
}
