/*
 * symtab.c - from an address in our code to the name of the function.
 *
 * The table is made from the linked image by scripts/symtab.sh and linked in
 * behind the code: addresses ascending, and for each the offset of its name.
 */
#include "kernel/backtrace.h"

#include "kernel/base/format.h"
#include "kernel/image.h"

const char *
symtab_lookup(uint32_t eip, uint32_t *offset)
{
    uint32_t low = 0;
    uint32_t high = symtab_count;

    if (eip < (uint32_t)text_start || eip >= (uint32_t)text_end)
        return NULL;
    /* The last entry that is not above eip: invariant low <= it < high. */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (symtab_addresses[middle] <= eip)
            low = middle;
        else
            high = middle;
    }
    if (symtab_count == 0 || symtab_addresses[low] > eip)
        return NULL;
    *offset = eip - symtab_addresses[low];
    return symtab_names + symtab_name_offsets[low];
}

void
symtab_format(uint32_t eip, char *buf, size_t size)
{
    uint32_t offset;
    const char *name = symtab_lookup(eip, &offset);

    if (name == NULL)
        format_buf(buf, size, "?");
    else
        format_buf(buf, size, "%s+%#x", name, offset);
}
