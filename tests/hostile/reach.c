/*
 * reach.c - loads, stores, jumps and pushes to each page of the top 4 MB.
 *
 * With paging, and nothing mapped there: each access of either ring is a page
 * fault with its address, by whatever instruction and segment register.  What
 * a kernel may read there all the same, in one kind of sandbox, is no secret;
 * so ring 0's loads are not judged, and what ring 0 stores must be a fault or
 * its own harm only.
 */
#include "hostile/hostile.h"

#include "guest/paging.h"
#include "kernel/base/format.h"

#define AT_OFFSET       0x10
#define STRIDE          16u             /* pages, for the slower attacks */
#define SLOT_PAGES      1u              /* that a kernel may write to */
#define NAME_SIZE       48

SNIPPET(load_ds, "", "mov (%esi), %eax", "");
SNIPPET(load_es, "", "mov %es:(%esi), %eax", "");
SNIPPET(load_fs, "", "mov %fs:(%esi), %eax", "");
SNIPPET(load_gs, "", "mov %gs:(%esi), %eax", "");
SNIPPET(load_ss, "", "mov %ss:(%esi), %eax", "");
SNIPPET(load_cs, "", "mov %cs:(%esi), %eax", "");
SNIPPET(store, "", "mov %eax, (%esi)", "");
SNIPPET(store_byte, "", "movb %al, (%esi)", "");
SNIPPET(add_to, "", "addl $1, (%esi)", "");
SNIPPET(exchange, "", "lock cmpxchg %edx, (%esi)", "");
SNIPPET(push_there, "mov %esi, %esp; add $8, %esp", "push %eax", "");
SNIPPET(pop_there, "mov %esi, %esp", "pop %eax", "");
SNIPPET(call_there, "mov %esi, %esp; add $8, %esp", "call 1f", "1:");
SNIPPET(pusha_there, "mov %esi, %esp; add $32, %esp", "pusha", "");
SNIPPET(enter_there, "mov %esi, %ebp; lea 16(%esi), %esp", "enter $8, $3", "");
SNIPPET(copy_there, "mov %esi, %edi; mov $0x100000, %esi; mov $9, %ecx",
        "rep movsl", "");
SNIPPET(copy_from, "mov $stray, %edi; mov $9, %ecx", "rep movsl", "");
SNIPPET(fill, "mov %esi, %edi; mov $64, %ecx", "rep stosb", "");
SNIPPET(bits, "mov $5, %eax", "bts %eax, (%esi)", "");
SNIPPET(float_state, "", "fnstenv (%esi)", "");
SNIPPET(table_store, "", "sidt (%esi)", "");
SNIPPET(jump, "", "jmp *%esi", "");
SNIPPET(jump_by, "", "jmp *(%esi)", "");

uint32_t stray[16];

struct attack {
    const char *name;
    const struct snippet *snippet;
    bool is_load, is_slow, is_stack;
};

static const struct attack attacks[] = {
    { "load", &load_ds, true, false }, { "store", &store, false, false },
    { "jump", &jump, true, false },
    { "load by ES", &load_es, true, true },
    { "load by FS", &load_fs, true, true },
    { "load by GS", &load_gs, true, true },
    { "load by SS", &load_ss, true, true },
    { "load by CS", &load_cs, true, true },
    { "jump by memory", &jump_by, true, true },
    { "REP MOVS from", &copy_from, true, true },
    { "POP", &pop_there, true, true, true },
    { "store a byte", &store_byte, false, true },
    { "ADD", &add_to, false, true }, { "CMPXCHG", &exchange, false, true },
    { "PUSH", &push_there, false, true, true },
    { "CALL", &call_there, false, true, true },
    { "PUSHA", &pusha_there, false, true, true },
    { "ENTER", &enter_there, false, true, true },
    { "REP MOVS", &copy_there, false, true },
    { "REP STOS", &fill, false, true },
    { "BTS", &bits, false, true }, { "FNSTENV", &float_state, false, true },
    { "SIDT", &table_store, false, true },
};

/* How often ATTACK on pages of the top was anything but a fault there. */
static unsigned
count_wrong(const struct attack *a, unsigned ring)
{
    unsigned wrong = 0;

    for (uint32_t n = 0; n < TOP_PAGES; n += a->is_slow ? STRIDE : 1) {
        uint32_t at = TOP + n * PAGE + AT_OFFSET;
        struct context c;

        context_init(&c, a->snippet->start, ring);
        c.esi = at;
        context_run(&c);
        wrong += c.vector != VEC_PF || (read_cr2() ^ at) >= PAGE;
    }
    return wrong;
}

static void
check_all(unsigned ring)
{
    char name[NAME_SIZE];

    for (size_t n = 0; n < ARRAY_LEN(attacks); n++) {
        const struct attack *a = &attacks[n];
        unsigned wrong;

        /* Its handler would have no stack. */
        if (ring == 0 && a->is_stack)
            continue;
        wrong = count_wrong(a, ring);
        if (ring == 0 && a->is_load)
            continue;
        format_buf(name, sizeof(name), "ring %u: %s", ring, a->name);
        check(name, wrong > (ring == 0 ? SLOT_PAGES : 0), 0);
    }
}

TOPIC(reach)
{
    paging_on();
    check_all(3);
    check_all(0);
    paging_off();
}
