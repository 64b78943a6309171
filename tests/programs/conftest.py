"""conftest.py - what pytest hands to the tests of btrun.

    def test_something(guests, way, text):
        guests.same(way, guests.applet("wc"), input=text(10000))

`way` is "plain" and "stress" in turn, as btrun's options.  With --long, tests
that are marked so run too, and the rest with the large inputs.
"""
import pathlib
import random

import pytest

from guest import Guests

SOURCES = ("bt/*.[ch]", "kernel/*.c", "kernel/base/*.h", "mm/*.c", "sched/*.c")
VARIED = 5                      # one line of so many


def pytest_addoption(parser):
    parser.addoption("--build", default="build",
                     help="folder with btrun, programs/ and i386/")
    parser.addoption("--long", action="store_true",
                     help="tens of megabytes under --stress, too")


@pytest.fixture(scope="session")
def guests(request):
    found = Guests(request.config.getoption("--build"))
    applets = found.root / "applets"
    applets.mkdir(exist_ok=True)
    for name in found.run(None, [found.busybox, "--list"]).stdout.split():
        link = applets / name.decode()
        if not link.is_symlink():
            link.symlink_to("../bin/busybox")
    return found


@pytest.fixture(scope="session")
def is_long(request):
    return request.config.getoption("--long")


@pytest.fixture(scope="session")
def lines():
    """The project's own sources: real text, with repetitions and comments."""
    top = pathlib.Path(__file__).resolve().parents[2]
    return [line for pattern in SOURCES for path in sorted(top.glob(pattern))
            for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def text(lines):
    """A function that makes SIZE bytes of text, always the same."""
    def make(size):
        numbers = random.Random(size)
        made = []
        while size > 0:
            line = lines[numbers.randrange(len(lines))]
            if numbers.randrange(VARIED) == 0:
                line += f" {numbers.getrandbits(32):x}"
            made.append(line[:size - 1] + "\n")
            size -= len(made[-1])
        return "".join(made).encode("ascii", "replace")
    return make
