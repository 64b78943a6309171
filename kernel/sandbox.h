/*
 * sandbox.h - which mechanism can keep a guest kernel out of the monitor.
 *
 * A guest kernel runs in ring 1, which paging counts as supervisor; only
 * segment limits could stop it.  Real CPUs and Bochs check them at every
 * access, QEMU's TCG does not.  So the machine is asked once, at boot.
 */
#ifndef KERNEL_SANDBOX_H
#define KERNEL_SANDBOX_H

enum sandbox {
    SANDBOX_AUTO,               /* as an option: let the probe decide */
    SANDBOX_SEGMENT,            /* ring 1 behind truncated segments */
    SANDBOX_PAGING              /* ring 3 behind supervisor pages */
};

/*
 * Probe the CPU, obey OVERRIDE, log the decision with its reason.  On the boot
 * processor, once, with the IDT and GDT in place.
 */
void sandbox_init(enum sandbox override);

/* The decision; never SANDBOX_AUTO. */
enum sandbox sandbox_mode(void);

#endif
