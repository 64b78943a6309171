"""test_crash.py - when Socle itself is wrong, the report shows the line.

Each self-test makes one kind of mistake.  The report must hold addresses that
addr2line turns into the place of the mistake, and the machine must then be
quiet instead of doing more harm.
"""
import re

import pytest

from socle import source_lines

HALTED_SECONDS = 2
HALTED_SHARE = 0.1              # a halted machine burns no power
HALTED = r"The machine is halted"

CRASHES = [
    # command, what the report says, function in its backtrace
    ("test fault", r"PANIC on CPU \d+: .*page fault", "test"),
    ("test assert", r"PANIC on CPU \d+: assertion", "test"),
    ("test stack", r"STACK OVERFLOW", "test"),
    ("test df", r"double fault", "test"),
    ("test heap", r"PANIC on CPU \d+: .*heap", "test"),
]

NAMES = [command for command, _, _ in CRASHES]


def crash(machine, command, says):
    """Type COMMAND at the first prompt; return the report."""
    machine.prompt()
    machine.send(command + "\r")
    machine.expect(HALTED)
    report = machine.before()
    assert re.search(says, report), report
    return report


def check_report(elf, report, function):
    places = source_lines(elf, report)
    assert any(function in place and ":?" not in place
               for place in places), f"{places}\n{report}"


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("command,says,function", CRASHES, ids=NAMES)
def test_report_qemu(qemu, elf, command, says, function, smp):
    machine = qemu(smp=smp)
    check_report(elf, crash(machine, command, says), function)
    assert machine.cpu_share(HALTED_SECONDS) < HALTED_SHARE


@pytest.mark.parametrize("command,says,function", CRASHES, ids=NAMES)
def test_report_bochs(bochs, elf, command, says, function):
    check_report(elf, crash(bochs(smp=2), command, says), function)
