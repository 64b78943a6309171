"""test_refusal.py - where something required is missing, Socle says so."""
import pytest


@pytest.mark.parametrize("cpu", ["486", "pentium"])
def test_no_pae(qemu, cpu):
    machine = qemu(cpu=cpu)
    machine.expect("PAE")
    machine.wait_screen("PAE")


def test_no_pae_iso(qemu_iso):
    qemu_iso(cpu="pentium").expect("PAE")


@pytest.mark.parametrize("memory", ["4M", "8M"])
def test_too_little_memory(qemu, memory):
    qemu(memory=memory).expect("(?i)memory")


@pytest.mark.parametrize("append,wanted", [
    ("gugus=1", "gugus"),
    ("gugus", "gugus"),
    ("log=gugus", "gugus"),
    ("console=", "console"),
    ("vmm.sandbox=gugus", "gugus"),
    ("x" * 2000, "xxx"),
])
def test_wrong_option_is_reported(qemu, append, wanted):
    """It is named in the boot log, and the machine starts all the same."""
    machine = qemu(append=append)
    log = machine.prompt()
    assert wanted in log.partition("sandbox:")[0], log
    assert machine.command("version")
