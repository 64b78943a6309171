/*
 * vm_load.c - the VMs that the boot loader brought.
 *
 * Modules are archives (vm_archive.h) or none of our business.  What is wrong
 * with a module, an archive or a VM costs a line in the log and that module,
 * the rest of that archive, or that VM.
 *
 * Called once, by the world that starts the system; no locks.
 */
#include "boot/boot.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "mm/mm.h"
#include "vmm/vmk/vm_int.h"

#define SAY_SIZE    64u             /* "module 1 vms.cpio" */

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
    struct vm_config *config = vm_config_alloc(size);
    struct vm *vm = config != NULL ? vm_add(e->name, e->folder) : NULL;

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
