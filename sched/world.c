/*
 * world.c - the life of a world: created, killed, ended, joined, listed.
 *
 * A world ends on its own stack, so somebody else must free it: whoever joins
 * it, or the reaper world if nobody will.  Killing is a request: the world is
 * woken from its wait with ERR_KILLED and is expected to leave; it is never
 * torn away in the middle of what it does.
 */
#include "sched/world.h"

#include "kernel/base/assert.h"
#include "kernel/base/bits.h"
#include "kernel/base/format.h"
#include "kernel/base/stats.h"
#include "kernel/base/string.h"
#include "kernel/clock.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/smp.h"
#include "kernel/x86/cpu.h"
#include "mm/mm.h"
#include "sched/sched.h"
#include "sched/sched_int.h"

#define STACK_PATTERN   0x57ac57acu     /* what no call has touched yet */

STAT(sched, worlds_created);
STAT(sched, worlds_ended);

static struct list all_worlds = LIST_INIT(all_worlds);  /* ascending id */
static struct list ended_worlds = LIST_INIT(ended_worlds);  /* to reap */
static struct wait_queue reaper_queue = {
    LIST_INIT(reaper_queue.waiters), "work"
};
static unsigned next_id;                /* all four: sched_lock */

static const char *const state_names[WORLD_STATE_COUNT] = {
    [WORLD_READY] = "ready", [WORLD_RUNNING] = "run",
    [WORLD_WAITING] = "wait", [WORLD_ZOMBIE] = "zombie",
};

struct world *
world_current(void)
{
    return PERCPU(current);
}

bool
world_should_stop(void)
{
    return PERCPU(current)->killed;
}

/* An initial stack whose first switch ends in world_first_run. */
static void
prepare_stack(struct world *w)
{
    uint32_t *words = (uint32_t *)(void *)w->stack;
    uint32_t *top = words + STACK_SIZE / sizeof(*words);

    for (uint32_t *p = words; p < top; p++)
        *p = STACK_PATTERN;
    *--top = 0;                         /* end of backtraces */
    *--top = 0;
    *--top = (uint32_t)world_first_run; /* return address */
    *--top = 0;                         /* ebp */
    *--top = 0;                         /* ebx */
    *--top = 0;                         /* esi */
    *--top = 0;                         /* edi */
    w->esp = (uint32_t)top;
}

static struct world *
alloc_world(const struct world_params *p)
{
    struct world *w = heap_alloc_zero(sizeof(*w));

    if (w == NULL)
        return NULL;
    w->stack = kva_alloc(STACK_PAGES, OWNER_STACKS);
    if (w->stack == NULL) {
        heap_free(w);
        return NULL;
    }
    str_copy(w->name, p->name, sizeof(w->name));
    w->fn = p->fn;
    w->arg = p->arg;
    w->wait_name = "";
    list_init(&w->wait_link);
    timer_init(&w->timer, dispatch_deadline);
    wait_init(&w->joiners, "join");
    prepare_stack(w);
    return w;
}

static void
free_world(struct world *w)
{
    timer_cancel_wait(&w->timer);
    kva_free(w->stack, STACK_PAGES);
    heap_free(w);
}

static status_t
init_client(struct world *w, const struct world_params *p)
{
    const struct share_params params = {
        .shares = p->shares != 0 ? p->shares : WORLD_SHARES_NORMAL,
        .min_permille = p->min_permille, .max_permille = p->max_permille
    };
    uint32_t online = BITS(cpu_count() - 1, 0);
    uint32_t affinity = p->affinity != 0 ? p->affinity : RUNQ_ALL_CPUS;
    status_t status = share_params_check(&params);

    if (status != OK)
        return status;
    if ((affinity & online) == 0)
        return TRACE_ERR(ERR_RANGE);
    runq_client_init(&w->client, &params, affinity);
    return OK;
}

status_t
world_create(const struct world_params *params, struct world **world)
{
    struct world *w = alloc_world(params);
    status_t status;

    if (w == NULL)
        return TRACE_ERR(ERR_NO_MEMORY);
    status = init_client(w, params);
    if (status != OK) {
        free_world(w);
        return status;
    }
    w->detached = world == NULL;
    w->is_system = params->is_system;
    if (world != NULL)
        *world = w;
    STAT_INC(sched, worlds_created);
    lock_acquire(&sched_lock);
    w->id = next_id++;
    list_add_tail(&all_worlds, &w->all_link);
    dispatch_ready(w);
    lock_release(&sched_lock);
    return OK;
}

/* The running code becomes a world: see sched_adopt_cpu. */
void
world_adopt_idle(struct world *w, uint8_t *stack)
{
    format_buf(w->name, sizeof(w->name), "idle%u", PERCPU(cpu));
    w->state = WORLD_RUNNING;
    w->is_idle = true;
    w->is_system = true;
    w->wait_name = "";
    w->stack = stack;
    w->run_start = clock_now();
    w->client.cpu = PERCPU(cpu);
    list_init(&w->wait_link);
    lock_acquire(&sched_lock);
    w->id = next_id++;
    list_add_tail(&all_worlds, &w->all_link);
    PERCPU(idle) = w;
    PERCPU(current) = w;
    lock_release(&sched_lock);
}

void
world_first_run(void)
{
    struct world *self = PERCPU(current);

    lock_release(&sched_lock);
    sti();
    self->fn(self->arg);
    world_exit();
}

void
world_exit(void)
{
    struct world *self = PERCPU(current);

    STAT_INC(sched, worlds_ended);
    cli();
    lock_acquire(&sched_lock);
    if (self->detached) {
        list_add_tail(&ended_worlds, &self->wait_link);
        dispatch_wake_all(&reaper_queue);
    } else {
        dispatch_wake_all(&self->joiners);
    }
    dispatch_end();
}

/*
 * Free what is left of W, a zombie on no list but that of all.  It has left
 * its stack: it switched away before it let go of sched_lock.
 */
static void
reap(struct world *w)
{
    lock_acquire(&sched_lock);
    list_remove(&w->all_link);
    lock_release(&sched_lock);
    free_world(w);
}

void
world_join(struct world *w)
{
    lock_acquire(&sched_lock);
    ASSERT(!w->detached);
    while (w->state != WORLD_ZOMBIE) {
        list_add_tail(&w->joiners.waiters, &PERCPU(current)->wait_link);
        (void)dispatch_block(w->joiners.name, WAIT_FOREVER);
    }
    lock_release(&sched_lock);
    reap(w);
}

static void
reaper_main(void *arg UNUSED)
{
    for (;;) {
        struct world *w;

        lock_acquire(&sched_lock);
        while ((w = LIST_POP(&ended_worlds, struct world, wait_link)) ==
               NULL) {
            list_add_tail(&reaper_queue.waiters,
                          &PERCPU(current)->wait_link);
            (void)dispatch_block(reaper_queue.name, WAIT_FOREVER);
        }
        lock_release(&sched_lock);
        reap(w);
    }
}

status_t
world_start_reaper(void)
{
    const struct world_params params = {
        .name = "reaper", .fn = reaper_main, .is_system = true
    };

    return world_create(&params, NULL);
}

/* One that runs a guest looks at it behind the next interrupt. */
static void
kill_locked(struct world *w)
{
    w->killed = true;
    dispatch_wake(w, ERR_KILLED);
    if (w->state == WORLD_RUNNING)
        smp_resched(w->client.cpu);
}

void
world_kill(struct world *w)
{
    lock_acquire(&sched_lock);
    kill_locked(w);
    lock_release(&sched_lock);
}

status_t
world_kill_id(unsigned id)
{
    status_t status = ERR_NOT_FOUND;

    lock_acquire(&sched_lock);
    LIST_FOR_EACH(w, &all_worlds, struct world, all_link) {
        if (w->id != id)
            continue;
        status = w->is_system ? ERR_INVALID : OK;
        if (status == OK)
            kill_locked(w);
    }
    lock_release(&sched_lock);
    return status;
}

/* How deep the stack was ever used: where the pattern ends. */
static unsigned
stack_used(const struct world *w)
{
    const uint32_t *words = (const uint32_t *)(const void *)w->stack;
    unsigned n = STACK_SIZE / sizeof(*words);
    unsigned i = 0;

    if (w->is_idle)
        return 0;
    while (i < n && words[i] == STACK_PATTERN)
        i++;
    return (n - i) * sizeof(*words);
}

static void
describe(const struct world *w, struct world_info *info)
{
    info->id = w->id;
    str_copy(info->name, w->name, sizeof(info->name));
    info->state = state_names[w->state];
    info->wait_reason = w->state == WORLD_WAITING ? w->wait_name : "";
    info->cpu = w->client.cpu;
    info->shares = w->client.share.params.shares;
    info->min_permille = w->client.share.params.min_permille;
    info->max_permille = w->client.share.params.max_permille;
    info->affinity = w->client.affinity;
    info->run_ns = w->run_ns;
    if (w->state == WORLD_RUNNING)
        info->run_ns += clock_now() - w->run_start;
    info->stack_used = stack_used(w);
}

bool
world_get_info(unsigned *id, struct world_info *info)
{
    bool found = false;

    lock_acquire(&sched_lock);
    LIST_FOR_EACH(w, &all_worlds, struct world, all_link) {
        if (w->id < *id)
            continue;
        describe(w, info);
        *id = w->id;
        found = true;
        break;
    }
    lock_release(&sched_lock);
    return found;
}

/* For the panic report: no lock, the machine has stopped. */
bool
world_find_guard(uint32_t addr, char *name, size_t size)
{
    LIST_FOR_EACH(w, &all_worlds, struct world, all_link) {
        uint32_t stack = (uint32_t)w->stack;

        if (addr < stack && addr >= stack - PAGE_SIZE) {
            format_buf(name, size, "world %u '%s'", w->id, w->name);
            return true;
        }
    }
    return false;
}

void
world_panic_report(void)
{
    const struct world *w = PERCPU(current);

    if (w != NULL)
        panic_print("running: world %u '%s'", w->id, w->name);
}
