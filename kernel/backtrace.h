/*
 * backtrace.h - who called whom, from the frame pointers.
 */
#ifndef KERNEL_BACKTRACE_H
#define KERNEL_BACKTRACE_H

#include "kernel/base/types.h"

#define BACKTRACE_MAX 256u

/*
 * Collect up to MAX return addresses starting with the frame at EBP, newest
 * first; returns their number.  Reads only mapped stack memory, so a corrupt
 * chain ends the list and nothing else.  Any context.
 */
unsigned backtrace(uint32_t ebp, uint32_t *eips, unsigned max);

/*
 * How to ask whether a pointer can be read (mm/ knows).  Before it is set only
 * the image's own memory is read.
 */
void backtrace_set_probe(bool (*probe)(const void *ptr));

/*
 * The function that holds EIP, and how far into it; NULL when EIP is not in
 * our code.
 */
const char *symtab_lookup(uint32_t eip, uint32_t *offset);

/* Format EIP as "function+0x12" or "?" into BUF. */
void symtab_format(uint32_t eip, char *buf, size_t size);

#endif
