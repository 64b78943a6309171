/*
 * cmd_vm.c - `vm`: its sub-commands, their completion, and the list of VMs.
 *
 * Which sub-commands there are is console/vm_commands.def.  Here the words are
 * counted and the VM is found, so that the sub-commands see only what is right
 * in form.  Run in the shell's world.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/units.h"
#include "console/vm_commands.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define LABEL_SIZE      40u
#define WORD_SIZE       COMPLETION_WORD_MAX

/* Words of the line: vm, the sub-command, the name, what is behind. */
#define AT_SUBCOMMAND   2u
#define AT_NAME         3u

enum which { NO_VM, ANY_VM, OFF_VM, ON_VM };

struct subcommand {
    const char *name;
    enum which which;
    unsigned least, most;       /* words behind the name */
    const char *usage;
    void (*run)(struct vm *vm, const struct args *args);
};

static const struct subcommand subcommands[] = {
#define VM_COMMAND(n, whose, lo, hi, how) \
    { #n, whose, lo, hi, how, vm_cmd_##n },
#include "console/vm_commands.def"
#undef VM_COMMAND
};

const char *
vm_state_text(char *buf, const struct vm_info *info)
{
    static const char *const words[] = {
        [VM_BAD] = "bad: ", [VM_OFF] = "", [VM_STARTING] = "starting",
        [VM_RUNNING] = "running for ", [VM_STOPPING] = "stopping",
    };
    char up[UNITS_SIZE];
    const char *more = "";

    if (info->state == VM_BAD || info->state == VM_OFF)
        more = info->reason;
    else if (info->state == VM_RUNNING)
        more = units_duration(up, info->up_ns);
    format_buf(buf, VM_STATE_SIZE, "%s%s", words[info->state], more);
    return buf;
}

void
vm_tell(const struct vm_why *why)
{
    output_error("vm", "%s", why->text);
}

/* --- vm list -------------------------------------------------------------- */

void
vm_cmd_list(struct vm *none UNUSED, const struct args *args UNUSED)
{
    char label[LABEL_SIZE], memory[UNITS_SIZE], state[VM_STATE_SIZE];
    struct vm_info info;
    struct vm *vm = vm_next(NULL);

    if (vm == NULL) {
        output_print("There are no VMs: the boot loader brought none.  'help "
                     "vm' says more.\n");
        return;
    }
    output_print("%-19s %9s  %s\n", "NAME", "MEMORY", "STATE");
    for (; vm != NULL; vm = vm_next(vm)) {
        vm_get_info(vm, &info);
        units_bytes(memory, info.memory_mb * (uint64_t)MB(1));
        format_buf(label, sizeof(label), "%-19s %9s  ", info.name,
                   info.state == VM_BAD ? "-" : memory);
        output_folded(label, vm_state_text(state, &info));
    }
}

/* --- Words to sub-commands ------------------------------------------------ */

static const struct subcommand *
find_subcommand(const char *name)
{
    for (size_t n = 0; n < ARRAY_LEN(subcommands); n++)
        if (strcmp(subcommands[n].name, name) == 0)
            return &subcommands[n];
    return NULL;
}

static void
tell_subcommands(const char *wrong)
{
    char text[VM_WHY_SIZE];
    size_t used = 0;

    for (size_t n = 0; n < ARRAY_LEN(subcommands); n++)
        used += format_buf(text + used, sizeof(text) - used, "%s%s",
                           n == 0 ? "" : ", ", subcommands[n].name);
    output_error("vm", "unknown '%.40s'; expected one of %s", wrong, text);
}

void
cmd_vm(const struct args *args)
{
    const struct subcommand *s;
    struct args rest = *args;
    struct vm *vm = NULL;

    if (args->count == 0) {
        vm_cmd_list(NULL, args);
        return;
    }
    s = find_subcommand(args->word[0]);
    if (s == NULL) {
        tell_subcommands(args->word[0]);
        return;
    }
    rest.word++;
    rest.count--;
    if (rest.count < s->least || rest.count > s->most) {
        output_error("vm", "%s; expected: vm %s%s", rest.count < s->least
                     ? "something is missing" : "too many words", s->name,
                     s->usage);
        return;
    }
    if (s->which != NO_VM) {
        vm = vm_find(rest.word[0]);
        if (vm == NULL) {
            output_error("vm", "there is no VM '%.40s': 'vm list' shows them",
                         rest.word[0]);
            return;
        }
        rest.word++;
        rest.count--;
    }
    s->run(vm, &rest);
}

/* --- Completion ----------------------------------------------------------- */

static void
offer_vms(struct completion *c, enum which which)
{
    struct vm_info info;

    for (struct vm *vm = vm_next(NULL); vm != NULL; vm = vm_next(vm)) {
        bool is_on;

        vm_get_info(vm, &info);
        is_on = info.state > VM_OFF;
        if (which == ANY_VM || is_on == (which == ON_VM))
            completion_offer(c, info.name);
    }
}

/* "memsize=128": a key as it is, ready to be changed. */
static void
offer_keys(struct completion *c, const struct vm *vm)
{
    const struct vmx *vmx = vm_config(vm);
    char word[WORD_SIZE];

    for (unsigned n = 0; n < vmx->count; n++) {
        const struct vmx_entry *e = &vmx->entry[n];

        if (strchr(e->value, ' ') == NULL &&
            format_buf(word, sizeof(word), "%s=%s", e->key, e->value) <
                sizeof(word))
            completion_offer(c, word);
    }
}

void
complete_vm(const struct words *words, struct completion *c)
{
    const struct subcommand *s;
    const struct vm *vm;

    if (words->count == AT_SUBCOMMAND) {
        for (size_t n = 0; n < ARRAY_LEN(subcommands); n++)
            completion_offer(c, subcommands[n].name);
        return;
    }
    s = find_subcommand(words->word[AT_SUBCOMMAND - 1]);
    if (s == NULL)
        return;
    if (words->count == AT_NAME && s->which != NO_VM) {
        offer_vms(c, s->which);
    } else if (s->run == vm_cmd_create && words->count > AT_NAME) {
        if (words->count == AT_NAME + 1)
            offer_vms(c, ANY_VM);
        vm = vm_find(words->word[AT_NAME]);
        if (vm != NULL && words->count > AT_NAME + 1)
            offer_keys(c, vm);
    } else if (s->run == vm_cmd_set && words->count > AT_NAME) {
        vm = vm_find(words->word[AT_NAME - 1]);
        if (vm != NULL)
            offer_keys(c, vm);
    }
}
