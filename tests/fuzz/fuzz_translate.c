/*
 * fuzz_translate.c - any code at all, changed and called in any order.
 *
 * The input is the guest's memory and what is done to it, a few bytes for each
 * step: enter or step a place, write there and tell or not tell, fault there,
 * forget this or that.  Whatever it is, the translator stays within its
 * memory, its entries can be told back to where they came from, and no check
 * passes on bytes that are not those it was made for.
 */
#include <stdlib.h>
#include <string.h>

#include "bt/decode.h"
#include "unit/fake_code.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(x) do { if (!(x)) abort(); } while (0)

#define HEAD_SIZE   2           /* shape and size of the code */
#define STEP_SIZE   4           /* what, where (2), with which byte */

struct step {
    uint8_t what, value;
    uint32_t eip;
};

static bool
starts_with_jump(uint32_t eip)
{
    uint8_t bytes[INSN_LENGTH_MAX];
    struct insn insn;
    size_t n = 0;

    while (n < sizeof(bytes) && fake_code_is_there(eip + (uint32_t)n)) {
        bytes[n] = *fake_code_byte(eip + (uint32_t)n);
        n++;
    }
    return decode(bytes, n, fake.env.mode, &insn) == DECODE_OK &&
           insn_opcode(&insn)->class == CLASS_JMP;
}

static void
enter(uint32_t eip, bool is_step)
{
    struct bt_state s = {
        .eip = is_step ? bt_step(fake.bt, eip) : bt_entry(fake.bt, eip),
    };
    uint32_t at = s.eip;
    const uint8_t *behind;

    if (at == 0)
        return;
    REQUIRE(fake_code_is_there(eip));
    REQUIRE(bt_recover(fake.bt, &s));
    REQUIRE(s.eip == eip || starts_with_jump(eip));
    if (fake_code_check(at, &behind) != CHECK_FAILS)
        return;
    fake.slots.exit_reason = BT_EXIT_CHANGED;
    fake.slots.exit_eip = eip;
    at = bt_entry(fake.bt, eip);
    REQUIRE(at == 0 || fake_code_check(at, &behind) != CHECK_FAILS);
}

static void
change(const struct step *step, bool is_told)
{
    uint32_t id, offset = step->eip % CODE_PAGE;

    if (!fake_code_is_there(step->eip))
        return;
    *fake_code_byte(step->eip) = step->value;
    id = (uint32_t)(fake_code_byte(step->eip) - &fake.memory[0][0]) /
         CODE_PAGE;
    if ((is_told || fake.is_watched[id]) &&
        bt_page_written(fake.bt, CODE_ID + id, offset, 1) ==
            BT_WRITTEN_UNWATCH)
        fake.is_watched[id] = false;
}

static void
forget(const struct step *step)
{
    if (step->value == 0)
        bt_flush(fake.bt);
    else if (step->value == 1)
        bt_unlink_all(fake.bt);
    else
        bt_invalidate_page(fake.bt, CODE_ID + step->value % CODE_MEMORIES);
}

static void
leave_by(const struct step *step)
{
    fake.slots.exit_reason = step->value % (BT_EXIT_STOP + 1u);
    fake.slots.exit_arg = step->eip;
    fake.slots.exit_eip = step->eip;
}

static void
take(const struct step *step)
{
    enum { ENTER, STEP, WRITE, WRITE_TOLD, WRITE_BESIDE, FAULT, EMULATED,
           FORGET, LEAVE, WHAT_COUNT };

    switch (step->what % WHAT_COUNT) {
    case ENTER:
    case STEP:
        enter(step->eip, step->what % WHAT_COUNT == STEP);
        break;
    case WRITE:
    case WRITE_TOLD:
        change(step, step->what % WHAT_COUNT == WRITE_TOLD);
        break;
    case WRITE_BESIDE:
        for (unsigned i = 0; i < step->value; i++)
            change(&(struct step){ .eip = step->eip | 0xf00 }, false);
        break;
    case FAULT:
        bt_note_fault(fake.bt, step->eip);
        break;
    case EMULATED:
        for (unsigned i = 0; i < step->value; i++)
            bt_note_emulated(fake.bt, step->eip, false);
        break;
    case FORGET:
        forget(step);
        break;
    default:
        leave_by(step);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t code;

    if (size < HEAD_SIZE)
        return 0;
    fake_code_start(data[0] % CODE_SHAPES, 1);
    code = MIN((size_t)data[1], size - HEAD_SIZE);
    for (unsigned page = 0; page < CODE_MEMORIES; page++) {
        memcpy(fake.memory[page], data + HEAD_SIZE, code);
        memcpy(fake.memory[page] + CODE_PAGE - code, data + HEAD_SIZE, code);
    }
    data += HEAD_SIZE + code;
    size -= HEAD_SIZE + code;
    for (; size >= STEP_SIZE; size -= STEP_SIZE, data += STEP_SIZE) {
        struct step step = {
            .what = data[0], .value = data[3],
            .eip = CODE_GUEST + (data[1] | (uint32_t)data[2] << 8) %
                                    (CODE_PAGES * CODE_PAGE),
        };

        take(&step);
    }
    fake_code_stop();
    return 0;
}
