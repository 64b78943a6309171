"""test_vm_console.py - a person at a VM's first serial port.

The guests are those of tests/guest: each prints its topic's results and
switches itself off.
"""
import re
import subprocess

import pytest

from machine import ENTER, PROMPT
from test_vm_commands import SCRIPTS

LEAVE = "\x1d"
RUN = 60
COUNT = 12                      # more VMs than 32 MB have room for


@pytest.fixture
def boot(qemu, build, tmp_path):
    """A machine whose VM `flags` prints some KB and ends, `all` much more."""
    archive = tmp_path / "vms.cpio"
    folder = tmp_path / "vms"
    folder.mkdir()
    for name in ("flags", "all"):
        (folder / f"{name}.vmx").write_text(
            f'memsize = "16"\nboot.kernel = "{name}.elf"\n')
    subprocess.run([SCRIPTS / "vms.py", archive, folder] +
                   [f"{name}.elf={build}/guest/{name}.elf"
                    for name in ("flags", "all")], check=True)

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
    machine.command("vm start all")
    attach(machine, "all")
    machine.expect(r"\nok .*\r\n", RUN)
    machine.send(LEAVE)
    machine.expect(r"\[all: running for [\d:]+\]")
    machine.expect(PROMPT)
    assert "running" in "\n".join(machine.command("vm list"))
    attach(machine, "all")
    machine.expect(r"\r\n", RUN)
    machine.send(LEAVE)
    machine.expect(PROMPT)
    assert machine.command("vm kill all")[-1] == "VM all was killed."
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
    machine = boot()
    machine.command("vm start all")
    assert machine.command("vm stop all")[-1] == "VM all is off."
    assert "is not on" in machine.command("vm stop all")[0]
    machine.command("vm start all")
    assert "all is on already" in machine.command("vm start all")[0]
    assert "all is on" in machine.command("vm destroy all")[0]
    assert "all is on" in machine.command("vm set all memsize=8")[0]
    machine.command("vm reset all")
    attach(machine, "all")
    machine.send(LEAVE)
    machine.expect(PROMPT)
    machine.command("vm kill all")
    assert "all: reset, 1 since" in "\n".join(machine.command("vm log all"))


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


def test_out_of_memory(qemu, build, tmp_path):
    """As many as there is room for start; the next is refused in a line."""
    folder = tmp_path / "vms"
    folder.mkdir()
    (folder / "all.vmx").write_text(
        'memsize = "512"\nboot.kernel = "all.elf"\nvm.engine = "interp"\n')
    archive = tmp_path / "vms.cpio"
    subprocess.run([SCRIPTS / "vms.py", archive, folder,
                    f"all.elf={build}/guest/all.elf"], check=True)
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
        machine.command(f"vm create vm{n} all")
    first, text = attempt()
    assert re.search(r"vm\d+: not started: no (machine )?memory", text), text
    assert first > 0
    # All that was taken is given back.
    assert attempt()[0] == first
