/*
 * known.h - where in the TC the guest goes on: a cache of answers.
 *
 * To ask the translator costs two loads of CR3, because its memory is in the
 * permanent root alone.  A unit that was dropped leads to its successor, so an
 * answer is good until the translator forgets all.
 *
 * The vcpu's thread.
 */
#ifndef VMM_CORE_KNOWN_H
#define VMM_CORE_KNOWN_H

#include "kernel/base/types.h"

/* The translation of EIP, or 0: not known. */
uint32_t known_find(uint32_t eip);

/* AT is the one of EIP. */
void known_add(uint32_t eip, uint32_t at);

/* The translator has forgotten all for the FLUSHES'th time. */
void known_flush(uint32_t flushes);

/* A new translator. */
void known_clear(void);

#endif
