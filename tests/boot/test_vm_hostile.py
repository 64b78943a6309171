"""test_vm_hostile.py - guests that attack their monitor (tests/hostile).

Whatever becomes of them: the VMkernel goes on, so does a VM beside them, their
memory comes back, and the monitor does not find fault with itself.
"""
import re
import time

import pytest

from bochs import Bochs
from machine import TIMEOUT_SCALE
from socle import check_log
from test_guest import Results
from vms import Vm, boot, free_mb

ATTACK_SECONDS = {"reach": 90, "gates": 90, "registers": 90, "slots": 30,
                  "virtual86": 30, "ports": 60}
BOCHS_BOOT = 120
BOCHS_SLOWER = 3                # "gates" takes 140 s
CHAOS_ROUNDS = 12
CHAOS_SECONDS = 2
WITNESS = "flags"
WITNESS_TIMEOUT = 60
# A crash that is a bug of the monitor's: "in the monitor", "assertion failed".
FAIR_ENDS = r"off$|halted$|ended: |running|starting|crashed: the guest was at"


@pytest.fixture
def machine(qemu, build):
    return boot(qemu, build / "guest" / "vms.cpio", memory="128M", smp=2)


def check_witness(machine):
    """Another VM does its work, and does it right."""
    vm = Vm(machine, WITNESS)
    vm.start()
    assert vm.wait_off(WITNESS_TIMEOUT) == "off"
    Results(vm.output()).check({})


def check_end(vm):
    state = vm.state()
    assert re.match(FAIR_ENDS, state), state


def end(vm):
    check_end(vm)
    if vm.is_on():
        vm.do("kill")
    check_end(vm)


def attack(machine, name, slower=1):
    """Let NAME attack, beside another VM."""
    before = free_mb(machine)
    vm = Vm(machine, f"hostile-{name}")
    # Nothing is asked of that one but that it can be ended.
    scale = 1 if name == "slots" else slower * TIMEOUT_SCALE
    deadline = time.monotonic() + ATTACK_SECONDS[name] * scale
    vm.start()
    check_witness(machine)
    while vm.is_on() and vm.resets() == 0 and time.monotonic() < deadline:
        time.sleep(0.5)
    end(vm)
    text = vm.output()
    assert "\nFAIL" not in text, text
    if name != "slots":         # that one may be its own undoing
        assert re.search(r"^done: \d+ passed, 0 failed", text, re.M), text
    check_witness(machine)
    check_log(machine.boot_log)
    assert free_mb(machine) >= before - 1


@pytest.mark.parametrize("name", ATTACK_SECONDS)
def test_attack(machine, name):
    attack(machine, name)


def test_attack_bochs(machines, build):
    """In the sandbox of segments, where no page is theirs to write to."""
    machine = machines(Bochs, build / "guest" / "vms.iso")
    machine.prompt(BOCHS_BOOT)
    for name in ATTACK_SECONDS:
        attack(machine, name, BOCHS_SLOWER)
    assert "a page to write to: 0\n" in Vm(machine, "hostile-slots").output()


def test_chaos(machine):
    """Random code; each start of the VM is another one."""
    before = free_mb(machine)
    vm = Vm(machine, "hostile-chaos")
    for _ in range(CHAOS_ROUNDS):
        vm.start()
        time.sleep(CHAOS_SECONDS)
        end(vm)
    check_witness(machine)
    assert free_mb(machine) >= before - 1
