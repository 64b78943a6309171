"""test_monitor.py - monitors that are made, run, ended and unmade: `test vmm`.

Its guests are a few bytes each, so it says whether a world gets into a monitor
and back on each kind of machine, before any real guest runs.
"""
import pytest

CASES = ("halt", "touch", "kill", "stop", "world", "pair", "crash",
         "nomem")
CASE_TIMEOUT = {"qemu": 60, "bochs": 240}
BOCHS_BOOT = 120
LARGE = "5G"                    # guest memory from beyond 4 GB


def check(machine, kind, cases):
    for case in cases:
        text = "\n".join(machine.command(f"test vmm {case}",
                                         CASE_TIMEOUT[kind]))
        assert f"{case:6} passed" in text, text


@pytest.mark.parametrize("smp", [1, 4])
def test_monitors(qemu, qemu_debug, smp):
    for start in qemu, qemu_debug:
        machine = start(smp=smp, memory="128M")
        machine.prompt()
        check(machine, "qemu", CASES)


def test_monitors_in_large_memory(qemu):
    machine = qemu(binary="qemu-system-x86_64", smp=2, memory=LARGE)
    machine.prompt()
    check(machine, "qemu", [case for case in CASES if case != "nomem"])


@pytest.mark.parametrize("cpu", ["p3_katmai", "corei7_icelake_u"])
def test_monitors_behind_segments(bochs, cpu):
    """The older CPU has no NX."""
    machine = bochs(cpu=cpu, smp=2)
    machine.prompt(BOCHS_BOOT)
    assert "segment" in "\n".join(machine.command("log"))
    check(machine, "bochs", CASES)
