"""test_vmrun_ends.py - how a virtual machine under vmrun ends, or starts again.

The guests are a few bytes of machine code behind a Multiboot header: they write
an x to COM1 and then do what the test is about.
"""
import struct

import pytest

from vmrun import HALTED, LIMIT, run

MAGIC, PLAIN = 0x1BADB002, 0x10000      # Multiboot 3.1.2
LOAD = 0x100000
RESET = 4                               # exit code with --no-reset
MANY = 2000                             # instructions: for a few resets

WRITE_X = bytes.fromhex("ba fb030000 b0 03 ee"      # LCR: 8 bits
                        "ba f8030000 b0 78 ee")     # THR
WAIT = bytes.fromhex("eb fe")                       # jmp .

RESETS = {
    "keyboard controller": "b0 fe e6 64",
    "port 92": "b0 01 e6 92",
    "port CF9": "ba f90c0000 b0 06 ee",
}


@pytest.fixture
def vmrun(build):
    return build / "vmrun"


@pytest.fixture
def guest(tmp_path):
    """A function that makes a kernel of machine code in hex."""
    def make(code):
        header = struct.pack("<3I", MAGIC, PLAIN, -(MAGIC + PLAIN) % 2**32)
        start = LOAD + 32
        image = header + struct.pack("<5I", LOAD, LOAD, 0, 0, start) + \
            WRITE_X + bytes.fromhex(code) + WAIT
        path = tmp_path / "guest"
        path.write_bytes(image)
        return path
    return make


@pytest.mark.parametrize("code", RESETS.values(), ids=RESETS.keys())
def test_reset(vmrun, guest, code):
    kernel = guest(code)
    code, out, err = run(vmrun, "--kernel", kernel, "--no-reset",
                         "--max-instructions", MANY)
    assert (code, out) == (RESET, "x")
    assert err.startswith("vmrun: reset\n")
    code, out, err = run(vmrun, "--kernel", kernel,
                         "--max-instructions", MANY, "--stats")
    assert code == LIMIT
    assert len(out) > 2 and set(out) == {"x"}
    assert f"resets: {len(out) - 1}" in err or f"resets: {len(out)}" in err


def test_triple_fault(vmrun, guest):
    kernel = guest("0f 0b")             # UD2, and no IDT
    code, out, err = run(vmrun, "--kernel", kernel, "--no-reset", "--trace")
    assert (code, out) == (RESET, "x")
    assert err.startswith("vmrun: triple fault\n")
    assert "ud2" in err.lower()         # the trace's last line
    assert "eip=00100030" in err
    code, out, _ = run(vmrun, "--kernel", kernel, "--max-instructions", MANY)
    assert code == LIMIT and len(out) > 2


def test_halt_without_interrupts(vmrun, guest):
    code, out, err = run(vmrun, "--kernel", guest("fa f4"))
    assert (code, out, err) == (HALTED, "x", "vmrun: halted\n")


def test_power_off(vmrun, guest):
    """Sleep type 0 (soft off) by the power function, once it has its ports."""
    enable = ("ba f80c0000 b8 403b0080 ef"      # config address: 7.3 at 40h
              "ba fc0c0000 b8 01400000 ef"      # its ports are at 4000h
              "ba f80c0000 b8 803b0080 ef"      # at 80h: enable them
              "ba fc0c0000 b0 01 ee")
    code, out, err = run(vmrun, "--kernel",
                         guest(enable + "ba 04400000 66b8 0020 66ef"),
                         "--max-instructions", MANY)
    assert (code, out, err) == (HALTED, "x", "vmrun: powered off\n")
