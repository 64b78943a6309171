/*
 * bt_engine.h - the guest's kernel in translated code.
 */
#ifndef VMM_CORE_BT_ENGINE_H
#define VMM_CORE_BT_ENGINE_H

#include "vmm/shared.h"
#include "vmm/vcpu.h"

void bt_engine_init(struct vcpu *v, const struct vmm_params *params);

/* Run V, at CPL 0 in protected mode, until something needs the main loop. */
void bt_engine_run(struct vcpu *v);

#endif
