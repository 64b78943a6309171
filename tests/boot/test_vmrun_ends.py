"""test_vmrun_ends.py - how a virtual machine under vmrun ends, or starts again.

The guests are those of tiny_guest.py.
"""
import pytest

from tiny_guest import HALT, POWER_OFF, RESETS, TRIPLE_FAULT, kernel
from vmrun import HALTED, LIMIT, run

RESET = 4                               # exit code with --no-reset
MANY = 2000                             # instructions: for a few resets
PORTS = 100_000_000              # for all of hostile-ports


@pytest.fixture
def vmrun(build):
    return build / "vmrun"


@pytest.fixture
def guest(tmp_path):
    """A function that makes a kernel of machine code in hex."""
    def make(code):
        path = tmp_path / "guest"
        path.write_bytes(kernel(code))
        return path
    return make


@pytest.mark.parametrize("code", RESETS.values(), ids=RESETS.keys())
def test_reset(vmrun, guest, code):
    path = guest(code)
    code, out, err = run(vmrun, "--kernel", path, "--no-reset",
                         "--max-instructions", MANY)
    assert (code, out) == (RESET, "x")
    assert err.startswith("vmrun: reset\n")
    code, out, err = run(vmrun, "--kernel", path,
                         "--max-instructions", MANY, "--stats")
    assert code == LIMIT
    assert len(out) > 2 and set(out) == {"x"}
    assert f"resets: {len(out) - 1}" in err or f"resets: {len(out)}" in err


def test_triple_fault(vmrun, guest):
    path = guest(TRIPLE_FAULT)
    code, out, err = run(vmrun, "--kernel", path, "--no-reset", "--trace")
    assert (code, out) == (RESET, "x")
    assert err.startswith("vmrun: triple fault\n")
    assert "ud2" in err.lower()         # the trace's last line
    assert "eip=00100030" in err
    code, out, _ = run(vmrun, "--kernel", path, "--max-instructions", MANY)
    assert code == LIMIT and len(out) > 2


def test_halt_without_interrupts(vmrun, guest):
    code, out, err = run(vmrun, "--kernel", guest(HALT))
    assert (code, out, err) == (HALTED, "x", "vmrun: halted\n")


def test_power_off(vmrun, guest):
    code, out, err = run(vmrun, "--kernel", guest(POWER_OFF),
                         "--max-instructions", MANY)
    assert (code, out, err) == (HALTED, "x", "vmrun: powered off\n")


def test_random_ports(vmrun, build):
    """Writing to ports has no other end than those that ports have."""
    code, out, err = run(vmrun, "--kernel", build / "guest/hostile-ports.elf",
                         "--no-reset", "--max-instructions", PORTS)
    assert code == RESET, err
    assert "done: 1 passed, 0 failed" in out
