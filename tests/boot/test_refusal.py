"""test_refusal.py - where something required is missing, Socle says so."""
import pytest


@pytest.mark.parametrize("cpu,missing", [("486", "TSC"), ("pentium", "PAE")])
def test_old_processor(qemu, cpu, missing):
    machine = qemu(cpu=cpu)
    machine.expect(f"{missing}.*required")
    machine.wait_screen(f"{missing}.*required")


def test_old_processor_iso(qemu_iso):
    qemu_iso(cpu="pentium").expect("PAE.*required")


@pytest.mark.parametrize("memory", ["4M", "8M"])
def test_too_little_memory(qemu, memory):
    qemu(memory=memory).expect("(?i)memory")


@pytest.mark.parametrize("append,wanted", [
    ("gugus=1", "gugus"),
    ("gugus", "gugus"),
    ("log=gugus", "gugus"),
    ("console=", "console"),
    ("vmm.sandbox=gugus", "gugus"),
    pytest.param("x" * 2000, "xxx", id="long"),
])
def test_wrong_option_is_reported(qemu, append, wanted):
    """It is named in the boot log, and the machine starts all the same."""
    machine = qemu(append=append)
    log = machine.prompt()
    assert wanted in log.partition("sandbox:")[0], log
    assert machine.command("version")
