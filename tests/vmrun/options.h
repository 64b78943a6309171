/*
 * options.h - what vmrun was asked to do.
 */
#ifndef TESTS_VMRUN_OPTIONS_H
#define TESTS_VMRUN_OPTIONS_H

#include "kernel/base/types.h"
#include "vmm/boot/direct_boot.h"

#define MEMORY_MIN_MB   4u
#define MEMORY_MAX_MB   2048u       /* what the process has room for */

struct vm_options {
    const char *kernel;                 /* file names */
    const char *module[GUEST_MODULES_MAX];   /* Linux: the initrd */
    const char *module_line[GUEST_MODULES_MAX];
    unsigned module_count;
    const char *command_line;
    uint32_t memory_mb;
    uint64_t max_instructions;
    bool is_wall;                       /* time is the host's */
    bool wants_stats, wants_trace;
    bool no_reset;                      /* a reset ends the run */
};

/* From argv.  Wrong ones end the process with a line that says why. */
void options_read(struct vm_options *o, int argc, char **argv);

/* vmx_file.c: the same from a .vmx file, over what was set before. */
void options_read_vmx(struct vm_options *o, const char *name);

/* Print "vmrun: ..." in one line and end the process. */
NORETURN PRINTF_LIKE(1, 2) void die(const char *format, ...);

#endif
