/*
 * linux_boot.c - a bzImage by the 32-bit boot protocol.
 *
 *      90000   boot parameters, one page; ESI points here
 *      91000   command line
 *      pref_address (16 MB)    the kernel's 32-bit code, which unpacks itself
 *                              within init_size bytes of there
 *      below the end of RAM    the initrd, at initrd_addr_max at most
 *
 * The kernel moves itself to pref_address if it is loaded below, so memory has
 * to reach to pref_address + init_size; a kernel that is not relocatable is
 * put where its header says.
 *
 * Called through direct_boot(); no locks.  Linux Documentation/x86/boot.rst.
 */
#include "vmm/boot/linux_boot.h"

#include "kernel/base/string.h"
#include "vmm/boot/direct_boot_int.h"

#define PARAMS_BASE     0x00090000u
#define CMDLINE_BASE    0x00091000u
#define CMDLINE_MAX     (PC_LOW_END - CMDLINE_BASE)
#define STACK_TOP       PARAMS_BASE

struct linux_kernel {
    struct direct_boot *boot;
    /* The page's first part, with the header; the memory map follows. */
    uint8_t params[BP_HEADER_END_MAX];
    uint32_t code_offset, code_size;    /* in the image */
    uint64_t load, end;                 /* in guest memory */
};

static uint32_t
get32(const struct linux_kernel *k, unsigned offset)
{
    uint32_t value;

    memcpy(&value, &k->params[offset], sizeof(value));
    return value;
}

static uint64_t
get64(const struct linux_kernel *k, unsigned offset)
{
    return get32(k, offset) |
           (uint64_t)get32(k, offset + sizeof(uint32_t)) << 32;
}

static void
put32(struct linux_kernel *k, unsigned offset, uint32_t value)
{
    memcpy(&k->params[offset], &value, sizeof(value));
}

bool
linux_is_kernel(const struct boot_image *image)
{
    uint16_t flag;
    uint32_t magic;

    return image_read(image, BP_BOOT_FLAG, &flag, sizeof(flag)) &&
           image_read(image, BP_HEADER, &magic, sizeof(magic)) &&
           flag == LINUX_BOOT_FLAG && magic == LINUX_HEADER_MAGIC;
}

/* The setup header into the boot parameters; the rest of them is 0. */
static status_t
read_header(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    uint8_t length;
    uint16_t version;
    uint32_t end;

    if (!image_read(&b->kernel, BP_HEADER_LENGTH, &length, sizeof(length)))
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    end = MIN(BP_HEADER + length, BP_HEADER_END_MAX);
    if (!image_read(&b->kernel, BP_SETUP_HEADER, &k->params[BP_SETUP_HEADER],
                    end - BP_SETUP_HEADER))
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    memcpy(&version, &k->params[BP_VERSION], sizeof(version));
    if (version < LINUX_VERSION_MIN)
        return boot_fail(b, ERR_UNSUPPORTED,
                         "a Linux kernel older than boot protocol 2.10");
    if ((k->params[BP_LOADFLAGS] & LINUX_LOADED_HIGH) == 0)
        return boot_fail(b, ERR_UNSUPPORTED,
                         "a zImage; only a bzImage can be started");
    return OK;
}

/* Where the 32-bit code is in the image, and where it goes. */
static status_t
place_kernel(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    uint32_t sectors = k->params[BP_SETUP_SECTS];
    uint64_t size = (uint64_t)get32(k, BP_SYSSIZE) * LINUX_PARAGRAPH;
    uint64_t need = get32(k, BP_INIT_SIZE);
    bool can_move = k->params[BP_RELOCATABLE] != 0;

    if (sectors == 0)
        sectors = LINUX_SETUP_SECTS_OLD;
    k->code_offset = (sectors + 1) * LINUX_SECTOR;
    if (k->code_offset >= b->kernel.size)
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    /* The last paragraph may be incomplete, and others may be missing. */
    k->code_size = b->kernel.size - k->code_offset;
    if (size > ROUND_UP((uint64_t)k->code_size, LINUX_PARAGRAPH))
        return boot_fail(b, ERR_CORRUPT, "the kernel's image is cut short");
    k->load = can_move ? get64(k, BP_PREF_ADDRESS) : get32(k, BP_CODE32_START);
    if (k->load < PC_HIGH_BASE)
        k->load = PC_HIGH_BASE;
    need = MAX(need, k->code_size);
    if (!boot_is_ram(b, k->load, need))
        return boot_fail(b, ERR_NO_MEMORY,
                         "memory is too small for the kernel");
    k->end = k->load + need;
    put32(k, BP_CODE32_START, (uint32_t)k->load);
    return OK;
}

static status_t
load_initrd(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    const struct boot_image *image = &b->modules[0].image;
    uint64_t top = MIN(boot_ram_end(b),
                       (uint64_t)get32(k, BP_INITRD_ADDR_MAX) + 1);
    uint64_t size = ROUND_UP((uint64_t)image->size, PAGE_SIZE);
    struct boot_memory to = { .length = image->size };

    if (b->module_count > 1)
        return boot_fail(b, ERR_INVALID, "Linux takes one initrd only");
    top = ROUND_DOWN(top, PAGE_SIZE);
    if (top < k->end || size > top - k->end)
        return boot_fail(b, ERR_NO_MEMORY,
                         "memory is too small for kernel and initrd");
    to.base = top - size;
    put32(k, BP_RAMDISK_IMAGE, (uint32_t)to.base);
    put32(k, BP_RAMDISK_SIZE, image->size);
    return boot_copy(b, image, 0, &to)
               ? OK : boot_fail(b, ERR_NO_MEMORY, "no memory for the initrd");
}

static status_t
load_command_line(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    size_t length = strlen(b->command_line);

    if (length > get32(k, BP_CMDLINE_SIZE) || length >= CMDLINE_MAX)
        return boot_fail(b, ERR_INVALID,
                         "the command line is longer than the kernel takes");
    put32(k, BP_CMD_LINE_PTR, CMDLINE_BASE);
    return b->write(b->context, make_gpa(CMDLINE_BASE), b->command_line,
                    length + 1)
               ? OK : boot_fail(b, ERR_NO_MEMORY, "there is no low memory");
}

/* The rest of the page is 0, as memory is. */
static status_t
write_params(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    unsigned count = MIN(b->memory_count, BOOT_MEMORY_MAX);
    bool is_ok;

    k->params[BP_TYPE_OF_LOADER] = LINUX_LOADER_UNDEFINED;
    k->params[BP_E820_ENTRIES] = (uint8_t)count;
    is_ok = b->write(b->context, make_gpa(PARAMS_BASE), k->params,
                     sizeof(k->params));
    for (unsigned n = 0; is_ok && n < count; n++) {
        struct linux_e820_entry entry = {
            b->memory[n].base, b->memory[n].length, b->memory[n].type };
        uint32_t at = PARAMS_BASE + BP_E820_TABLE + n * sizeof(entry);

        is_ok = b->write(b->context, make_gpa(at), &entry, sizeof(entry));
    }
    return is_ok ? OK : boot_fail(b, ERR_NO_MEMORY, "there is no low memory");
}

static status_t
load_code(struct linux_kernel *k)
{
    struct direct_boot *b = k->boot;
    struct boot_memory code = { k->load, k->code_size, BOOT_MEMORY_RAM };

    return boot_copy(b, &b->kernel, k->code_offset, &code)
               ? OK : boot_fail(b, ERR_NO_MEMORY, "memory is too small");
}

status_t
linux_load(struct direct_boot *b, struct guest_cpu *cpu)
{
    struct linux_kernel k = { .boot = b };
    status_t status = read_header(&k);

    if (status == OK)
        status = place_kernel(&k);
    if (status == OK && b->module_count > 0)
        status = load_initrd(&k);
    if (status == OK)
        status = load_command_line(&k);
    if (status == OK)
        status = write_params(&k);
    if (status == OK)
        status = load_code(&k);
    cpu->eip = (uint32_t)k.load;
    cpu->gpr[GPR_ESI] = PARAMS_BASE;
    cpu->gpr[GPR_ESP] = STACK_TOP;
    return status;
}
