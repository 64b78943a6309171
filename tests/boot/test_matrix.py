"""test_matrix.py - Socle boots everywhere, and finds what is there.

The full product of processors, memory sizes, loaders and emulators would be
320 boots; this choice has every pair of neighbours in it that differs in the
code it takes: PAE without NX, 36 address bits, memory above 4 GB, one
processor and eight, little memory with many processors.
"""
import pytest

from machine import DOWN, ENTER, GRUB_DONE
from socle import check_log, memory_mb, processors

QEMU = [
    # binary, cpu, memory in MB, processors, loader
    ("i386", "qemu32", 32, 1, "kernel"),
    ("i386", "qemu32", 64, 1, "iso"),
    ("i386", "pentium3", 32, 2, "iso"),
    ("i386", "pentium3", 64, 4, "kernel"),
    ("i386", "pentium3", 8192, 1, "kernel"),
    ("i386", "max", 1024, 8, "kernel"),
    ("i386", "max", 64, 2, "iso"),
    ("i386", "EPYC", 1024, 4, "iso"),
    ("x86_64", "qemu32", 1024, 2, "kernel"),
    ("x86_64", "pentium3", 64, 8, "iso"),
    ("x86_64", "max", 32, 4, "iso"),
    ("x86_64", "max", 8192, 2, "iso"),
    ("x86_64", "max", 16384, 8, "kernel"),
    ("x86_64", "EPYC", 64, 1, "kernel"),
    ("x86_64", "EPYC", 8192, 4, "kernel"),
    ("x86_64", "EPYC", 16384, 1, "iso"),
]

BOCHS = [("p3_katmai", 1), ("corei7_icelake_u", 1), ("ryzen", 1),
         ("corei7_icelake_u", 2)]


def check_machine(machine, memory, smp, sandbox):
    """What must be true at the first prompt, whatever the machine."""
    check_log(machine.prompt())
    assert f"sandbox: {sandbox}" in machine.boot_log
    assert len(processors(machine)) == smp
    # Firmware and the VMkernel itself take a little of it.
    assert 0.9 * memory - 2 <= memory_mb(machine) <= memory


@pytest.mark.parametrize("binary,cpu,memory,smp,loader", QEMU)
def test_qemu(qemu, qemu_iso, binary, cpu, memory, smp, loader):
    start = qemu if loader == "kernel" else qemu_iso
    machine = start(binary=f"qemu-system-{binary}", cpu=cpu,
                    memory=f"{memory}M", smp=smp)
    check_machine(machine, memory, smp, "paging")
    machine.send("poweroff\r")
    assert machine.wait_exit() == 0


def test_memory_beyond_cpu(qemu):
    """A CPU with 32 address bits, and memory above 4 GB."""
    machine = qemu(cpu="qemu32", memory="5G")
    check_machine(machine, 3072, 1, "paging")
    assert "2048 MB unused: the CPU has 32 address bits" in machine.boot_log


@pytest.mark.parametrize("cpu,smp", BOCHS)
def test_bochs(bochs, cpu, smp):
    machine = bochs(cpu=cpu, smp=smp, memory=128)
    check_machine(machine, 128, smp, "segment")
    machine.send("poweroff\r")
    machine.wait_exit()
    with open(f"{machine.log_path}.bochs", encoding="latin-1") as log:
        assert "triple fault" not in log.read()


def test_second_menu_entry(qemu_iso):
    """Chosen as a person does it: cursor down, Enter."""
    machine = qemu_iso()
    machine.expect("Socle, plain console")
    machine.send(DOWN + ENTER)
    machine.prompt()
    # From the loader's last sequence on, it is Socle who speaks.
    assert "\x1b" not in machine.console.before.rpartition(GRUB_DONE)[2]


@pytest.mark.parametrize("override", ["segment", "paging"])
def test_sandbox_override(qemu, override):
    machine = qemu(append=f"vmm.sandbox={override}")
    assert f"sandbox: {override}" in machine.prompt()


# By the ISO: after a reset, QEMU 7.2's own Multiboot loader does not start
# again.  Bochs: with a model that has VMX its BIOS fails the second time, since
# a feature register stays locked over the reset.
@pytest.mark.parametrize("smp", [1, 4])
def test_reboot_qemu(qemu_iso, smp):
    check_reboot(qemu_iso(smp=smp, may_reset=True))


def test_reboot_bochs(bochs):
    check_reboot(bochs(cpu="p3_katmai", smp=2))


def check_reboot(machine):
    machine.prompt()
    machine.send("reboot\r")
    check_log(machine.prompt())
    assert machine.command("version")
