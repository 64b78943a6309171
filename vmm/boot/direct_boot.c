/*
 * direct_boot.c - choose the loader, and set the processor for its protocol.
 *
 * Both protocols want the same machine: protected mode, paging off, flat
 * segments whose selectors are in a descriptor table in guest memory (Linux
 * names their numbers), interrupts off.  Registers are the loaders' own.
 *
 * Called before the VM runs; no locks.  Linux Documentation/x86/boot.rst,
 * "32-bit Boot Protocol"; Multiboot 0.6.96, 3.2 "Machine state".
 */
#include "vmm/boot/direct_boot_int.h"

#include "kernel/base/string.h"
#include "kernel/x86/descriptor.h"

/* Below what both loaders use, above the BIOS's data. */
#define GDT_BASE        0x00001000u
#define SELECTOR_CS     0x10            /* __BOOT_CS */
#define SELECTOR_DS     0x18            /* __BOOT_DS */
#define GDT_ENTRIES     4u

/* Linear addresses 0 to 4 GB, ring 0, accessed (SDM 3A 3.4.5). */
#define DESCRIPTOR_CODE 0x00cf9b000000ffffull
#define DESCRIPTOR_DATA 0x00cf93000000ffffull
#define RIGHTS_FLAT     (RIGHTS_G | RIGHTS_DB | RIGHTS_P | RIGHTS_S | \
                         SEG_ACCESSED)
#define RIGHTS_CODE     (RIGHTS_FLAT | SEG_CODE | SEG_CODE_R)
#define RIGHTS_DATA     (RIGHTS_FLAT | SEG_DATA_W)

bool
image_read(const struct boot_image *image, uint64_t offset, void *to,
           size_t size)
{
    if (offset > image->size || size > image->size - offset)
        return false;
    memcpy(to, image->bytes + offset, size);
    return true;
}

bool
boot_is_ram(const struct direct_boot *b, uint64_t first, uint64_t size)
{
    for (unsigned n = 0; n < b->memory_count; n++) {
        const struct boot_memory *m = &b->memory[n];

        if (m->type == BOOT_MEMORY_RAM && first >= m->base &&
            first - m->base < m->length &&
            size <= m->length - (first - m->base))
            return true;
    }
    return false;
}

uint64_t
boot_ram_end(const struct direct_boot *b)
{
    for (unsigned n = 0; n < b->memory_count; n++) {
        const struct boot_memory *m = &b->memory[n];

        if (m->type == BOOT_MEMORY_RAM && m->base == PC_HIGH_BASE)
            return m->base + m->length;
    }
    return 0;
}

bool
boot_copy(struct direct_boot *b, const struct boot_image *image,
          uint64_t offset, const struct boot_memory *to)
{
    if (offset > image->size || to->length > image->size - offset)
        return false;
    return to->length == 0 ||
           (boot_is_ram(b, to->base, to->length) &&
            b->write(b->context, make_gpa(to->base), image->bytes + offset,
                     (size_t)to->length));
}

static bool
set_machine(struct direct_boot *b, struct vcpu *v)
{
    static const uint64_t gdt[GDT_ENTRIES] = {
        [SELECTOR_CS / sizeof(uint64_t)] = DESCRIPTOR_CODE,
        [SELECTOR_DS / sizeof(uint64_t)] = DESCRIPTOR_DATA,
    };
    struct guest_cpu *cpu = &v->cpu;

    cpu->cr0 = CR0_PE | CR0_ET;
    cpu->gdtr = (struct guest_table){ GDT_BASE, sizeof(gdt) - 1 };
    cpu->idtr = (struct guest_table){ 0, 0 };
    for (unsigned n = 0; n < SEG_NONE; n++)
        cpu->segment[n] = (struct guest_segment){
            .selector = SELECTOR_DS, .rights = RIGHTS_DATA,
            .limit = UINT32_MAX };
    cpu->segment[SEG_CS].selector = SELECTOR_CS;
    cpu->segment[SEG_CS].rights = RIGHTS_CODE;
    vcpu_derive_segments(v);
    return b->write(b->context, make_gpa(GDT_BASE), gdt, sizeof(gdt));
}

status_t
direct_boot(struct direct_boot *b, struct vcpu *v)
{
    b->error = NULL;
    if (!set_machine(b, v))
        return boot_fail(b, ERR_NO_MEMORY, "there is no low memory");
    if (linux_is_kernel(&b->kernel))
        return linux_load(b, &v->cpu);
    if (multiboot_is_kernel(&b->kernel))
        return multiboot_load(b, &v->cpu);
    return boot_fail(b, ERR_UNSUPPORTED,
                     "neither a Linux bzImage nor a Multiboot kernel");
}

unsigned
boot_memory_of_pc(uint32_t size, struct boot_memory memory[BOOT_MEMORY_MAX])
{
    const struct boot_memory pc[] = {
        { 0, PC_LOW_END, BOOT_MEMORY_RAM },
        { PC_LOW_END, PC_VIDEO_BASE - PC_LOW_END, BOOT_MEMORY_RESERVED },
        { PC_ROM_BASE, PC_HIGH_BASE - PC_ROM_BASE, BOOT_MEMORY_RESERVED },
        { PC_HIGH_BASE, size - PC_HIGH_BASE, BOOT_MEMORY_RAM },
    };

    STATIC_ASSERT(ARRAY_LEN(pc) <= BOOT_MEMORY_MAX);
    memcpy(memory, pc, sizeof(pc));
    return size > PC_HIGH_BASE ? ARRAY_LEN(pc) : ARRAY_LEN(pc) - 1;
}
