/*
 * site.h - what an indirect branch learns of where it goes.
 */
#ifndef BT_SITE_H
#define BT_SITE_H

#include "bt/leave.h"

#define SITE_TARGETS    3
#define SITE_TAIL_SIZE  26      /* bytes, in the translation cache */

enum site_state { SITE_LEARNING, SITE_PREDICTED, SITE_GENERIC };
enum site_kind { SITE_RETURN, SITE_BRANCH };

struct bt_site {
    uint32_t tail;          /* address in the TC */
    uint32_t target[SITE_TARGETS];
    uint8_t  hits[SITE_TARGETS];
    uint8_t  samples;
    uint8_t  state, kind;
};

/* The tail of an indirect branch: ECX is the target, the guest's is saved. */
void site_emit(struct bt *bt, struct emitter *e, enum site_kind kind);

/* The same for code that is left after one instruction. */
void site_emit_miss(struct bt *bt, struct emitter *e);

/* The shared routine by which sites that learn leave: bt->learn. */
void site_emit_learn(struct bt *bt, struct emitter *e);

/*
 * Site N, a number that the guest may have made up, went to EIP.  The tail may
 * change, so nobody must be inside; may append to the TC, never flushes.
 */
void site_learn(struct bt *bt, uint32_t n, uint32_t eip);

/* Where site N goes if the machine stopped OFFSET bytes into its tail. */
uint32_t site_recover(const struct bt *bt, uint32_t n, uint32_t offset,
                      uint32_t ecx);

#endif
