/*
 * bt_engine.h - the guest's kernel in translated code.
 */
#ifndef VMM_CORE_BT_ENGINE_H
#define VMM_CORE_BT_ENGINE_H

#include "bt/bt.h"
#include "vmm/vcpu.h"

void bt_engine_init(struct vcpu *v);

/* Run V, at CPL 0 in protected mode, until something needs the main loop. */
void bt_engine_run(struct vcpu *v);

/* Between entries: call USE, which may change translations, with WHICH. */
void bt_engine_with(void (*use)(struct bt *bt, uint32_t which),
                    uint32_t which);

#endif
