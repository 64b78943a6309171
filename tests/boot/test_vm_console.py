"""test_vm_console.py - a person at a VM's first serial port.

The guests are one of tests/guest, which prints its topic's results and switches
itself off, and one that prints for ever.
"""
import re
import subprocess

import pytest

import tiny_guest
from machine import ENTER, PROMPT
from test_vm_bytes import GUESTS, kernel
from test_vm_commands import SCRIPTS

LEAVE = "\x1d"
RUN = 60
COUNT = 12                      # more VMs than 32 MB have room for


@pytest.fixture
def boot(qemu, build, tmp_path):
    """A machine whose VM `flags` prints some KB and ends; `flood` does not."""
    archive = tmp_path / "vms.cpio"
    folder = tmp_path / "vms"
    folder.mkdir()
    for name in ("flags", "flood"):
        (folder / f"{name}.vmx").write_text(
            f'memsize = "16"\nboot.kernel = "{name}"\n')
    (folder / "flood").write_bytes(kernel(GUESTS["flood"]))
    subprocess.run([SCRIPTS / "vms.py", archive, folder,
                    f"flags={build}/guest/flags.elf"], check=True)

    def start(append=""):
        machine = qemu(smp=2, memory="128M", append=append,
                       extra=("-initrd", str(archive)))
        machine.prompt()
        return machine
    return start


def attach(machine, name):
    machine.send(f"vm console {name}" + ENTER)
    machine.expect(r"Ctrl-\] leaves\.\r\n|printed last:\r\n")


def results(text):
    return re.findall(r"^(?:ok|FAIL|skip)\b.*$", text, re.M)


def test_ends_while_attached(boot):
    machine = boot()
    machine.command("vm start flags")
    attach(machine, "flags")
    machine.expect(r"\[flags: off\]", RUN)
    live = results(machine.before())
    machine.expect(PROMPT)
    # Nothing was missed, and it is there when all is over.
    attach(machine, "flags")
    machine.expect(r"\[flags: off\]")
    assert results(machine.before()) == live
    assert len(live) > 10
    assert "flags: off" not in "\n".join(live)


def test_leave_and_come_back(boot):
    """All of the output is there again, and then what comes."""
    machine = boot()
    machine.command("vm start flood")
    attach(machine, "flood")
    machine.expect(r"789\r\n", RUN)
    machine.send(LEAVE)
    machine.expect(r"\[flood: running for [\d:]+\]")
    machine.expect(PROMPT)
    assert "running" in "\n".join(machine.command("vm list"))
    attach(machine, "flood")
    machine.expect(r"789\r\n", RUN)
    machine.send(LEAVE)
    machine.expect(PROMPT)
    assert "VM flood was killed." in machine.command("vm kill flood")
    assert "off" in "\n".join(machine.command("vm list"))


def test_again_and_again(boot):
    """A VM that ends leaves nothing behind."""
    def machine_memory():
        lines = machine.command("mem")
        return [line for line in lines if line.startswith(
            ("free", "heap", "stacks", "buffers", "Heap", "page tables"))]

    machine = boot()
    for n in range(4):
        machine.command("vm start flags")
        attach(machine, "flags")
        machine.expect(r"\[flags: off\]", RUN)
        machine.expect(PROMPT)
        if n == 1:
            before = machine_memory()
    assert machine_memory() == before


def test_stop_start_reset(boot):
    def text(line):
        return "\n".join(machine.command(line))

    machine = boot()
    text("vm start flood")
    assert "VM flood is off." in text("vm stop flood")
    assert "is not on" in text("vm stop flood")
    text("vm start flood")
    assert "flood is on already" in text("vm start flood")
    assert "flood is on" in text("vm destroy flood")
    assert "flood is on" in text("vm set flood memsize=8")
    text("vm reset flood")
    attach(machine, "flood")
    machine.send(LEAVE)
    machine.expect(PROMPT)
    text("vm kill flood")
    assert "flood: reset, 1 since" in text("vm log flood")


def test_autostart_and_stats(boot):
    machine = boot("vm.autostart=flags")
    attach(machine, "flags")
    machine.expect(r"\[flags: off\]", RUN)
    machine.expect(PROMPT)
    text = "\n".join(machine.command("vm stats flags"))
    shares = [float(share) for share in
              re.findall(r"^.*\d\.\d{3} +([\d.]+) %$", text, re.M)]
    assert 98 <= sum(shares) <= 100.1, text
    rows = [int(row[1]) * int(row[2]) for row in re.findall(
        r"^(\w[^\n]*?) +(\d+) +(\d+) +[\d.]+ %$", text, re.M)]
    assert len(rows) > 5
    # Most expensive first, as far as means are whole numbers.
    assert all(a * 1.01 + 1000 >= b for a, b in zip(rows, rows[1:])), text


def test_out_of_memory(qemu, tmp_path):
    """As many as there is room for start; the next is refused in a line."""
    folder = tmp_path / "vms"
    folder.mkdir()
    (folder / "spin.vmx").write_text('memsize = "512"\nboot.kernel = "k"\n')
    (folder / "k").write_bytes(tiny_guest.kernel(""))
    archive = tmp_path / "vms.cpio"
    subprocess.run([SCRIPTS / "vms.py", archive, folder], check=True)
    machine = qemu(memory="32M", append="log=error",
                   extra=("-initrd", str(archive)))
    machine.prompt()

    def attempt():
        """How many start at once, and what the first that does not says."""
        for n in range(COUNT):
            text = " ".join(machine.command(f"vm start vm{n}"))
            if "runs" not in text:
                break
        for other in range(n):
            machine.command(f"vm kill vm{other}")
        return n, text

    for n in range(COUNT):
        machine.command(f"vm create vm{n} spin")
    first, text = attempt()
    assert re.search(r"vm\d+: not started: no (machine )?memory", text), text
    assert first > 0
    # All that was taken is given back.
    assert attempt()[0] == first
