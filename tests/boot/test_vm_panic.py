"""test_vm_panic.py - what is the machine's own business while VMs run.

A panic stops all processors by NMI, also one that is in a monitor, where the
VMkernel's tables are not; and an NMI that nobody sent is reported as one.
"""
import pathlib
import struct
import subprocess

import pytest

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
HALTED = r"The machine is halted"

MAGIC, AOUT_KLUDGE = 0x1BADB002, 1 << 16
LOAD = 0x100000
HEADER_SIZE = 32
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
