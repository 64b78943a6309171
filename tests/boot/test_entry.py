"""test_entry.py - the monitor's way into the guest and back, on its own.

The program of tests/entry checks it on a bare machine; its output is that of
the programs of tests/guest.
"""
from bochs import Bochs
from qemu import Qemu
from test_guest import Results

TIMEOUT = 60


def results_of(machine):
    machine.expect(r"done: \d+ passed, \d+ failed\r?\n", TIMEOUT)
    results = Results(machine.before() + machine.console.match[0])
    results.check({})
    return results


def test_qemu(machines, build):
    machine = machines(Qemu, kernel=build / "guest" / "entry.elf", cpu="max",
                       append="gentle")
    results_of(machine)


def test_bochs(machines, build):
    machine = machines(Bochs, build / "guest" / "entry.iso", memory=64)
    assert results_of(machine).count("skip") == 0
