"""test_vm_panic.py - what is the machine's own business while VMs run.

A panic stops all processors by NMI, also one that is in a monitor, where the
VMkernel's tables are not; and an NMI that nobody sent is reported as one.
"""
import pathlib
import re
import struct
import subprocess
import time

import pytest

from machine import TIMEOUT_SCALE

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
HALTED = r"The machine is halted"

MAGIC, AOUT_KLUDGE = 0x1BADB002, 1 << 16
LOAD = 0x100000
HEADER_SIZE = 32
# vmm/layout.h: VMM_SHARED_AT, VMM_VMK_AT.
SHARED_AT, VMK_AT = 0xFFFE0000, 0xFFFEE000
SPIN = b"\xeb\xfe"              # jmp .


def spinning_kernel():
    """A Multiboot kernel of one instruction."""
    header = struct.pack("<8I", MAGIC, AOUT_KLUDGE,
                         -(MAGIC + AOUT_KLUDGE) & 0xFFFFFFFF, LOAD, LOAD,
                         0, 0, LOAD + HEADER_SIZE)
    return header + SPIN


@pytest.fixture
def machine(qemu, tmp_path):
    """Two processors; one runs the shell, and a guest is always on one."""
    (tmp_path / "kernel").write_bytes(spinning_kernel())
    (tmp_path / "spin.vmx").write_text('memsize = "32"\n'
                                       'boot.kernel = "kernel"\n')
    archive = tmp_path / "vms.cpio"
    subprocess.run([SCRIPTS / "vms.py", archive] +
                   [f"spin/{name}={tmp_path / name}"
                    for name in ("spin.vmx", "kernel")], check=True)
    machine = qemu(smp=2, memory="128M", append="vm.autostart=spin",
                   extra=("-initrd", str(archive)))
    machine.prompt()
    # The log may speak between a command and its prompt.
    while "running" not in "\n".join(machine.command("vm list")):
        pass
    return machine


def test_panic_stops_a_monitor(machine):
    machine.send("test panic\r")
    machine.expect(HALTED)
    machine.wait_halted()


def test_nmi_in_a_guest(machine):
    machine.qmp("inject-nmi")
    machine.expect(r"PANIC on CPU \d+: #?NMI")
    machine.expect(HALTED)
    machine.wait_halted()


def rights(machine, cpu, address):
    """What ring 0 of processor CPU may do at ADDRESS now, as "rw"; or None."""
    dump = machine.qmp("human-monitor-command", **{"command-line": "info mem",
                                                   "cpu-index": cpu})
    for first, end, may in re.findall(
            r"^([0-9a-f]+)-([0-9a-f]+) [0-9a-f]+ [u-]([r-][w-])", dump, re.M):
        if int(first, 16) <= address < int(end, 16):
            return may
    return None


def test_own_context_is_read_only(machine):
    """In the monitor's space, where the VMkernel's registers wait."""
    seen = None
    deadline = time.monotonic() + 30 * TIMEOUT_SCALE
    while seen is None and time.monotonic() < deadline:
        machine.qmp("stop")
        for cpu in range(2):
            if rights(machine, cpu, SHARED_AT) == "rw":
                seen = rights(machine, cpu, VMK_AT)
        machine.qmp("cont")
    assert seen == "r-"
