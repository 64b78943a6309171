/*
 * number.h - numbers out of text that a person or a boot loader wrote.
 *
 * The whole text must be the number: no spaces, no sign, nothing behind it.
 * It is decimal, or hexadecimal behind `0x`; a leading zero means nothing.
 * Errors, with *VALUE left alone:
 *
 *      ERR_SYNTAX      this is not a number
 *      ERR_RANGE       it is one, but it does not fit
 *
 * Pure: any context may call these.
 */
#ifndef KERNEL_BASE_NUMBER_H
#define KERNEL_BASE_NUMBER_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

MUST_CHECK status_t parse_u64(const char *text, uint64_t *value);
MUST_CHECK status_t parse_u32(const char *text, uint32_t *value);

/* A number of bytes: as above, with K, M or G (2^10, 2^20, 2^30) behind. */
MUST_CHECK status_t parse_size(const char *text, uint64_t *bytes);

#endif
