"""test_vm_guest.py - what a VM under Socle answers to the programs of
tests/guest.

Each topic is a VM of its own, and all are in one archive.  QEMU runs them in
the paging sandbox, Bochs in the one of segments; where the answer is the
emulator's and not the monitor's, guest_deviations.py says so.
"""
from bochs import Bochs
from guest_deviations import VM_BOCHS, VM_QEMU
from socle import check_log
from test_guest import TOPICS, Results
from vms import Vm, boot

TOPIC_TIMEOUT = {"qemu": 60, "bochs": 180}
BOCHS_BOOT = 120
MACHINE = {"memory": "128M", "cpu": "max"}      # one that has NX


def check_topics(machine, kind, deviations, change=None):
    """Run all topics, one after the other; say all that is wrong at once.

    CHANGE is made to each VM before.
    """
    wrong, vms = [], [Vm(machine, topic) for topic in TOPICS]
    for vm, topic in zip(vms, TOPICS):
        if change:
            machine.command(f"vm set {topic} {change}")
        vm.start()
        end = vm.wait_off(TOPIC_TIMEOUT[kind])
        try:
            assert end == "off", end
            results = Results(vm.output())
            results.check({}, deviations)
            assert results.count("skip") == 0
        except AssertionError as error:
            wrong.append(f"{topic}: {error}")
    assert not wrong, "\n".join(wrong)
    check_log(machine.boot_log)
    return vms


def test_vm_qemu(qemu, build):
    machine = boot(qemu, build / "guest" / "vms.cpio", **MACHINE)
    assert "paging" in "\n".join(machine.command("log"))
    check_topics(machine, "qemu", VM_QEMU)


def test_vm_bochs(machines, build):
    machine = machines(Bochs, build / "guest" / "vms.iso")
    machine.prompt(BOCHS_BOOT)
    assert "segment" in "\n".join(machine.command("log"))
    check_topics(machine, "bochs", VM_BOCHS)
