/*
 * multiboot_load.c - a Multiboot 1 kernel: ELF32 or with its own load address.
 *
 *      where it says   the kernel's segments
 *      behind them     each module on pages of its own
 *      behind those    one block that the kernel gets the address of:
 *
 *          | multiboot_info | memory map | module list | command lines |
 *
 * The structures are our own reading of the specification, apart from the ones
 * by which the VMkernel itself is booted: here they are written, there read.
 *
 * Called through direct_boot(); no locks.  Multiboot 0.6.96, 3.1 to 3.3; ELF
 * 1.2, "Object files".
 */
#include "kernel/base/string.h"
#include "vmm/boot/direct_boot_int.h"
#include "vmm/boot/multiboot_format.h"

#define ZEROS           KB(4u)

struct mb_kernel {
    struct direct_boot *boot;
    struct mb_header header;
    uint32_t header_offset;
    uint64_t end;               /* of what is loaded so far */
    uint32_t entry;
    /* The block behind the modules, as far as it is written. */
    uint32_t block_base, block_size;
};

/* --- The header ------------------------------------------------------------*/

static bool
find_header(const struct boot_image *image, struct mb_kernel *k)
{
    for (uint32_t at = 0; at < MB_SEARCH; at += MB_HEADER_ALIGN) {
        struct mb_header h = { .magic = 0 };

        if (!image_read(image, at, &h, MB_HEADER_SHORT))
            return false;
        if (h.magic != MB_HEADER_MAGIC || h.magic + h.flags + h.checksum != 0)
            continue;
        k->header = h;
        k->header_offset = at;
        return (h.flags & MB_AOUT_KLUDGE) == 0 ||
               image_read(image, at, &k->header, sizeof(h));
    }
    return false;
}

bool
multiboot_is_kernel(const struct boot_image *image)
{
    struct mb_kernel k;

    return find_header(image, &k);
}

/* --- The kernel ------------------------------------------------------------*/

/* Zeros to guest memory that may have been used before. */
static bool
clear(struct direct_boot *b, uint64_t first, uint64_t size)
{
    static const uint8_t zeros[ZEROS];

    while (size > 0) {
        uint32_t part = (uint32_t)MIN(size, sizeof(zeros));

        if (!b->write(b->context, make_gpa(first), zeros, part))
            return false;
        first += part;
        size -= part;
    }
    return true;
}

/* FILE_SIZE bytes of the image from OFFSET, then zeros: all of TO. */
static status_t
load_part(struct mb_kernel *k, uint64_t offset, uint64_t file_size,
          const struct boot_memory *to)
{
    struct direct_boot *b = k->boot;
    struct boot_memory file = { to->base, MIN(file_size, to->length), 0 };

    if (to->length == 0)
        return OK;
    if (offset > b->kernel.size || file.length > b->kernel.size - offset)
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    if (!boot_is_ram(b, to->base, to->length))
        return boot_fail(b, ERR_NO_MEMORY,
                         "the kernel wants memory that is not there");
    if (!boot_copy(b, &b->kernel, offset, &file) ||
        !clear(b, to->base + file.length, to->length - file.length))
        return boot_fail(b, ERR_NO_MEMORY, "memory is too small");
    k->end = MAX(k->end, to->base + to->length);
    return OK;
}

/* The addresses are in the header: nothing else is known of the format. */
static status_t
load_plain(struct mb_kernel *k)
{
    const struct mb_header *h = &k->header;
    uint32_t before = h->header_addr - h->load_addr;
    uint64_t size = k->boot->kernel.size;
    struct boot_memory to = { .base = h->load_addr };

    if (h->header_addr < h->load_addr || before > k->header_offset)
        return boot_fail(k->boot, ERR_CORRUPT,
                         "the Multiboot header's addresses are wrong");
    size -= k->header_offset - before;
    if (h->load_end_addr != 0) {
        if (h->load_end_addr < h->load_addr)
            return boot_fail(k->boot, ERR_CORRUPT,
                             "the Multiboot header's addresses are wrong");
        size = h->load_end_addr - h->load_addr;
    }
    to.length = size;
    if (h->bss_end_addr > to.base + size)
        to.length = h->bss_end_addr - to.base;
    k->entry = h->entry_addr;
    return load_part(k, k->header_offset - before, size, &to);
}

/* An entry that is a linear address of the kernel's own is made physical. */
static void
find_entry(struct mb_kernel *k, const struct elf32_phdr *p)
{
    if (k->entry - p->p_vaddr < p->p_memsz)
        k->entry += p->p_paddr - p->p_vaddr;
}

static status_t
load_elf(struct mb_kernel *k)
{
    struct direct_boot *b = k->boot;
    uint32_t entry;
    struct elf32_ehdr e;
    struct elf32_phdr p;
    status_t status = OK;

    if (!image_read(&b->kernel, 0, &e, sizeof(e)) ||
        memcmp(e.e_ident, ELF32_IDENT, sizeof(e.e_ident)) != 0 ||
        e.e_machine != ELF_EM_386 || e.e_phentsize < sizeof(p) ||
        e.e_phnum > ELF_PHNUM_MAX)
        return boot_fail(b, ERR_UNSUPPORTED,
                         "a Multiboot kernel that is not ELF for i386");
    entry = k->entry = e.e_entry;
    for (unsigned n = 0; n < e.e_phnum && status == OK; n++) {
        uint64_t at = e.e_phoff + (uint64_t)n * e.e_phentsize;

        if (!image_read(&b->kernel, at, &p, sizeof(p)))
            return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
        if (p.p_type != ELF_PT_LOAD)
            continue;
        status = load_part(k, p.p_offset, p.p_filesz,
                           &(struct boot_memory){ p.p_paddr, p.p_memsz, 0 });
        if (k->entry == entry)
            find_entry(k, &p);
    }
    return status;
}

/* --- What the kernel is told -----------------------------------------------*/

/*
 * Append SIZE bytes to the block; returns their guest address, or 0: there is
 * no memory.
 */
static uint32_t
put(struct mb_kernel *k, const void *bytes, size_t size)
{
    struct direct_boot *b = k->boot;
    uint32_t at = k->block_base + k->block_size;

    if (size > 0 && (!boot_is_ram(b, at, size) ||
                     !b->write(b->context, make_gpa(at), bytes, size)))
        return 0;
    k->block_size += (uint32_t)size;
    return at;
}

static uint32_t
put_text(struct mb_kernel *k, const char *text)
{
    return put(k, text, strlen(text) + 1);
}

static status_t
load_modules(struct mb_kernel *k, struct mb_module *list)
{
    struct direct_boot *b = k->boot;

    if (b->module_count > GUEST_MODULES_MAX)
        return boot_fail(b, ERR_INVALID, "too many modules");
    for (unsigned n = 0; n < b->module_count; n++) {
        const struct boot_image *image = &b->modules[n].image;
        struct boot_memory to = { ROUND_UP(k->end, PAGE_SIZE), image->size, 0 };

        if (!boot_copy(b, image, 0, &to))
            return boot_fail(b, ERR_NO_MEMORY,
                             "memory is too small for the modules");
        k->end = to.base + to.length;
        list[n] = (struct mb_module){ (uint32_t)to.base, (uint32_t)k->end,
                                      0, 0 };
    }
    k->block_base = (uint32_t)ROUND_UP(k->end, PAGE_SIZE);
    return OK;
}

static void
put_memory_map(struct mb_kernel *k, struct mb_info *info)
{
    const struct direct_boot *b = k->boot;

    info->mmap_addr = k->block_base + k->block_size;
    for (unsigned n = 0; n < b->memory_count; n++) {
        struct mb_mmap_entry entry = {
            sizeof(entry) - sizeof(entry.size), b->memory[n].base,
            b->memory[n].length, b->memory[n].type };

        if (put(k, &entry, sizeof(entry)) != 0)
            info->mmap_length += sizeof(entry);
    }
}

/* Room for the information comes first, and is filled in at the end. */
static status_t
write_block(struct mb_kernel *k, struct mb_module *list)
{
    struct direct_boot *b = k->boot;
    struct mb_info info = {
        .flags = MB_INFO_MEMORY | MB_INFO_CMDLINE | MB_INFO_MODS |
                 MB_INFO_MEM_MAP,
        .mem_lower = PC_LOW_END / KB(1), .mods_count = b->module_count,
        .mem_upper = (uint32_t)((boot_ram_end(b) - PC_HIGH_BASE) / KB(1)),
    };
    uint32_t ok = put(k, &info, sizeof(info));

    put_memory_map(k, &info);
    for (unsigned n = 0; ok != 0 && n < b->module_count; n++)
        ok = list[n].cmdline = put_text(k, b->modules[n].command_line);
    if (ok != 0)
        ok = info.cmdline = put_text(k, b->command_line);
    if (ok != 0)
        ok = info.mods_addr = put(k, list, b->module_count * sizeof(*list));
    if (ok == 0 || !b->write(b->context, make_gpa(k->block_base), &info,
                             sizeof(info)))
        return boot_fail(b, ERR_NO_MEMORY, "memory is too small");
    return OK;
}

status_t
multiboot_load(struct direct_boot *b, struct guest_cpu *cpu)
{
    struct mb_module list[GUEST_MODULES_MAX];
    struct mb_kernel k = { .boot = b, .end = PC_HIGH_BASE };
    status_t status;

    if (!find_header(&b->kernel, &k))
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    if (k.header.flags & MB_REQUIRED & ~MB_KNOWN)
        return boot_fail(b, ERR_UNSUPPORTED,
                         "a Multiboot kernel that requires a video mode");
    status = k.header.flags & MB_AOUT_KLUDGE ? load_plain(&k) : load_elf(&k);
    if (status == OK)
        status = load_modules(&k, list);
    if (status == OK)
        status = write_block(&k, list);
    cpu->eip = k.entry;
    cpu->gpr[GPR_EAX] = MB_LOADER_MAGIC;
    cpu->gpr[GPR_EBX] = k.block_base;
    return status;
}
