"""test_crash.py - when Socle itself is wrong, the report shows the line.

Each self-test makes one kind of mistake.  The report must hold addresses that
addr2line turns into the place of the mistake, and the machine must then be
quiet instead of doing more harm.
"""
import re

import pytest

from socle import source_lines

HALTED = r"The machine is halted"

CRASHES = [
    # test, what the report says, function that its backtrace leads to
    ("fault", r"PANIC on CPU \d+: .*\nwrite of address 00000010",
     "test_fault"),
    ("text", r"\nwrite of address .* is protected", "test_text"),
    ("assert", r"PANIC on CPU \d+: assertion failed: ", "test_assert"),
    ("panic", r"PANIC on CPU \d+: asked for", "test_panic"),
    ("stack", r"\nSTACK OVERFLOW: ", "test_stack_deeper"),
    ("df", r"PANIC on CPU \d+: #DF", "test_df"),
    ("free", r"PANIC on CPU \d+: ", "test_heap_twice"),
]

NAMES = [test for test, _, _ in CRASHES]


def crash(machine, test, says):
    """Run a self-test at the first prompt; return the report."""
    machine.prompt()
    machine.send(f"test {test}\r")
    machine.expect(HALTED)
    report = machine.before()
    assert re.search(says, report), report
    return report


def check_report(elf, report, function):
    """The report leads to FUNCTION, and knew its name as well."""
    places = source_lines(elf, report)
    assert any(place.startswith(f"{function} ") and ":?" not in place
               for place in places), f"{places}\n{report}"
    assert re.search(rf"^  [0-9a-f]{{8}} {function}\b", report, re.M)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("test,says,function", CRASHES, ids=NAMES)
def test_report_qemu(qemu, elf, test, says, function, smp):
    machine = qemu(smp=smp)
    check_report(elf, crash(machine, test, says), function)
    machine.wait_halted()


@pytest.mark.parametrize("test,says,function", CRASHES, ids=NAMES)
def test_report_bochs(bochs, elf, test, says, function):
    check_report(elf, crash(bochs(smp=2), test, says), function)


def test_report_on_the_screen(qemu):
    machine = qemu()
    crash(machine, "fault", "PANIC")
    machine.wait_screen("The machine is halted")


def test_heap_overrun_is_found(qemu_debug, debug_elf):
    report = crash(qemu_debug(), "heap", "PANIC")
    check_report(debug_elf, report, "test_heap")


def test_data_is_not_executable(qemu):
    machine = qemu(cpu="max")
    crash(machine, "exec", "fetch of address .* is protected")


def test_without_nx(qemu):
    machine = qemu(cpu="qemu32")
    machine.prompt()
    assert "no NX" in "\n".join(machine.command("test exec"))
