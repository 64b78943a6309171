#!/usr/bin/env python3
"""layers.py - who may include whom.

The folders are the architecture, and this table is the whole of it.  Every
file may include kernel/base, kernel/x86 and its own folder.  A header named
*_int.h is private to its folder.  Prints file:line: and what is wrong.
"""
import os
import sys

from sources import sources

EVERYBODY = ["kernel/base/", "kernel/x86/"]
GENERATED = ["version.h"]

# Where VMkernel and monitor meet: numbers and shared pages.
SHARED = ["vmm/layout.h", "vmm/shared.h", "vmm/vcpu.h", "vmm/vmkcall.",
          "vmm/vmm_", "vmm/exits.def", "vmm/time_scale.h"]

MAY = {                         # the longest matching path wins
    "boot": [],
    "kernel": ["boot/boot.h"],
    "kernel/base": [],
    "kernel/x86": [],
    "mm": ["kernel/"],
    "drivers": ["kernel/", "mm/", "sched/wait.h", "sched/world.h"],
    "sched": ["kernel/", "mm/"],
    "console": ["kernel/", "mm/", "sched/", "drivers/", "boot/boot.h",
                "vmm/vmk/", *SHARED],
    "bt": ["vmm/vcpu.h", "vmm/guest_mem.h"],
    "vmm": ["bt/bt.h", "bt/bt_inspect.h", "bt/decode.h", "bt/disasm.h",
            "bt/insn.h", "bt/operations.def"],
    "vmm/vmk": ["kernel/", "mm/", "sched/", "drivers/", "boot/boot.h",
                "vmm/boot/", "vmm/config/", "vmm/core/guest_enter.h",
                "vmm/core/world_switch.h", *SHARED],
    "kernel/main.c": [""],     # the order of start-up
    "tests": [""],
}


def home(path):
    """The entry of MAY that governs PATH."""
    fits = [key for key in MAY if path == key or path.startswith(key + "/")]
    return max(fits, key=len, default=None)


def problem(source, target):
    """What is wrong with SOURCE including TARGET, or None."""
    entry = home(source.path)
    if entry is None:
        return "is in a folder that layers.py does not know"
    if target in GENERATED:
        return None
    if "/" not in target:
        return f'includes "{target}": write the path from the root'
    folder = os.path.dirname(target)
    if target.endswith("_int.h") and folder != source.folder:
        return None if source.is_test else f"{target} is private to {folder}/"
    own = [entry if entry.endswith(".c") else entry + "/"]
    if not target.startswith(tuple(EVERYBODY + MAY[entry] + own)):
        return f"{entry} may not include {target}"
    return None


def main():
    bad = 0
    for source in sources(".c", ".h", ".S", ".def"):
        include = r'^[ \t]*#[ \t]*include[ \t]+"([^"\n]+)"'
        for line, match in source.find(include, source.text):
            what = problem(source, match[1])
            if what is not None:
                bad += 1
                print(f"{source.path}:{line}: {what}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
