"""test_changing.py - a program that changes its own code in many ways."""
import pathlib
import subprocess

import pytest

from guest import INTERP, LARGE, PLAIN, SMALL, TINY

SOURCE = pathlib.Path(__file__).parent / "guests" / "changing.c"
MANY = "50000"                  # of each kind


@pytest.fixture(scope="module")
def changing(guests):
    program = guests.build / "changing"
    subprocess.run(["gcc", "-m32", "-std=gnu11", "-O2", "-static", "-no-pie",
                    "-fno-pie", "-Wall", "-Wextra", "-Werror", SOURCE,
                    "-o", program], check=True)
    return program


@pytest.mark.parametrize("way", [PLAIN, TINY, SMALL, LARGE, INTERP],
                         ids=["plain", "tiny", "small", "large", "interp"])
def test_changing_code(guests, changing, way):
    guests.same(way, [changing])


def test_work_is_bounded(guests, changing):
    """What is translated again and again ends in something cheaper."""
    done = guests.run(("--stats",), [changing, MANY])
    assert done.stdout == guests.run(None, [changing, MANY]).stdout
    numbers = [int(word) for line in done.stderr.decode().splitlines()
               if "instructions in" in line
               for word in line.split() if word.isdigit()]
    # Each of MANY is some thirty calls, most of them of new or changed code.
    assert numbers[0] < 60 * int(MANY)
