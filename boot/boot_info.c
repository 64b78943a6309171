/*
 * boot_info.c - copy what a Multiboot loader left, trusting none of it.
 *
 * Order matters: first the memory map, because a module is believed only if it
 * lies in memory that the map calls usable, clear of the VMkernel and of the
 * other modules; then the modules, whose pages leave the usable memory.
 *
 * The map is gathered in two passes, reserved ranges before usable ones, so
 * that a list longer than our own costs usable memory and never protection.
 * Two ranges are ours to claim on any PC: the first page, which holds the
 * BIOS's data area (the ACPI and MP searches start there), and 640 KB to 1 MB,
 * which is video memory and ROM whatever the map says.
 *
 * Everything read goes through a struct mem_reader, so the same code runs in
 * tests.  Called once at boot on one processor; the scratch map is static
 * because 3 KB are a lot for the boot stack.
 *
 * Multiboot Specification 0.6.96, section 3.3.
 */
#include "boot/boot.h"

#include "boot/multiboot.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

#define LOW_MEMORY_END      KB(640ull)
#define EXTENDED_START      MB(1ull)

/* Bytes of an entry of the memory map that must be there, `size` included. */
#define MMAP_ENTRY_MIN      sizeof(struct multiboot_mmap_entry)

/* Claims of our own: first page, ROM area, VMkernel. */
#define OWN_CLAIMS          3u
#define MMAP_CLAIMS_MAX     (MEMORY_MAP_MAX - OWN_CLAIMS - BOOT_MODULE_MAX)

/* An absurd list ends here, whatever its length. */
#define MMAP_ENTRIES_MAX    4096u
#define MODULES_LOOKED_AT   64u

/* QEMU's -kernel calls itself this; see strip_path(). */
#define LOADER_QEMU         "qemu"

static struct memory_map claims;

/*
 * Copy the NUL-terminated string at FROM, which may be as long as it likes, to
 * DST of SIZE bytes; what cannot be printed becomes '?', white space a space.
 */
static void
copy_string(char *dst, size_t size, uint32_t from,
            const struct mem_reader *reader)
{
    size_t i;
    char c;

    for (i = 0; mem_read(reader, make_maddr(from + (uint64_t)i), &c, 1); i++) {
        if (c == '\0')
            break;
        if (i + 1 == size) {
            log_warn(MOD_BOOT, "text too long, cut: \"%.32s...\"", dst);
            break;
        }
        dst[i] = char_is_space(c) ? ' ' : char_is_print(c) ? c : '?';
    }
    dst[i] = '\0';
}

/*
 * Whether the first word of TEXT is the path of the file that was loaded.
 * QEMU always puts it there, GRUB Legacy puts "(hd0,0)/path" or "/path", GRUB 2
 * leaves it out.  No option's name has a slash, so a slash that no '=' comes
 * before is a path; QEMU's need not have one.
 */
static bool
begins_with_path(const char *text, const char *loader)
{
    if (strcmp(loader, LOADER_QEMU) == 0)
        return true;
    while (*text != '\0' && *text != ' ' && *text != '=' && *text != '/')
        text++;
    return *text == '/';
}

/* Take leading spaces, and the path of the file if there is one, off TEXT. */
static void
strip_path(char *text, const char *loader)
{
    const char *rest = text;

    while (*rest == ' ')
        rest++;
    if (begins_with_path(rest, loader)) {
        while (*rest != '\0' && *rest != ' ')
            rest++;
        while (*rest == ' ')
            rest++;
    }
    memmove(text, rest, strlen(rest) + 1);
}

static void
copy_texts(struct boot_info *info, const struct multiboot_info *mbi,
           const struct mem_reader *reader)
{
    str_copy(info->loader, "unknown", sizeof info->loader);
    if (mbi->flags & MULTIBOOT_INFO_BOOT_LOADER_NAME)
        copy_string(info->loader, sizeof info->loader, mbi->boot_loader_name,
                    reader);
    if (mbi->flags & MULTIBOOT_INFO_CMDLINE) {
        copy_string(info->command_line, sizeof info->command_line,
                    mbi->cmdline, reader);
        strip_path(info->command_line, info->loader);
    }
}

static enum memory_kind
kind_of_type(uint32_t type)
{
    switch (type) {
    case MULTIBOOT_MEMORY_AVAILABLE: return MEMORY_USABLE;
    case MULTIBOOT_MEMORY_ACPI_RECLAIMABLE: return MEMORY_ACPI;
    case MULTIBOOT_MEMORY_NVS: return MEMORY_NVS;
    case MULTIBOOT_MEMORY_BADRAM: return MEMORY_BAD;
    default: return MEMORY_RESERVED;
    }
}

static void
claim(uint64_t base, uint64_t length, enum memory_kind kind)
{
    status_t status = memory_map_add(&claims, base, length, kind);

    if (status != OK)
        log_warn(MOD_BOOT, "memory base=%llx length=%llx ignored: %s",
                 (unsigned long long)base, (unsigned long long)length,
                 status_text(status));
}

/* Claim the entries of the loader's map that are usable, or all the others. */
static void
claim_mmap_entries(const struct multiboot_info *mbi,
                   const struct mem_reader *reader, bool usable)
{
    uint64_t at = mbi->mmap_addr;
    uint64_t end = at + mbi->mmap_length;

    for (unsigned n = 0; n < MMAP_ENTRIES_MAX; n++) {
        struct multiboot_mmap_entry entry;
        enum memory_kind kind;

        if (end - at < MMAP_ENTRY_MIN ||
            !mem_read(reader, make_maddr(at), &entry, sizeof entry) ||
            entry.size < MMAP_ENTRY_MIN - sizeof entry.size ||
            entry.size > end - at - sizeof entry.size)
            return;
        kind = kind_of_type(entry.type);
        if ((kind == MEMORY_USABLE) == usable) {
            if (claims.count == MMAP_CLAIMS_MAX) {
                log_warn(MOD_BOOT, "memory map too long, rest ignored");
                return;
            }
            claim(entry.addr, entry.len, kind);
        }
        at += entry.size + sizeof entry.size;
    }
}

/* Without a map: two runs of memory, at 0 and at 1 MB. */
static void
claim_memory_sizes(const struct multiboot_info *mbi)
{
    claim(0, MIN(KB((uint64_t)mbi->mem_lower), LOW_MEMORY_END),
          MEMORY_USABLE);
    claim(EXTENDED_START, KB((uint64_t)mbi->mem_upper), MEMORY_USABLE);
}

/* Rebuild the map from the claims. */
static void
rebuild_map(struct boot_info *info)
{
    if (memory_map_flatten(&info->map, &claims) != OK)
        log_warn(MOD_BOOT, "memory map too complex, memory above %llx unused",
                 (unsigned long long)
                 info->map.ranges[info->map.count - 1].base);
}

static void
fill_map(struct boot_info *info, const struct multiboot_info *mbi,
         const struct mem_reader *reader)
{
    claims.count = 0;
    claim(0, PAGE_SIZE, MEMORY_RESERVED);
    claim(LOW_MEMORY_END, EXTENDED_START - LOW_MEMORY_END, MEMORY_RESERVED);
    if (mbi->flags & MULTIBOOT_INFO_MEM_MAP) {
        claim_mmap_entries(mbi, reader, false);
        claim_mmap_entries(mbi, reader, true);
    }
    rebuild_map(info);
    if (memory_map_total(&info->map, MEMORY_USABLE) == 0 &&
        (mbi->flags & MULTIBOOT_INFO_MEMORY)) {
        log_warn(MOD_BOOT, "no memory map, using the memory size alone");
        claim_memory_sizes(mbi);
        rebuild_map(info);
    }
}

/* Take the VMkernel's own image out of the usable memory. */
static void
claim_kernel(struct boot_info *info)
{
    uint64_t base = maddr_raw(info->kernel_start);
    uint64_t length = maddr_diff(info->kernel_end, info->kernel_start);

    if (!memory_map_contains(&info->map, base, length, MEMORY_USABLE))
        log_warn(MOD_BOOT, "memory map does not show the VMkernel as usable");
    claim(base, length, MEMORY_KERNEL);
    rebuild_map(info);
}

/*
 * Add the module that ENTRY describes.  As the map already lacks the VMkernel
 * and earlier modules, "in usable memory" is all there is to check.
 */
static void
add_module(struct boot_info *info, const struct multiboot_mod_list *entry,
           const struct mem_reader *reader)
{
    struct boot_module *module = &info->modules[info->module_count];
    uint64_t start = ROUND_DOWN((uint64_t)entry->mod_start, PAGE_SIZE);
    uint64_t end = ROUND_UP((uint64_t)entry->mod_end, PAGE_SIZE);

    if (entry->mod_start >= entry->mod_end ||
        !memory_map_contains(&info->map, start, end - start, MEMORY_USABLE)) {
        log_warn(MOD_BOOT, "module at %08x-%08x refused: not in free memory",
                 entry->mod_start, entry->mod_end);
        return;
    }
    module->start = make_maddr(entry->mod_start);
    module->end = make_maddr(entry->mod_end);
    if (entry->cmdline != 0)
        copy_string(module->string, sizeof module->string, entry->cmdline,
                    reader);
    info->module_count++;
    claim(start, end - start, MEMORY_MODULE);
    rebuild_map(info);
}

static void
fill_modules(struct boot_info *info, const struct multiboot_info *mbi,
             const struct mem_reader *reader)
{
    unsigned count = MIN(mbi->mods_count, MODULES_LOOKED_AT);

    for (unsigned i = 0; i < count; i++) {
        struct multiboot_mod_list entry;
        uint64_t at = mbi->mods_addr + i * (uint64_t)sizeof entry;

        if (info->module_count == BOOT_MODULE_MAX) {
            log_warn(MOD_BOOT, "%u modules, only the first %u used",
                     mbi->mods_count, BOOT_MODULE_MAX);
            return;
        }
        if (!mem_read(reader, make_maddr(at), &entry, sizeof entry)) {
            log_warn(MOD_BOOT, "list of modules cannot be read");
            return;
        }
        add_module(info, &entry, reader);
    }
}

status_t
boot_info_fill(struct boot_info *info, const struct boot_source *source,
               const struct mem_reader *reader)
{
    struct multiboot_info mbi;

    if (source->magic != MULTIBOOT_BOOTLOADER_MAGIC)
        return TRACE_ERR(ERR_INVALID);
    if (!mem_read(reader, source->info, &mbi, sizeof mbi))
        return TRACE_ERR(ERR_TRUNCATED);
    memset(info, 0, sizeof *info);
    info->entry_tsc = source->entry_tsc;
    info->kernel_start = source->kernel_start;
    info->kernel_end = source->kernel_end;
    copy_texts(info, &mbi, reader);
    fill_map(info, &mbi, reader);
    claim_kernel(info);
    if (mbi.flags & MULTIBOOT_INFO_MODS)
        fill_modules(info, &mbi, reader);
    if (memory_map_total(&info->map, MEMORY_USABLE) == 0)
        return TRACE_ERR(ERR_NO_MEMORY);
    return OK;
}
