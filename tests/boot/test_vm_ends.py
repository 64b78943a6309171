"""test_vm_ends.py - how VMs under Socle end, and that others do not notice.

The guests are those of tiny_guest.py, and one topic of tests/guest for a VM
that works.
"""
import re
import time

import pytest

from machine import TIMEOUT_SCALE
from socle import check_log
from test_guest import Results
from tiny_guest import (HALT, POWER_OFF, RESETS, TASK_SWITCH, TRIPLE_FAULT,
                        kernel)
from vms import Vm, boot, free_mb, make_archive

OFF_TIMEOUT = 20
WORK_TIMEOUT = 60
RESETS_WANTED = 3

REBOOTERS = {"triple": TRIPLE_FAULT,
             **{name.split()[-1].lower(): code
                for name, code in RESETS.items()}}
GUESTS = {"halt": HALT, "off": POWER_OFF, "task": TASK_SWITCH, "wait": "",
          **REBOOTERS}
ENDS = {"halt": "halted", "off": "off", "task": "ended: .*task switch"}


def add_vm(folder, name, image, *keys):
    (folder / name).mkdir()
    (folder / name / "kernel").write_bytes(image)
    (folder / name / f"{name}.vmx").write_text(
        "\n".join(('boot.kernel = "kernel"', *keys, "")))


@pytest.fixture
def machine(qemu, build, tmp_path):
    """GUESTS, and the topic "flags" in two ways."""
    flags = (build / "guest" / "flags.elf").read_bytes()
    for name, code in GUESTS.items():
        add_vm(tmp_path, name, kernel(code), 'memsize = "4"')
    for engine in ("bt", "interp"):
        add_vm(tmp_path, engine, flags, f'vm.engine = "{engine}"')
    return boot(qemu, make_archive(tmp_path / "vms.cpio", tmp_path),
                memory="128M", smp=2)


def test_ends(machine):
    """Each says how; and one that goes on goes on."""
    before = free_mb(machine)
    wait = Vm(machine, "wait")
    wait.start()
    for name, end in ENDS.items():
        vm = Vm(machine, name)
        vm.start()
        assert re.match(end, vm.wait_off(OFF_TIMEOUT)), vm.state()
        assert "\nx" in vm.output()
        assert wait.state().startswith("running")
    assert "was killed" in wait.do("kill")
    assert "\nx" in wait.output()
    check_log("\n".join(machine.command("log")))
    assert free_mb(machine) >= before - 1


def test_guests_reset_themselves(machine):
    """Again and again, and all at once; each begins anew with an x."""
    before = free_mb(machine)
    vms = [Vm(machine, name) for name in REBOOTERS]
    for vm in vms:
        vm.start()
    deadline = time.monotonic() + WORK_TIMEOUT * TIMEOUT_SCALE
    while min(vm.resets() for vm in vms) < RESETS_WANTED:
        assert time.monotonic() < deadline, [vm.resets() for vm in vms]
    for vm in vms:
        assert "was killed" in vm.do("kill")
        assert "x" * RESETS_WANTED in vm.output()
    assert free_mb(machine) >= before - 1


def test_engines(machine):
    """Without the translator it is slower, and the same."""
    for name in ("bt", "interp"):
        vm = Vm(machine, name)
        vm.start()
        assert vm.wait_off(WORK_TIMEOUT) == "off"
        Results(vm.output()).check({})
    assert Vm(machine, "interp").share("translated code") == 0
    assert Vm(machine, "interp").share("user code, directly") == 0
    assert Vm(machine, "bt").share("translated code") > 0
