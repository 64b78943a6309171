"""test_vm_bytes.py - what passes between a person and a VM's serial port.

The guests are a few instructions each, assembled here: Multiboot kernels with
the addresses in the header.
"""
import re
import struct
import subprocess
import threading

import pytest

from machine import ENTER, PROMPT
from test_vm_commands import SCRIPTS

BASE = 0x100000
MAGIC, ADDRESSES = 0x1BADB002, 0x10000
LEAVE = "\x1d"
WAIT = 20

# 115200 baud, 8 bits: nothing goes out before the divisor is set.
SET_UP = b"".join(b"\x66\xba" + struct.pack("<H", port) + b"\xb0" +
                  bytes([value]) + b"\xee"     # mov dx, PORT; mov al, VALUE
                  for port, value in ((0x3FB, 0x83), (0x3F8, 1), (0x3F9, 0),
                                      (0x3FB, 3)))
# Send AL: wait until the transmitter is empty.
SEND = bytes.fromhex("88c3"             # mov bl, al
                     "66bafd03"         # mov dx, 3fdh
                     "ec" "a820" "74fb"     # in al, dx; test al, 20h; jz -5
                     "66baf803"         # mov dx, 3f8h
                     "88d8" "ee")       # mov al, bl; out dx, al
# Wait for a byte: AL.
RECEIVE = bytes.fromhex("66bafd03" "ec" "a801" "74fb"
                        "66baf803" "ec")
HALT = bytes.fromhex("faf4")            # cli; hlt


def jump_back(code):
    """JMP to the beginning of CODE."""
    return code + b"\xe9" + struct.pack("<i", -len(code) - 5)


def echo():
    """Say >, then send back what comes; halt after a `q`."""
    return b"\xb0>" + SEND + jump_back(
        RECEIVE + bytes.fromhex("3c717502") + HALT + SEND)


def reset():
    """Say R, and reset the PC by its keyboard controller."""
    return b"\xb0R" + SEND + bytes.fromhex("b0fee664" "ebfe")


def flood():
    """Say the digits again and again."""
    return jump_back(b"".join(b"\xb0" + struct.pack("B", digit) + SEND
                              for digit in b"0123456789\r\n"))


def kernel(code):
    code = SET_UP + code
    size = 32 + len(code)
    return struct.pack("<8I", MAGIC, ADDRESSES, -(MAGIC + ADDRESSES) % 2**32,
                       BASE, BASE, BASE + size, BASE + size, BASE + 32) + code


GUESTS = {"echo": echo(), "reset": reset(), "flood": flood()}


@pytest.fixture
def machine(qemu, tmp_path):
    archive, folder = tmp_path / "vms.cpio", tmp_path / "vms"
    folder.mkdir()
    for name, code in GUESTS.items():
        (folder / f"{name}.vmx").write_text(
            f'memsize = "4"\nboot.kernel = "{name}"\n')
        (folder / name).write_bytes(kernel(code))
    subprocess.run([SCRIPTS / "vms.py", archive, folder], check=True)
    machine = qemu(smp=2, append="log=warn",
                   extra=("-initrd", str(archive)))
    machine.prompt()
    return machine


def attach(machine, name):
    machine.send(f"vm console {name}" + ENTER)
    machine.expect(r"Ctrl-\] leaves\.\r\n")


def leave(machine):
    machine.send(LEAVE)
    machine.expect(PROMPT)


def test_all_bytes(machine):
    """Both ways; alone a newline is shown as on any terminal."""
    machine.command("vm start echo")
    attach(machine, "echo")
    machine.expect(">", WAIT)
    data = "".join(chr(byte) for byte in range(256)
                   if chr(byte) not in "q\n\x1d")
    machine.send(data + "\n.")
    machine.expect(re.escape(data + "\r\n."), WAIT)
    machine.send("q")
    machine.expect(r"\[echo: halted\]", WAIT)
    machine.expect(PROMPT)


def test_paste(machine):
    """More than any buffer on the way holds; nothing is lost."""
    machine.command("vm start echo")
    attach(machine, "echo")
    machine.expect(">", WAIT)
    lines = [f"{n:05} abcdefghijklmnopr" for n in range(1000)]
    feeder = threading.Thread(
        target=lambda: machine.connection.sendall(
            "".join(line + "\r" for line in lines).encode()), daemon=True)
    feeder.start()
    machine.expect(lines[-1] + "\r", 2 * WAIT)
    feeder.join()
    assert (machine.before() + lines[-1]).replace("\n", "") == "".join(lines)
    leave(machine)


def test_typing_ahead_goes_to_the_shell(machine):
    """What is typed behind Ctrl-] is a command."""
    machine.command("vm start echo")
    attach(machine, "echo")
    machine.expect(">", WAIT)
    machine.send("abc" + LEAVE + "echo marker" + ENTER)
    machine.expect(r"\nmarker\r\n")
    machine.expect(PROMPT)
    # Input that came while nobody was attached to see the echo.
    attach(machine, "echo")
    machine.expect("abc")
    leave(machine)
    machine.command("vm kill echo")


def test_kept_output_has_an_end(machine):
    """64 KB are kept; who comes later sees the newest, in order."""
    machine.command("vm start flood")
    attach(machine, "flood")
    for _ in range(8000):
        machine.expect("0123456789\r\n", WAIT)
    leave(machine)
    machine.command("vm kill flood")
    machine.send("vm console flood" + ENTER)
    machine.expect(r"printed last:\r\n")
    machine.expect(r"\[flood: off\]")
    text = machine.before()
    assert 65000 < len(text.replace("\n", "\r\n")) < 66000
    lines = [line for line in text.split("\n") if line]
    assert set(lines[1:-1]) == {"0123456789"}


def test_resets_all_the_time(machine):
    """The console outlives resets; the log is not flooded; it can be ended."""
    machine.command("vm start reset")
    attach(machine, "reset")
    machine.expect("R{10}", WAIT)
    leave(machine)
    assert re.search("^reset .*(running|starting)", "\n".join(
        machine.command("vm list")), re.M)
    resets = int(re.search(r"Resets: +(\d+)", "\n".join(
        machine.command("vm info reset")))[1])
    assert resets >= 9
    machine.command("vm kill reset")
    assert "off" in "\n".join(machine.command("vm info reset"))
    assert len(machine.command("vm log reset")) < max(resets, 10)


def test_killed_as_a_world(machine):
    """`kill` of the VM's world is as good."""
    machine.command("vm start flood")
    world = re.search(r"^ *(\d+) vm:flood", "\n".join(
        machine.command("worlds")), re.M)[1]
    machine.command(f"kill {world}")
    attach_or_off = machine.command("vm list")
    machine.command("echo")
    assert any(line.startswith("flood") for line in attach_or_off)
    machine.send("vm console flood" + ENTER)
    machine.expect(r"\[flood: off\]", WAIT)
    machine.expect(PROMPT)
    assert "runs" in "\n".join(machine.command("vm start flood"))
    machine.command("vm kill flood")
