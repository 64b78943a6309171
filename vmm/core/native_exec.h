/*
 * native_exec.h - the monitor's part of vmm/native_exec.h.
 */
#ifndef VMM_CORE_NATIVE_EXEC_H
#define VMM_CORE_NATIVE_EXEC_H

/* Make the place for code executable: once, by the entry code. */
void native_exec_init(void);

#endif
