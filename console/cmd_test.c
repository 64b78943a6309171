/*
 * cmd_test.c - `test`: mistakes made on purpose, and measurements.
 *
 * The first group of tests makes one mistake each, in a world of its own, and
 * so ends the machine with a report; the functions that make them have names
 * that begin with test_, for one to find in the backtrace.  The second group
 * does something that ought to work, and says what came out.
 */
#include "console/commands.h"
#include "console/output.h"
#include "console/self_tests.h"
#include "kernel/base/assert.h"
#include "kernel/base/string.h"
#include "kernel/image.h"
#include "kernel/panic.h"
#include "kernel/x86/cpu.h"
#include "kernel/x86/exception.h"
#include "mm/mm.h"
#include "mm/mm_info.h"
#include "sched/world.h"

#define NULL_FIELD      0x10u       /* where a NULL pointer's member would be */
#define HEAP_BLOCK      100u
#define GATE_SIZE       8u
#define CODE_RET        0xc3u

struct self_test {
    const char *name;
    const char *usage;
    const char *summary;
    void (*fatal)(void *arg);           /* either this one, in a world */
    void (*run)(const struct args *args);
};

/* --- Mistakes ------------------------------------------------------------- */

static void
test_fault(void *nothing)
{
    uint8_t *field = (uint8_t *)nothing + NULL_FIELD;

    *field = 0;
    compiler_barrier();                 /* or nobody would need the store */
}

static void
test_text(void *arg UNUSED)
{
    text_start[0] = (char)CODE_RET;
    compiler_barrier();
}

static void
test_exec(void *arg UNUSED)
{
    static uint8_t code[] = { CODE_RET };

    ((void (*)(void))(uintptr_t)code)();
    output_print("code in data was run: this processor has no NX\n");
}

static void
test_assert(void *arg)
{
    ASSERT(arg != NULL);
}

static void
test_panic(void *arg UNUSED)
{
    panic("asked for at the console");
}

/* Not a tail call, so that each call needs stack; the end is far away. */
static NOINLINE unsigned
test_stack_deeper(unsigned depth)
{
    char room[HEAP_BLOCK];

    memset(room, (int)depth, sizeof(room));
    compiler_barrier();
    if (depth == UINT32_MAX)
        return 0;
    return test_stack_deeper(depth + 1) + (uint8_t)room[depth % sizeof(room)];
}

static void
test_stack(void *arg UNUSED)
{
    (void)test_stack_deeper(0);
}

/*
 * A page fault that cannot be delivered, for the IDT ends before its vector,
 * and neither can the #GP that says so: a double fault (SDM 3A 6.15).
 */
static void
test_df(void *nothing)
{
    struct table_register idtr;

    cli();
    sidt(&idtr);
    idtr.limit = (VEC_DF + 1) * GATE_SIZE - 1;
    lidt(&idtr);
    test_fault(nothing);
}

static void
test_heap(void *arg UNUSED)
{
    uint8_t *block = heap_alloc(HEAP_BLOCK);

    if (block == NULL)
        return;
    block[HEAP_BLOCK] = 0;              /* one too far */
    heap_check_all();
    compiler_barrier();                 /* no tail call: see this frame */
}

static void
test_heap_twice(void *arg UNUSED)
{
    void *block = heap_alloc(HEAP_BLOCK);

    heap_free(block);
    heap_free(block);
    compiler_barrier();
}

/* --- The table ------------------------------------------------------------ */

static const struct self_test tests[] = {
    { "fault", "", "write through a NULL pointer", test_fault, NULL },
    { "text", "", "write to the VMkernel's code", test_text, NULL },
    { "exec", "", "run code that lies in data", test_exec, NULL },
    { "assert", "", "fail an assertion", test_assert, NULL },
    { "panic", "", "panic", test_panic, NULL },
    { "stack", "", "call until the stack overflows", test_stack, NULL },
    { "df", "", "cause a double fault", test_df, NULL },
    { "heap", "", "write beyond a block of the heap", test_heap, NULL },
    { "free", "", "free a block of the heap twice", test_heap_twice, NULL },
#define SELF_TEST(name, usage, summary) \
    { #name, usage, summary, NULL, self_test_##name },
#include "console/self_tests.def"
#undef SELF_TEST
};

void
complete_test(const struct words *words, struct completion *c)
{
    for (size_t i = 0; words->count == 2 && i < ARRAY_LEN(tests); i++)
        completion_offer(c, tests[i].name);
}

static void
list_tests(void)
{
    for (size_t i = 0; i < ARRAY_LEN(tests); i++)
        output_print("  %-6s %-18s %s%s\n", tests[i].name, tests[i].usage,
                     tests[i].summary,
                     tests[i].fatal != NULL ? " (ends the machine)" : "");
}

static void
run_fatal(const struct args *args, const struct self_test *t)
{
    struct world_params params = { .name = t->name, .fn = t->fatal };
    struct world *world;
    status_t status = world_create(&params, &world);

    if (status != OK) {
        output_error(args->command, "no world: %s", status_text(status));
        return;
    }
    world_join(world);
}

void
cmd_test(const struct args *args)
{
    struct args rest = *args;

    if (args->count == 0) {
        list_tests();
        return;
    }
    rest.count--;
    rest.word++;
    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        if (strcmp(tests[i].name, args->word[0]) != 0)
            continue;
        if (tests[i].fatal != NULL)
            run_fatal(args, &tests[i]);
        else
            tests[i].run(&rest);
        return;
    }
    output_error(args->command, "unknown test '%s': 'test' lists them",
                 args->word[0]);
}
