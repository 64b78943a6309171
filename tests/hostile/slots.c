/*
 * slots.c - a kernel that overwrites what its translated code works with.
 *
 * In one kind of sandbox a page at the top is the guest kernel's to write to.
 * Here it is filled with garbage, between instructions that use it.  What
 * becomes of this guest does not matter; the monitor must come through.
 */
#include "hostile/hostile.h"

#include "guest/paging.h"

#define ROUNDS          2000u
#define WORDS           (PAGE / sizeof(uint32_t))

/* What a slot may hold that is worst. */
static const uint32_t worst[] = {
    0, 1, UINT32_MAX, 0x80000000, TOP, TOP + 16, 0xffe00000, 0xfffff000,
    0x100000, 0x1000, 0xff80, 0xffc0,
};

SNIPPET(use, "cli; sti; pushf; pop %ecx; mov %ds, %edx; mov %edx, %es;"
        "push %ecx; popf; call 1f; jmp 2f; 1: ret; 2: mov %cr0, %edx; str %ax;"
        "mov $2f, %ecx; jmp *%ecx; 2: smsw %ax", "int $0x41", "");

static uint32_t
any_word(void)
{
    uint32_t n = hostile_random() % (ARRAY_LEN(worst) + 4);

    return n < ARRAY_LEN(worst) ? worst[n] : hostile_random();
}

/* Store to AT by code that expects a fault as well. */
static void
overwrite(const struct snippet *s, uint32_t at, uint32_t value)
{
    struct context c;

    context_init(&c, s->start, 0);
    c.edi = at;
    c.eax = value;
    context_run(&c);
}

SNIPPET(store, "", "mov %eax, (%edi)", "");
SNIPPET(store_and_use, "mov %eax, (%edi)", "cli",
        "sti; pushf; popf; mov %ds, %edx; mov %edx, %es; mov %cr0, %edx;"
        "mov $1f, %ecx; jmp *%ecx; 1: push $2f; ret; 2:");
SNIPPET(fill_all, "mov $1024, %ecx", "rep stosl", "nop; cli; sti; pushf; popf");

/* The page that takes stores, or 0. */
static uint32_t
find_page(void)
{
    for (uint32_t n = 0; n < TOP_PAGES; n++) {
        struct context c;

        context_init(&c, store.start, 0);
        c.edi = TOP + n * PAGE + PAGE - sizeof(uint32_t);
        context_run(&c);
        if (c.vector == VEC_DONE)
            return TOP + n * PAGE;
    }
    return 0;
}

TOPIC(slots)
{
    struct context c;
    uint32_t page;

    paging_on();
    page = find_page();
    print("a page to write to: %x\n", page);
    for (unsigned round = 0; page != 0 && round < ROUNDS; round++) {
        uint32_t at = page + hostile_random() % WORDS * sizeof(uint32_t);

        overwrite(round % 2 ? &store : &store_and_use, at, any_word());
        overwrite(&store, page + hostile_random() % 64 * sizeof(uint32_t),
                  any_word());
        if (round % 64 == 0)
            overwrite(&fill_all, page, any_word());
        run_snippet(&c, &use, round % 3 == 0 ? 3 : 0);
    }
    paging_off();
    check("it lives", 0, 0);
}
