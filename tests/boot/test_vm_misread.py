"""test_vm_misread.py - lockstep finds out what is translated wrongly.

`vm.misread` shows the translator one wrong byte of a guest's code.  Each guest
is some instructions and an OUT, at which the stay in translated code ends; what
they leave wrong is what lockstep must name.
"""
import re
import struct

import pytest

from test_vm_ends import add_vm
from tiny_guest import HALT, HEADER_SIZE, LOAD, WRITE_X, kernel
from vms import Vm, boot, make_archive

CODE_AT = LOAD + HEADER_SIZE + len(WRITE_X)
DATA = 0x200000
STACK = f"bc {struct.pack('<I', DATA).hex()}"
OUT = "e6 80"                   # to the port of POST codes
END_TIMEOUT = 60

# Code, which of its bytes is read wrongly, and what lockstep must say.
WRONG = {
    "flag": ("31c0 f8", 2, "eflags, .* is 47, should be 46"),   # STC for CLC
    "direction": ("31c0 fd", 2, "eflags, .* is 46, should be 446"),
    "shift": ("b1 02 b8 01000080 d3e0", 7,                      # AL for EAX
              r"gpr\[GPR_EAX\] .* is 80000004, should be 4"),
    "register": ("b8 41000000", 1,
                 r"gpr\[GPR_EAX\] .* is 40, should be 41"),
    "memory": (f"c6 05 {struct.pack('<I', DATA).hex()} 41", 6,
               f"the word at physical .{DATA:x}. is 40, should be 41"),
    "stack": (f"{STACK} 6a 41", 6,
              f"the word at physical .{DATA - 4:x}. is 40, should be 41"),
    "branch": ("31c0 74 01 40", 2,                              # JNZ for JZ
               r"gpr\[GPR_EAX\] .* is 1, should be 0"),
    "way": (f"31c0 74 02 {OUT}", 2, "an eip that never comes"),
    "fpu": ("db e3 d9 e8", 3, "the byte in FXSAVE's image"),    # FLDL2T, FLD1
}


def compared(vm):
    match = re.search(r"^compared +(\d+) +([\d.]+) %", vm.do("stats"), re.M)
    return match and (int(match[1]), float(match[2]))


@pytest.fixture
def machine(qemu, tmp_path):
    """A VM for each of WRONG; and one whose code is read as it is."""
    keys = 'memsize = "4"', 'vm.engine = "lockstep"'
    for name, (code, offset, _) in WRONG.items():
        add_vm(tmp_path, name, kernel(f"{code} {OUT}"), *keys,
               f'vm.misread = "{CODE_AT + offset}"')
    everything = " ".join(code for code, _, _ in WRONG.values())
    add_vm(tmp_path, "right", kernel(everything + OUT + HALT), *keys,
           f'vm.misread = "{DATA}"')
    code, offset, _ = WRONG["flag"]
    add_vm(tmp_path, "alone", kernel(code + OUT + HALT), keys[0],
           f'vm.misread = "{CODE_AT + offset}"')
    return boot(qemu, make_archive(tmp_path / "vms.cpio", tmp_path))


def test_misread(machine):
    for name, (_, _, what) in WRONG.items():
        vm = Vm(machine, name)
        vm.do("start")          # it may have ended before we are told
        end = vm.wait_off(END_TIMEOUT)
        assert re.match(rf"crashed: lockstep: from \w+ to \w+: {what}", end), \
            (name, end)


def test_right(machine):
    """All stays are compared, and only lockstep compares."""
    for name in ("right", "alone"):
        vm = Vm(machine, name)
        vm.do("start")
        assert vm.wait_off(END_TIMEOUT) == "halted"
        count = compared(vm)
        assert count is None if name == "alone" else count[0] > 2, count
        assert name == "alone" or count[1] == 100
