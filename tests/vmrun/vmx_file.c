/*
 * vmx_file.c - the machine that a .vmx file describes.
 *
 * The files that it names lie beside it.  Keys that we do not know are reported
 * and change nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/config/vmx.h"
#include "vmrun/options.h"

#define PATH_SIZE       4096
#define KEY_SIZE        32

static struct vmx vmx;

/* All of the file, with room for a NUL behind. */
static char *
read_file(const char *name, size_t *size)
{
    FILE *file = fopen(name, "rb");
    char *text = malloc(VMX_SIZE_MAX + 2);

    if (file == NULL || text == NULL)
        die("%s: %s", name, strerror(errno));
    *size = fread(text, 1, VMX_SIZE_MAX + 1, file);
    if (ferror(file))
        die("%s: %s", name, strerror(errno));
    fclose(file);
    return text;
}

/* The path of FILE, which lies beside the .vmx NAME. */
static const char *
beside(const char *name, const char *file)
{
    const char *slash = strrchr(name, '/');
    char path[PATH_SIZE], *copy;

    if (slash == NULL)
        return file;
    snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - name), name, file);
    copy = strdup(path);
    if (copy == NULL)
        die("%s: %s", name, strerror(errno));
    return copy;
}

static void
add_module(struct vm_options *o, const char *name, const char *file)
{
    if (o->module_count == GUEST_MODULES_MAX)
        die("%s: too many modules", name);
    o->module[o->module_count] = beside(name, file);
    o->module_line[o->module_count++] = file;
}

static void
add_modules(struct vm_options *o, const char *name)
{
    char key[KEY_SIZE];

    for (unsigned n = 0; n < GUEST_MODULES_MAX; n++) {
        const char *file, *line;

        snprintf(key, sizeof(key), "boot.module%u", n);
        file = vmx_text(&vmx, key);
        if (file == NULL)
            continue;
        add_module(o, name, file);
        snprintf(key, sizeof(key), "boot.module%u.cmdline", n);
        line = vmx_text(&vmx, key);
        if (*line != '\0')
            o->module_line[o->module_count - 1] = line;
    }
}

void
options_read_vmx(struct vm_options *o, const char *name)
{
    size_t size;
    char *text = read_file(name, &size);
    const char *kernel, *initrd;

    if (vmx_parse(&vmx, text, size) != OK)
        die("%s: %s", name, vmx.message);
    for (unsigned n = 0; n < vmx.count; n++)
        if (vmx.entry[n].known == NULL)
            fprintf(stderr, "vmrun: %s: line %u: unknown key %s\n", name,
                    vmx.entry[n].line, vmx.entry[n].key);
    kernel = vmx_text(&vmx, "boot.kernel");
    if (kernel == NULL)
        die("%s: there is no boot.kernel, and no firmware to start a disk",
            name);
    o->kernel = beside(name, kernel);
    o->command_line = vmx_text(&vmx, "boot.cmdline");
    o->memory_mb = vmx_uint(&vmx, "memsize");
    if (o->memory_mb > MEMORY_MAX_MB)
        die("%s: memsize is more than the %u that vmrun has room for", name,
            MEMORY_MAX_MB);
    initrd = vmx_text(&vmx, "boot.initrd");
    if (initrd != NULL)
        add_module(o, name, initrd);
    add_modules(o, name);
}
