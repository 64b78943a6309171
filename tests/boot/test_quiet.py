"""test_quiet.py - Socle starts fast, and costs nothing while nothing happens.

What a host measures depends on what else it does, so instructions, interrupts
and halted processors are looked at; `make bench` takes the time.
"""
import pytest

from qemu import EXACT
from socle import boot_ms, counter

IDLE_MS, IDLE_TIMEOUT = 10000, 60
IDLE_INTERRUPTS = 100           # in that time: no tick
LOOKS, LOOKS_HALTED = 50, 40
BOOT_MS = 20                    # of instructions, and of waiting for hardware
LARGE_GB = 8
MS_PER_GB = 0.5


@pytest.mark.parametrize("smp", [1, 4])
def test_idle(qemu, smp):
    """All processors wait in HLT, and hardly anything wakes them."""
    machine = qemu(smp=smp)
    machine.prompt()
    before = counter(machine, "timer.interrupts")
    machine.command(f"test sleep {IDLE_MS}", IDLE_TIMEOUT)
    assert counter(machine, "timer.interrupts") - before < IDLE_INTERRUPTS
    machine.wait_halted()
    halted = sum(machine.is_halted() for _ in range(LOOKS))
    assert halted >= LOOKS_HALTED


def exact_boot_ms(qemu, memory):
    return boot_ms(qemu(memory=memory, binary="qemu-system-x86_64", cpu="max",
                        icount=EXACT).prompt())


def test_boot_time(qemu):
    small = exact_boot_ms(qemu, "64M")
    assert small < BOOT_MS
    assert exact_boot_ms(qemu, f"{LARGE_GB}G") - small < LARGE_GB * MS_PER_GB
