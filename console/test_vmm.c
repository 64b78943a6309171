/*
 * test_vmm.c - `test vmm`: monitors that are made, run, stopped and unmade.
 *
 * The guests are a few bytes of machine code in flat protected mode, run
 * without the management around VMs: what they show is that a world goes into
 * a monitor and comes back whatever the guest does, and that nothing is left
 * behind, also where memory ran out at any point on the way.
 */
#include "console/self_tests.h"

#include "console/hoard.h"
#include "console/output.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/x86/atomic.h"
#include "kernel/x86/cpu.h"
#include "mm/mm_info.h"
#include "sched/world.h"
#include "vmm/vmk/vm_memory.h"
#include "vmm/vmk/vm_run.h"

#define GUEST_BYTES     MB(4u)
#define GUEST_TEXT_AT   0x10000u
#define SHADOW_PAGES    64u
#define BUSY_NS         (200 * NSEC_PER_MSEC)
#define PATIENCE_NS     (20 * NSEC_PER_SEC)
#define POLL_NS         (10 * NSEC_PER_MSEC)
#define PAIR            2u

#define RIGHTS_FLAT     (RIGHTS_G | RIGHTS_DB | RIGHTS_P | RIGHTS_S | \
                         SEG_ACCESSED)

/* cli; hlt */
static const uint8_t halting[] = { 0xfa, 0xf4 };
/* 1: jmp 1b */
static const uint8_t looping[] = { 0xeb, 0xfe };
/*
 * mov $1 MB, %edi; 1: mov %edi, (%edi); add $4096, %edi; cmp $2 MB, %edi;
 * jb 1b; cli; hlt
 */
static const uint8_t touching[] = {
    0xbf, 0x00, 0x00, 0x10, 0x00, 0x89, 0x3f, 0x81, 0xc7, 0x00, 0x10, 0x00,
    0x00, 0x81, 0xff, 0x00, 0x00, 0x20, 0x00, 0x72, 0xf0, 0xfa, 0xf4
};
#define TOUCHED_PAGES   (MB(1u) / PAGE_SIZE + 1)    /* and the code's */

/* mov $8 MB, %edi; mov %edi, (%edi); cli; hlt */
static const uint8_t reaching[] = {
    0xbf, 0x00, 0x00, 0x80, 0x00, 0x89, 0x3f, 0xfa, 0xf4
};
#define REACHED_PAGES   (MB(16u) / PAGE_SIZE)

struct guest {
    struct vm_instance *instance;
    struct world *world;
    uint32_t is_over;           /* atomic */
    enum vmm_end end;
};

static void
ignore(void *context UNUSED)
{
}

static void
show_line(void *context UNUSED, enum log_level level, const char *line)
{
    log_write(level, MOD_VMM, "%s", line);
}

static status_t
create(struct vm_instance **instance)
{
    const struct vm_instance_params params = {
        .memory_pages = GUEST_BYTES / PAGE_SIZE, .engine = ENGINE_BT,
        .shadow_pages = SHADOW_PAGES, .console = ignore, .log = show_line
    };

    return vm_instance_create(&params, instance);
}

/* The processor in flat protected mode, at the code. */
static bool
set_processor(struct vm_instance *instance)
{
    struct vcpu *v = heap_alloc_zero(sizeof(*v));

    if (v == NULL)
        return false;
    vcpu_reset(v);
    v->cpu.cr0 = CR0_PE | CR0_ET;
    v->cpu.eip = GUEST_TEXT_AT;
    v->cpu.gpr[GPR_ESP] = GUEST_TEXT_AT;
    for (unsigned n = 0; n < SEG_NONE; n++)
        v->cpu.segment[n] = (struct guest_segment){
            .rights = RIGHTS_FLAT | SEG_DATA_W, .limit = UINT32_MAX };
    v->cpu.segment[SEG_CS].rights = RIGHTS_FLAT | SEG_CODE | SEG_CODE_R;
    vcpu_derive_segments(v);
    vm_instance_shared(instance)->boot_cpu = v->cpu;
    heap_free(v);
    return true;
}

static void
guest_world(void *arg)
{
    struct guest *g = arg;

    g->end = vm_instance_run(g->instance);
    atomic_store(&g->is_over, 1);
}

/* An instance with SIZE bytes of CODE; false: there was no memory. */
static bool
prepare(struct guest *g, const uint8_t *code, size_t size)
{
    *g = (struct guest){ .end = VMM_END_COUNT };
    if (create(&g->instance) != OK)
        return false;
    if (vm_memory_write(g->instance, make_gpa(GUEST_TEXT_AT), code, size) &&
        set_processor(g->instance))
        return true;
    vm_instance_destroy(g->instance);
    return false;
}

static bool
run(struct guest *g)
{
    const struct world_params params = {
        .name = "test guest", .fn = guest_world, .arg = g
    };

    return world_create(&params, &g->world) == OK;
}

static bool
start(struct guest *g, const uint8_t *code, size_t size)
{
    if (!prepare(g, code, size))
        return false;
    if (run(g))
        return true;
    vm_instance_destroy(g->instance);
    return false;
}

/* False: it has not ended, and is ended now. */
static bool
finish(struct guest *g)
{
    uint64_t start_time = clock_now();
    bool is_over;

    while (!(is_over = atomic_load(&g->is_over)) &&
           clock_now() - start_time < PATIENCE_NS)
        world_sleep(POLL_NS);
    if (!is_over)
        vm_instance_kill(g->instance);
    world_join(g->world);
    if (!is_over)
        output_print("  it does not end\n");
    else if (vm_instance_end_text(g->instance)[0] != '\0')
        output_print("  %s\n", vm_instance_end_text(g->instance));
    return is_over;
}

/* --- The cases -------------------------------------------------------------*/

static bool
ends_halted(const uint8_t *code, size_t size, uint32_t pages)
{
    struct guest g;
    bool passed;

    if (!start(&g, code, size))
        return false;
    passed = finish(&g) && g.end == VMM_END_HALTED &&
             vm_memory_used(g.instance) == pages;
    vm_instance_destroy(g.instance);
    return passed;
}

static bool
test_halt(void)
{
    return ends_halted(halting, sizeof(halting), 1);
}

static bool
test_touch(void)
{
    return ends_halted(touching, sizeof(touching), TOUCHED_PAGES);
}

/*
 * A monitor that believes in more memory than there is, as one that has gone
 * wrong might, and asks for it.
 */
static bool
test_crash(void)
{
    struct guest g;
    bool passed;

    if (!prepare(&g, reaching, sizeof(reaching)))
        return false;
    vm_instance_shared(g.instance)->params.memory_pages = REACHED_PAGES;
    passed = run(&g) && finish(&g) && g.end == VMM_END_CRASHED;
    vm_instance_destroy(g.instance);
    return passed;
}

static void
ask_to_stop(const struct guest *g)
{
    vm_instance_request(g->instance, VMM_REQUEST_STOP);
}

static void
kill_instance(const struct guest *g)
{
    vm_instance_kill(g->instance);
}

static void
kill_world(const struct guest *g)
{
    world_kill(g->world);
}

/* COUNT guests that never end by themselves are ended by END. */
static bool
ends_by(unsigned count, void (*end)(const struct guest *g))
{
    struct guest g[PAIR];
    unsigned started = 0;
    bool passed = true;

    while (started < count &&
           start(&g[started], looping, sizeof(looping)))
        started++;
    world_sleep(BUSY_NS);
    for (unsigned n = 0; n < started; n++) {
        passed = passed && !atomic_load(&g[n].is_over);
        end(&g[n]);
        passed = finish(&g[n]) && g[n].end == VMM_END_STOPPED && passed;
        vm_instance_destroy(g[n].instance);
    }
    return passed && started == count;
}

static bool
test_kill(void)
{
    return ends_by(1, kill_instance);
}

static bool
test_world(void)
{
    return ends_by(1, kill_world);
}

static bool
test_stop(void)
{
    return ends_by(1, ask_to_stop);
}

static bool
test_pair(void)
{
    return ends_by(PAIR, kill_instance);
}

/* Fail for want of each single page that a monitor needs. */
static bool
test_nomem(void)
{
    struct hoard hoard = { .first = INVALID_MPN };
    struct vm_instance *instance = NULL;
    status_t status = ERR_NO_MEMORY;

    hoard_take_all(&hoard);
    while (hoard.count > 0 && status == ERR_NO_MEMORY) {
        status = create(&instance);
        hoard_give(&hoard);
    }
    hoard_give_all(&hoard);
    if (status == OK)
        vm_instance_destroy(instance);
    return status == OK;
}

/* Less is no leak: what had ended before the test may go during it. */
static bool
has_leaked(const struct mm_info *before, const struct mm_info *after)
{
    return after->heap_blocks > before->heap_blocks ||
           after->owner_pages[OWNER_MONITORS] >
           before->owner_pages[OWNER_MONITORS] ||
           after->owner_pages[OWNER_GUESTS] >
           before->owner_pages[OWNER_GUESTS];
}

void
self_test_vmm(const struct args *args)
{
    static const struct {
        const char *name;
        bool (*run)(void);
    } cases[] = {
        { "halt", test_halt }, { "touch", test_touch },
        { "kill", test_kill }, { "stop", test_stop },
        { "world", test_world }, { "pair", test_pair },
        { "crash", test_crash }, { "nomem", test_nomem }
    };

    for (size_t n = 0; n < ARRAY_LEN(cases); n++) {
        struct mm_info before, after;
        bool passed;

        if (args->count > 0 && strcmp(args->word[0], cases[n].name) != 0)
            continue;
        mm_get_info(&before);
        passed = cases[n].run();
        mm_get_info(&after);
        output_print("%-6s %s\n", cases[n].name,
                     !passed ? "FAILED" :
                     has_leaked(&before, &after) ?
                     "FAILED, something was left behind" : "passed");
    }
}
