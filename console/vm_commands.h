/*
 * vm_commands.h - what the files behind the command `vm` share.
 *
 * Each sub-command is a function of its own, which is called with as many words
 * as vm_commands.def allows and, where the first must be the name of a VM, with
 * that VM.  Run in the shell's world.
 */
#ifndef CONSOLE_VM_COMMANDS_H
#define CONSOLE_VM_COMMANDS_H

#include "console/args.h"
#include "vmm/vmk/vm.h"

#define VM_STATE_SIZE   (VM_REASON_SIZE + 40u)

/* VM: NULL where there is none.  ARGS: the words behind that name. */
#define VM_COMMAND(name, which, least, most, usage) \
    void vm_cmd_##name(struct vm *vm, const struct args *args);
#include "console/vm_commands.def"
#undef VM_COMMAND

/* "running for 00:01:23", into BUF of VM_STATE_SIZE bytes. */
const char *vm_state_text(char *buf, const struct vm_info *info);

/* What the person did wrong, in one line: "vm: WHY". */
void vm_tell(const struct vm_why *why);

#endif
