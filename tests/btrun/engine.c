/*
 * engine.c - the translator's surroundings in a Linux process, and the loop.
 *
 * Everything is flat and user mode: slots and tables are btrun's own data at
 * their addresses, %gs is the guest's, an exit is a jump.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bt/decode.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/interpret.h"
#include "tests/btrun/linux.h"
#include "tests/btrun/options.h"
#include "tests/btrun/pages.h"
#include "tests/btrun/report.h"
#include "tests/btrun/stress.h"
#include "tests/btrun/trace.h"

#define CODE_SIZE   MB(32)
#define TU_MAX      BIT(18)
#define POINT_MAX   BIT(20)
#define LINK_MAX    BIT(18)

struct guest guest;
struct bt *engine;

static struct bt_slots slots;
static struct {
    struct bt_tables t;
    uint32_t links[LINK_MAX];
} tables;
static struct bt_env env;
static uint64_t exits[BT_EXIT_STOP + 1];
static bool step_next, is_stepping;

void
engine_start(void)
{
    void *memory;

    env = (struct bt_env){
        .is_user = true, .callout = CALLOUT_JUMP, .slot_segment = SEG_DS,
        .mode = DECODE_32 | DECODE_PROTECTED,
        .slots_at = (uint32_t)&slots, .tables_at = (uint32_t)&tables,
        .slots = &slots, .tables = &tables.t,
        .code_size = CODE_SIZE, .tu_max = TU_MAX, .point_max = POINT_MAX,
        .link_max = LINK_MAX, .fetch = pages_fetch,
    };
    if (options.stress)
        stress_capacities(&env);
    tables.t.exit = (uint32_t)leave_guest;
    env.code = mmap(NULL, env.code_size, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory = mmap(NULL, bt_memory_size(&env), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (env.code == MAP_FAILED || memory == MAP_FAILED)
        die("no memory for the translator");
    env.code_at = (uint32_t)env.code;
    engine = bt_init(&env, memory);
}

static void
stress(void)
{
    switch (stress_act()) {
    case STRESS_NO_LINK:
        slots.exit_reason = BT_EXIT_STOP;
        break;
    case STRESS_STEP:
        step_next = true;
        break;
    case STRESS_NOTHING:
        break;
    }
}

static void
emulate(void)
{
    struct insn insn;

    if (decode((const uint8_t *)guest.eip, INSN_LENGTH_MAX, env.mode,
               &insn) != DECODE_OK)
        die("cannot decode the instruction at %#x", guest.eip);
    if (insn_opcode(&insn)->operation == OPERATION_cpuid) {
        linux_cpuid();
        guest.eip += insn.length;
    } else if (!is_stepping) {
        /* Perhaps one that changed too often. */
        bt_note_emulated(engine, guest.eip, false);
        step_next = true;
    } else {
        die("cannot emulate the instruction at %#x", guest.eip);
    }
}

static void
serve_int(void)
{
    enum { INT_LINUX = 0x80, INT_OPCODE = 0xcd, INT_SIZE = 2 };
    const uint8_t *code = (const uint8_t *)guest.eip;

    if (code[0] != INT_OPCODE || code[1] != INT_LINUX)
        die("software interrupt at %#x", guest.eip);
    guest.eip += INT_SIZE;
    linux_syscall();
}

static void
serve_exit(void)
{
    exits[slots.exit_reason]++;
    switch ((enum bt_exit)slots.exit_reason) {
    case BT_EXIT_EMULATE:
        emulate();
        break;
    case BT_EXIT_INT:
        serve_int();
        break;
    case BT_EXIT_UNDEFINED:
    case BT_EXIT_TOO_LONG:
        engine_report();
        fprintf(stderr, "btrun: illegal instruction at %#x\n", guest.eip);
        signal(SIGILL, SIG_DFL);
        raise(SIGILL);
        break;
    default:
        break;
    }
}

static void
enter_under_stress(uint32_t at)
{
    traps_allow_stop(true);
    enter_guest(at);
    traps_allow_stop(false);
}

void
engine_run(void)
{
    for (;;) {
        uint32_t at;

        is_stepping = step_next || slots.exit_arg == STEP_WANTED;
        if (!is_stepping)
            pages_close();
        at = is_stepping ? bt_step(engine, guest.eip)
                         : bt_entry(engine, guest.eip);
        if (options.trace)
            trace_new_units(engine, &env);
        if (at == 0)
            die("cannot fetch the instruction at %#x", guest.eip);
        step_next = false;
        slots.exit_arg = 0;
        if (options.stress)
            enter_under_stress(at);
        else
            enter_guest(at);
        guest.eip = slots.exit_eip;
        serve_exit();
        if (options.stress)
            stress();
    }
}

void
engine_stop(uint32_t eip, bool step)
{
    slots.exit_eip = eip;
    slots.exit_reason = BT_EXIT_STOP;
    slots.exit_arg = step ? STEP_WANTED : 0;
}

void
engine_report(void)
{
    static const char *const names[] = {
        "link", "miss", "site", "emulate", "int", "undefined", "too long",
        "step", "changed", "stop",
    };

    if (!options.stats)
        return;
    if (options.interp) {
        interpret_report();
        return;
    }
    report_translator(bt_get_stats(engine));
    fprintf(stderr, "btrun: exits:");
    for (unsigned i = 0; i <= BT_EXIT_STOP; i++)
        fprintf(stderr, " %s %llu", names[i], (unsigned long long)exits[i]);
    fputc('\n', stderr);
}
