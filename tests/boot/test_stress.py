"""test_stress.py - everything at once: worlds, memory, locks, clocks, shares.

The hidden self-tests count rounds and not seconds, so they do the same on a
slow computer.  What depends on time is measured where time is instructions:
in QEMU with -icount for one processor, and in Bochs.
"""
import re

import pytest

from qemu import EXACT
from socle import counter

ROUNDS = 20
MANY_ROUNDS = 200               # of what needs no other processor
STRESS_TIMEOUT = 120
SHARE_MS, SHARE_TIMEOUT = 1000, 120
SHARE_MS_BOCHS = 300
SHARE_OFF, SHARE_OFF_BOCHS = 1.0, 2.0       # percent of a processor
WAKE_ROUNDS = 50
ALONE_SECONDS, ALONE_INTERRUPTS = 2, 20


def check_stress(machine, rounds=ROUNDS):
    machine.prompt()
    text = "\n".join(machine.command(f"test smp {rounds}", STRESS_TIMEOUT))
    assert re.search(r"seconds: passed$", text, re.M), text


def worst_share(machine, ms=SHARE_MS, case=""):
    """By how many percent of a processor the worst share is off."""
    text = "\n".join(machine.command(f"test share {ms} {case}".rstrip(),
                                     SHARE_TIMEOUT))
    match = re.search(r"off by (\d+\.\d+) % at most", text)
    assert match, text
    return float(match[1]), text


@pytest.mark.parametrize("smp", [1, 2, 4, 8])
def test_stress(qemu, smp):
    check_stress(qemu(smp=smp, memory="128M"))


@pytest.mark.parametrize("smp", [1, 4])
def test_stress_debug(qemu_debug, smp):
    """Ranks of locks, no lock held by who blocks, poison, red zones."""
    check_stress(qemu_debug(smp=smp, memory="128M"))


@pytest.mark.parametrize("append", ["apic=off", "acpi=off", "cpus=2"])
def test_stress_options(qemu, append):
    check_stress(qemu(smp=4, append=append, memory="128M"))


def test_stress_windows(qemu):
    """Memory beyond the direct map is seen through windows."""
    machine = qemu(smp=4, memory="3G")
    machine.prompt()
    for job in ("windows", "pages"):
        text = "\n".join(machine.command(f"test smp {MANY_ROUNDS} {job}"))
        assert "passed" in text, text


def test_stress_exact_time(qemu):
    check_stress(qemu(icount=EXACT, memory="128M"))


def test_stress_bochs(bochs):
    check_stress(bochs(cpu="p3_katmai", smp=2))


@pytest.mark.parametrize("smp", [1, 4])
def test_no_memory_for_a_world(qemu, qemu_debug, smp):
    for start in qemu, qemu_debug:
        machine = start(smp=smp)
        machine.prompt()
        for _ in range(2):
            text = "\n".join(machine.command("test nomem"))
            assert "passed" in text, text


def test_clock(qemu):
    machine = qemu(smp=2)
    machine.prompt()
    text = "\n".join(machine.command("test clock 100", STRESS_TIMEOUT))
    assert "never went back" in text, text


def test_clock_bochs(bochs):
    machine = bochs(cpu="p3_katmai", smp=2)
    machine.prompt()
    text = "\n".join(machine.command("test clock 2000"))
    assert "never went back" in text, text


def test_shares_exactly(qemu):
    machine = qemu(icount=EXACT)
    machine.prompt()
    worst, text = worst_share(machine)
    assert worst <= SHARE_OFF, text


@pytest.mark.parametrize("case", ["shares", "limits", "bound"])
def test_shares_of_two_processors(bochs, case):
    machine = bochs(cpu="p3_katmai", smp=2)
    machine.prompt()
    worst, text = worst_share(machine, SHARE_MS_BOCHS, case)
    assert worst <= SHARE_OFF_BOCHS, text


def test_shares_really_at_once(qemu):
    """Who gets how much is the host's affair here; that it ends is ours."""
    machine = qemu(smp=2)
    machine.prompt()
    for case in ("shares", "limits", "bound"):
        worst_share(machine, case=case)


def test_waker_makes_room(qemu):
    """On one processor, who is woken runs although the waker computes on."""
    machine = qemu(icount=EXACT)
    machine.prompt()
    text = "\n".join(machine.command(f"test wake {WAKE_ROUNDS}"))
    assert f"{WAKE_ROUNDS} of {WAKE_ROUNDS} times" in text, text


def test_no_ticks_without_competition(qemu):
    """A world that is alone on its processor runs without interruption."""
    machine = qemu(smp=2)
    machine.prompt()
    machine.command(f"test spin {10 * ALONE_SECONDS} 1")
    machine.command("test sleep 100")
    before = counter(machine, "timer.interrupts")
    machine.command(f"test sleep {ALONE_SECONDS * 1000}")
    assert counter(machine, "timer.interrupts") - before < ALONE_INTERRUPTS
