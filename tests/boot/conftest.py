"""conftest.py - what pytest hands to the boot tests.

    def test_something(qemu):
        machine = qemu(memory="64M", smp=2)     # see qemu.py for the rest
        machine.prompt()
        assert machine.command("version")[0].startswith("Socle")

`qemu` boots vmkernel.elf directly, `qemu_debug` the one with the expensive
checks, `qemu_iso` and `bochs` boot the ISO; each may be called several times.
Machines are switched off after the test, and what they printed stays in
BUILD/boot-logs/<test>.log.
"""
import pathlib
import re

import pytest

from bochs import Bochs
from qemu import Qemu


def pytest_addoption(parser):
    parser.addoption("--build", default="build",
                     help="folder with vmkernel.elf and socle.iso")


@pytest.fixture
def build(request):
    return pathlib.Path(request.config.getoption("--build"))


@pytest.fixture
def elf(build):
    return build / "vmkernel.elf"


@pytest.fixture
def debug_elf(build):
    debug = build / "debug" / "vmkernel.elf"
    return debug if debug.exists() else build / "vmkernel.elf"


@pytest.fixture
def machines(build, request):
    """A function that starts any Machine with its log in the right place."""
    started = []
    name = re.sub(r"[^\w.-]+", "_", request.node.name).strip("_")

    def start(kind, *args, **options):
        number = f"-{len(started) + 1}" if started else ""
        log = (build / "boot-logs" / f"{name}{number}.log").resolve()
        log.parent.mkdir(exist_ok=True)
        machine = kind(log, *args, **options)
        started.append(machine)
        return machine

    yield start
    for machine in started:
        machine.close()


@pytest.fixture
def qemu(machines, elf):
    return lambda **options: machines(Qemu, kernel=elf, **options)


@pytest.fixture
def qemu_debug(machines, debug_elf):
    return lambda **options: machines(Qemu, kernel=debug_elf, **options)


@pytest.fixture
def qemu_iso(machines, build):
    return lambda **options: machines(Qemu, iso=build / "socle.iso",
                                      **options)


@pytest.fixture
def bochs(machines, build):
    return lambda **options: machines(Bochs, build / "socle.iso", **options)
