"""test_worlds.py - scheduling and memory as the console's self-tests see them.
"""
import re

import pytest

from machine import PROMPT
from socle import memory_mb

SPINNERS, SPIN_SECONDS = 8, 600
FAIR = 0.1                      # deviation allowed
MEASURE_MS = 2000
MEASURE_TIMEOUT = 120
# 64 ns of the machine's time for each instruction: it takes less of the host's.
# Bochs counts time by instructions always.
EXACT = "shift=6,sleep=off"


def spinners(machine):
    """{id: seconds of processor time} of the worlds named spin."""
    found = {}
    for line in machine.command("worlds"):
        fields = line.split()
        if "spin" in fields:
            found[fields[0]] = float(re.findall(r"\d+\.\d+", line)[-1])
    return found


def check_fairness(machine, smp):
    """Equal shares get equal time, and the console answers meanwhile."""
    machine.prompt()
    machine.command(f"test spin {SPIN_SECONDS} {SPINNERS}")
    before = spinners(machine)
    assert len(before) == SPINNERS
    machine.command(f"test sleep {MEASURE_MS}", MEASURE_TIMEOUT)
    after = spinners(machine)
    used = [after[world] - before[world] for world in before]
    mean = sum(used) / len(used)
    assert mean > MEASURE_MS / 1000 * smp / SPINNERS / 2
    assert all(abs(t - mean) < FAIR * mean for t in used), used


def test_worlds_share_the_processor(qemu):
    check_fairness(qemu(icount=EXACT), 1)


def test_worlds_share_two_processors(bochs):
    check_fairness(bochs(cpu="p3_katmai", smp=2), 2)


def test_kill(qemu):
    machine = qemu()
    machine.prompt()
    machine.command(f"test spin {SPIN_SECONDS} 2")
    world, other = spinners(machine)
    machine.command(f"kill {world}")
    machine.command("test sleep 200")
    assert list(spinners(machine)) == [other]
    machine.command(f"kill {other}")
    machine.command("test sleep 200")
    assert not spinners(machine)


def test_sleep(qemu):
    machine = qemu(icount=EXACT)
    machine.prompt()
    text = "\n".join(machine.command("test sleep 500"))
    slept = float(re.search(r"slept +(\d+\.\d+) seconds", text)[1])
    assert 0.5 <= slept < 0.52


@pytest.mark.parametrize("memory", ["64M", "4G"])
def test_out_of_memory_is_survived(qemu, memory):
    machine = qemu(memory=memory, cpu="max", binary="qemu-system-x86_64")
    machine.prompt()
    total = memory_mb(machine)
    for _ in range(2):
        text = "\n".join(machine.command("test oom", timeout=60))
        assert "out of memory" in text
    assert memory_mb(machine) == total


def test_log_flood(qemu):
    machine = qemu(smp=2)
    machine.prompt()
    machine.send("test log info 2000\r")
    machine.expect("line 2000 of 2000")
    machine.expect(PROMPT)
    assert machine.command("version")
    lines = machine.command("log -n 5")
    assert len(lines) == 5


def test_debug_checks_find_nothing(qemu_debug):
    """Locks with ranks, poison, red zones: all quiet under some load."""
    machine = qemu_debug(smp=4, memory="128M")
    machine.prompt()
    machine.command("test spin 5 16")
    for command in ("worlds", "cpu", "mem", "pci -v", "stats", "test oom",
                    "test sleep 300", "test log debug 500", "log -n 20"):
        machine.command(command, timeout=60)
    machine.send("poweroff\r")
    assert machine.wait_exit() == 0
