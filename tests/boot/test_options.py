"""test_options.py - the command line does what it says."""
import pytest

from machine import COMMAND_TIMEOUT, ENTER, PROMPT
from socle import check_log, memory_mb, processors


@pytest.mark.parametrize("append,smp,online", [
    # By the MP tables, where SeaBIOS lists the first core of each socket.
    ("acpi=off", "2,sockets=2", 2),
    ("apic=off", 1, 1),         # by the 8259 and the 8254
    ("apic=off", 2, 1),
    ("acpi=off apic=off", 1, 1),
    ("cpus=2", 4, 2),
])
def test_processors(qemu, append, smp, online):
    machine = qemu(append=append, smp=smp)
    check_log(machine.prompt())
    assert len(processors(machine)) == online
    machine.command("test sleep 100")
    machine.send("poweroff" + ENTER)
    assert machine.wait_exit() == 0


def test_memory_limit(qemu):
    machine = qemu(append="mem=48M", memory="128M")
    machine.prompt()
    assert 40 <= memory_mb(machine) <= 48


def test_log_level(qemu):
    quiet = qemu(append="log=error").prompt()
    chatty = qemu(append="log=debug").prompt()
    assert "sandbox:" not in quiet
    assert "sandbox:" in chatty


def test_screen_and_keyboard_only(qemu):
    machine = qemu(append="console=vga")
    machine.wait_screen(r"socle>\s*$")
    for typed in range(len("version")):
        machine.press("version"[typed])
        machine.wait_screen(rf"socle> {'version'[:typed + 1]}\s*$")
    machine.press(ENTER)
    machine.wait_screen(r"socle> version *\nSocle \d")
    assert "socle>" not in machine.tail()


def test_serial_only(qemu):
    machine = qemu(append="console=serial")
    machine.prompt()
    assert "socle>" not in "\n".join(machine.screen())


def test_slow_line(qemu):
    machine = qemu(append="serial.baud=9600")
    machine.prompt()
    machine.send("version" + ENTER)
    machine.expect(r"\nSocle \d", COMMAND_TIMEOUT)
    machine.expect(PROMPT)
