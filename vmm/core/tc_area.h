/*
 * tc_area.h - the TC's place in linear space, clear of the guest's own pages.
 *
 * In the paging sandbox a kernel in translated code can read the pages of the
 * TC.  So they are where it has none: when it maps memory there, the TC moves,
 * and the kernel's accesses fault, to be interpreted.
 *
 * What is left: where the guest has no page, or one without memory behind it,
 * its kernel reads what is of the TC there, and no #PF, or no ones.
 *
 * The vcpu's thread, between exit and entry.
 */
#ifndef VMM_CORE_TC_AREA_H
#define VMM_CORE_TC_AREA_H

#include "bt/bt.h"
#include "vmm/shared.h"

void tc_area_init(const struct vmm_params *params);

/*
 * At the safe point, before translated code runs: may it?  False: there is no
 * room for it.  If it has to move, that is done by MOVE.
 */
bool tc_area_check(void (*move)(void));

/*
 * In the permanent root: give the pages the rights that they need, and say in
 * ENV where all is.  What was there is lost.
 */
void tc_area_place(struct bt_env *env);

#endif
