/*
 * vm.c - the VMs that there are, and their configurations (vm.h).
 *
 * The list, the configurations and the objects themselves belong to the one
 * world that acts for the person, so they need no lock.  What a VM's own world
 * changes is guarded by vm_lock; a VM that is on keeps its configuration, and
 * is not destroyed, so that its world may read both.
 *
 * A configuration is changed by writing it out with the change and reading that
 * again: the parser is the only judge of what is right.
 */
#include "vmm/vmk/vm.h"

#include "boot/boot.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "mm/mm.h"
#include "vmm/vmk/vm_int.h"
#include "vmm/vmk/vm_memory.h"

#define SAY_SIZE    64u             /* "module 1 vms.cpio" */

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

/* --- Configurations ------------------------------------------------------- */

/* Room for SIZE bytes of text, and behind them a NUL; or NULL. */
static struct vm_config *
config_alloc(size_t size)
{
    return heap_alloc_zero(sizeof(struct vm_config) + size + 1);
}

/* C with the key of WORD ("key=value") changed, not yet parsed, or NULL. */
static struct vm_config *
config_change(const struct vm_config *c, const char *word, size_t *size)
{
    char key[VMX_MESSAGE_MAX];
    const char *equals = strchr(word, '=');
    struct vmx_change change = { .key = key, .value = equals + 1 };
    struct vm_config *changed;

    memcpy(key, word, (size_t)(equals - word));
    key[equals - word] = '\0';
    if (*change.value == '\0')
        change.value = NULL;
    *size = vmx_format(&c->vmx, &change, NULL, 0);
    changed = config_alloc(*size);
    if (changed != NULL)
        vmx_format(&c->vmx, &change, changed->text, *size + 1);
    return changed;
}

/* The parser's message without its line, which nobody wrote. */
static const char *
without_line(const char *message)
{
    const char *colon = strchr(message, ':');

    return str_starts_with(message, "line ") && colon != NULL &&
           colon[1] == ' ' ? colon + 2 : message;
}

/* Make one change to *C, which is replaced; else it stays. */
static status_t
apply_change(struct vm_config **c, const char *word, struct vm_why *why)
{
    const char *equals = strchr(word, '=');
    struct vm_config *changed;
    status_t status;
    size_t size;

    if (equals == NULL || equals == word ||
        (size_t)(equals - word) >= VMX_MESSAGE_MAX)
        return vm_refuse(why, ERR_SYNTAX,
                         "'%.40s' is no change: expected KEY=VALUE", word);
    changed = config_change(*c, word, &size);
    if (changed == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for that");
    status = vmx_parse(&changed->vmx, changed->text, size);
    if (status != OK) {
        (void)vm_refuse(why, status, "%s", without_line(changed->vmx.message));
        heap_free(changed);
        return status;
    }
    heap_free(*c);
    *c = changed;
    return OK;
}

/* A copy of FROM (NULL: of an empty one) with CHANGES made to it. */
static status_t
config_make(const struct vm_config *from, const struct vm_changes *changes,
            struct vm_config **result, struct vm_why *why)
{
    static const struct vmx empty;
    const struct vmx *vmx = from != NULL ? &from->vmx : &empty;
    size_t size = vmx_format(vmx, NULL, NULL, 0);
    struct vm_config *c = config_alloc(size);
    status_t status;

    if (c == NULL)
        return vm_refuse(why, ERR_NO_MEMORY, "no memory for that");
    vmx_format(vmx, NULL, c->text, size + 1);
    status = vmx_parse(&c->vmx, c->text, size);
    if (status != OK)
        (void)vm_refuse(why, status, "%s", c->vmx.message);
    for (unsigned n = 0; status == OK && n < changes->count; n++)
        status = apply_change(&c, changes->word[n], why);
    if (status == OK)
        *result = c;
    else
        heap_free(c);
    return status;
}

/* --- Objects -------------------------------------------------------------- */

/* On the list, off, without a configuration; NULL: no memory. */
static struct vm *
add_vm(const char *name, const char *folder)
{
    struct vm *vm = heap_alloc_zero(sizeof(*vm));

    if (vm == NULL)
        return NULL;
    (void)str_copy(vm->name, name, sizeof(vm->name));
    (void)str_copy(vm->folder, folder, sizeof(vm->folder));
    (void)str_copy(vm->reason, "off", sizeof(vm->reason));
    vm->state = VM_OFF;
    vm_console_init(&vm->console);
    list_add_tail(&vms, &vm->link);
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
                         "letters, digits, '-', '_', '.'", name,
                         VM_NAME_SIZE - 1);
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
    status = config_make(from != NULL ? from->config : NULL, changes, &config,
                         why);
    if (status != OK)
        return status;
    format_buf(own_folder, sizeof(own_folder), "%s/", name);
    vm = add_vm(name, from != NULL ? from->folder : own_folder);
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
    status = config_make(vm->config, changes, &config, why);
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

/* --- The archives --------------------------------------------------------- */

static void
report_unknown(const struct vm *vm)
{
    for (unsigned n = 0; n < vm->config->vmx.count; n++) {
        const struct vmx_entry *e = &vm->config->vmx.entry[n];

        if (e->known == NULL)
            log_info(MOD_VMM, "%s: line %u: key %.40s is not known, and kept",
                     vm->name, e->line, e->key);
    }
}

/* Read the .vmx of E; a wrong one makes a BAD VM. */
static void
load_entry(const struct vm_archive_entry *e)
{
    size_t size = MIN(e->text.size, VMX_SIZE_MAX + 1);
    struct vm_config *config = config_alloc(size);
    struct vm *vm = config != NULL ? add_vm(e->name, e->folder) : NULL;

    if (vm == NULL) {
        heap_free(config);
        log_error(MOD_VMM, "%s: no memory for its configuration", e->name);
        return;
    }
    vm->config = config;
    memcpy(config->text, e->text.bytes, size);
    if (vmx_parse(&config->vmx, config->text, size) != OK) {
        vm->state = VM_BAD;
        (void)str_copy(vm->reason, config->vmx.message, sizeof(vm->reason));
        log_warn(MOD_VMM, "%s: %s", vm->name, vm->reason);
        return;
    }
    report_unknown(vm);
}

/* All VMs of archive N; SAY names it for a person. */
static void
load_archive(unsigned n, const char *say)
{
    struct vm_archive_entry e;
    status_t status;

    for (;;) {
        status = vm_archive_next(&vm_archives, n, &e);
        if (status == ERR_INVALID)
            log_warn(MOD_VMM, "%s: ignored '%.60s': expected FOLDER/NAME.vmx",
                     say, e.path);
        else if (status != OK)
            break;
        else if (vm_find(e.name) != NULL)
            log_warn(MOD_VMM, "%s: ignored '%s%s.vmx': there is a VM of that "
                     "name", say, e.folder, e.name);
        else
            load_entry(&e);
    }
    if (status == ERR_CORRUPT)
        log_warn(MOD_VMM, "%s: the archive is damaged or cut off", say);
}

/* Where the module lies in memory that is mapped, or NULL. */
static const uint8_t *
module_bytes(const struct boot_info *boot, const struct boot_module *m)
{
    maddr_t first = make_maddr(ROUND_DOWN(maddr_raw(m->start), PAGE_SIZE));
    uint64_t end = ROUND_UP(maddr_raw(m->end), PAGE_SIZE);

    if (end > DIRECT_SIZE ||
        !memory_map_contains(&boot->map, maddr_raw(first),
                             end - maddr_raw(first), MEMORY_MODULE))
        return NULL;
    return direct_ptr(m->start);
}

/* The loader's words for it, without the folders of a path. */
static const char *
module_name(const struct boot_module *m)
{
    const char *name = m->string;

    for (const char *s = name; *s != '\0' && *s != ' '; s++)
        if (*s == '/')
            name = s + 1;
    return name;
}

static void
load_module(const struct boot_info *boot, unsigned n)
{
    const struct boot_module *m = &boot->modules[n];
    const uint8_t *bytes = module_bytes(boot, m);
    size_t size = (size_t)maddr_diff(m->end, m->start);
    char say[SAY_SIZE];

    format_buf(say, sizeof(say), "module %u%s%.40s", n + 1,
               m->string[0] != '\0' ? " " : "", module_name(m));
    if (bytes == NULL)
        log_warn(MOD_VMM, "%s lies above the first 2 GB of memory: ignored",
                 say);
    else if (!vm_archive_is_one(bytes, size))
        log_warn(MOD_VMM, "%s is no cpio archive of the newc format: ignored",
                 say);
    else if (vm_archive_add(&vm_archives, bytes, size))
        load_archive(vm_archives.count - 1, say);
}

void
vm_init(const struct boot_info *boot)
{
    unsigned count = 0;

    STATIC_ASSERT(VM_ARCHIVES_MAX >= BOOT_MODULE_MAX);
    wait_init(&vm_queue, "VM");
    for (unsigned n = 0; n < boot->module_count; n++)
        load_module(boot, n);
    for (struct vm *vm = vm_next(NULL); vm != NULL; vm = vm_next(vm))
        count++;
    if (boot->module_count > 0)
        log_info(MOD_VMM, "%u VM%s in %u archive%s", count,
                 count == 1 ? "" : "s", vm_archives.count,
                 vm_archives.count == 1 ? "" : "s");
}
