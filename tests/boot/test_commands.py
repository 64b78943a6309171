"""test_commands.py - each command of the console does what help says."""
import re

import pytest

from machine import CTRL_C, ENTER, PROMPT
from socle import COMMANDS


@pytest.fixture
def machine(qemu):
    started = qemu(smp=2, memory="128M",
                   extra=("-rtc", "base=2020-02-29T12:30:00"))
    started.prompt()
    return started


def test_help(machine):
    text = "\n".join(machine.command("help"))
    for name in COMMANDS:
        assert re.search(rf"^\s*{name}\b", text, re.M), name
    assert not re.search(r"^\s*test\b", text, re.M), "test is hidden"
    for name in COMMANDS:
        assert name in "\n".join(machine.command(f"help {name}"))


def test_every_command_answers(machine):
    for name in COMMANDS:
        if name in ("reboot", "poweroff"):
            continue
        lines = machine.command(name)
        assert lines, name
        assert max(map(len, lines)) <= 80, f"{name} is too wide"


def test_version(machine):
    assert machine.command("version")[0].startswith("Socle ")


def test_time_is_the_clock_chip(machine):
    assert "2020-02-29 12:3" in "\n".join(machine.command("time"))


def test_pci(machine):
    text = "\n".join(machine.command("pci"))
    for device in ("8086:1237", "8086:7000", "8086:100e"):
        assert device in text
    assert re.search("ethernet", text, re.I)


def test_log_levels(machine):
    everything = machine.command("log debug")
    errors = machine.command("log error")
    assert len(errors) < len(everything)
    assert "sandbox" in "\n".join(machine.command("log info sandbox"))


def test_log_follow_ends_with_ctrl_c(machine):
    machine.send("log -f" + ENTER)
    machine.expect("console ready")
    machine.send(CTRL_C)
    machine.expect(PROMPT)
    machine.send("echo marker" + ENTER)
    machine.expect(r"\nmarker\r\n")


@pytest.mark.parametrize("line,wanted", [
    ("gugus", "gugus"),
    ("log gugus", "gugus"),
    ("help gugus", "gugus"),
    ("version 1 2 3", "version"),
])
def test_wrong_command(machine, line, wanted):
    """The error names what was wrong, in one or two lines."""
    lines = machine.command(line)
    assert 1 <= len(lines) <= 2
    assert wanted in lines[0]


def test_unknown_command_points_to_help(machine):
    assert "help" in "\n".join(machine.command("gugus"))
