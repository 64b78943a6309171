/*
 * stress.c - what --stress does to the translator, and how often.
 *
 * The guest must not notice when translations are forgotten, or when a long
 * way is taken where there is a short one.  Something is done behind every
 * exit at first.  But what was forgotten is translated again, with new exits,
 * and a program that is at work for seconds would never get anywhere; so
 * after RATE_EXITS exits every second one counts, after as many again every
 * third: the number of disturbances grows with the logarithm of time.
 */
#include "tests/btrun/stress.h"

#include "kernel/base/addr.h"
#include "tests/btrun/btrun.h"
#include "tests/btrun/options.h"

#define RATE_EXITS  4096u
#define PLACES      256u        /* where the guest was lately */
#define WRITES      64u         /* that the translator bears */
#define FAULTS      8u          /* that the translator believes */
#define LEVELS      4u          /* of capacities: by the seed */

static uint32_t places[PLACES];
static unsigned count;

static uint32_t
random_below(uint32_t limit)
{
    static uint32_t state;

    if (state == 0)
        state = options.seed | 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % limit;
}

void
stress_capacities(struct bt_env *env)
{
    unsigned level = options.seed % LEVELS;

    env->code_size = BT_CODE_MIN << level;
    env->tu_max = (BT_TU_MIN * 4) << (level * 2);
    env->point_max = BT_POINT_MIN << (level * 2);
    env->link_max = (BT_LINK_MIN * 2) << (level * 2);
}

/* One byte of a place's instruction counts as written. */
static void
pretend_write(uint32_t eip)
{
    /* Whatever is to be done about watching: one fault more does no harm. */
    (void)bt_page_written(engine, eip / PAGE_SIZE, eip & PAGE_MASK, 1);
}

/* ... or so many times that the code of its page checks itself. */
static void
pretend_writes(uint32_t eip)
{
    for (unsigned i = 0; i < WRITES; i++)
        pretend_write(eip);
}

/* ... and as one that faults so often that it is emulated: stepped, here. */
static void
pretend_faults(uint32_t eip)
{
    for (unsigned i = 0; i < FAULTS; i++)
        bt_note_fault(engine, eip);
}

enum stress
stress_act(void)
{
    uint32_t place;

    places[count++ % PLACES] = guest.eip;
    if (random_below(1 + count / RATE_EXITS) != 0)
        return STRESS_NOTHING;
    place = places[random_below(MIN(count, PLACES))];
    switch (random_below(16)) {
    case 0:
        bt_flush(engine);
        break;
    case 1:
        bt_unlink_all(engine);
        break;
    case 2:
    case 3:
        bt_invalidate_page(engine, place / PAGE_SIZE);
        break;
    case 4:
        pretend_write(place);
        break;
    case 5:
        pretend_writes(place);
        break;
    case 6:
        pretend_faults(place);
        break;
    case 7:
        return STRESS_NO_LINK;
    case 8:
        return STRESS_STEP;
    default:
        break;
    }
    return STRESS_NOTHING;
}
