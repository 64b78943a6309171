/*
 * load.c - the guest's files, mapped; and its start, by vmm/boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/guest_mem.h"
#include "vmrun/machine.h"

static struct guest_module modules[GUEST_MODULES_MAX];
static struct boot_memory memory[BOOT_MEMORY_MAX];

static struct boot_image
map_file(const char *name)
{
    struct stat s;
    int file = open(name, O_RDONLY | O_CLOEXEC);
    void *bytes;

    if (file < 0 || fstat(file, &s) != 0)
        die("%s: %s", name, strerror(errno));
    if (!S_ISREG(s.st_mode) || s.st_size == 0 || s.st_size > INT32_MAX)
        die("%s: no file of 1 byte to 2 GB", name);
    bytes = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED)
        die("%s: %s", name, strerror(errno));
    close(file);
    return (struct boot_image){ bytes, (uint32_t)s.st_size };
}

static bool
write_guest(void *context, gpa_t at, const void *from, size_t size)
{
    struct machine *m = context;

    return guest_phys_write(&m->vcpu, at, from, size);
}

static void
find_files(struct machine *m)
{
    const struct vm_options *o = m->options;

    m->boot.kernel = map_file(o->kernel);
    m->boot.command_line = o->command_line;
    for (unsigned n = 0; n < o->module_count; n++)
        modules[n] = (struct guest_module){ map_file(o->module[n]),
                                           o->module_line[n] };
    m->boot.modules = modules;
    m->boot.module_count = o->module_count;
    m->boot.memory = memory;
    m->boot.memory_count = boot_memory_of_pc(o->memory_mb * MB(1), memory);
    m->boot.write = write_guest;
    m->boot.context = m;
}

bool
machine_boot(struct machine *m)
{
    uint64_t generation = m->vcpu.memory_generation;

    if (m->boot.kernel.bytes == NULL)
        find_files(m);
    m->executed += m->vcpu.instructions;
    vcpu_reset(&m->vcpu);
    interp_init(&m->interp, &m->vcpu);
    m->vcpu.memory_generation = (uint32_t)generation + 1;
    return direct_boot(&m->boot, &m->vcpu) == OK;
}
