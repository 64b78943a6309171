"""test_guest.py - what a PC does, asked of vmrun, QEMU and Bochs.

The programs of tests/guest/topics know the answers from the manual.  vmrun has
to give all of them; what the emulators are known to do differently is listed in
guest_deviations.py, and has to be different, so that the list stays short.
Programs leave out what would end or hang QEMU if they are told "gentle".
"""
import pathlib
import re

import pytest

from bochs import Bochs
from guest_deviations import BOCHS, BOCHS_SOMETIMES, TCG, TCG_SOMETIMES
from vmrun import HALTED, run

TOPICS = sorted(path.stem for path in (
    pathlib.Path(__file__).parents[1] / "guest" / "topics").glob("*.c"))
MANY = 200_000_000              # instructions, if a program hangs
BOCHS_TIMEOUT = 240
RESULT = re.compile(r"^(ok|FAIL|skip) (\w+): (.*?)(?:: got .*)?$", re.M)
DONE = re.compile(r"^done: (\d+) passed, (\d+) failed$", re.M)


class Results:
    """What a program said: the names that are ok, FAIL, skip, by topic."""

    def __init__(self, text):
        self.text = text.replace("\r", "")
        self.found = RESULT.findall(self.text)
        done = DONE.findall(self.text)
        assert len(done) == 1, f"it did not come to its end:\n{self.text}"
        names = [name for _, *name in self.found]
        twice = [name for name in names if names.count(name) > 1]
        assert not twice, f"names are not unique: {twice}"
        assert len(names) > 0
        assert tuple(map(int, done[0])) == (self.count("ok"),
                                            self.count("FAIL"))

    def count(self, kind):
        return sum(found[0] == kind for found in self.found)

    def check(self, deviations, sometimes=None):
        """Fails exactly what is in DEVIATIONS: {topic: {name: reason}}.

        Of SOMETIMES, which is like it, anything may fail.
        """
        failed = {f"{topic}: {name}" for kind, topic, name in self.found
                  if kind == "FAIL"} - names_of(sometimes or {})
        known = names_of(deviations)
        lines = "\n".join(line for line in self.text.split("\n")
                          if line.startswith("FAIL"))
        assert not failed - known, f"wrong:\n{lines}"
        assert not known - failed, f"right by now: {known - failed}"


def names_of(deviations):
    return {f"{topic}: {name}" for topic, names in deviations.items()
            for name in names}


@pytest.fixture
def programs(build):
    return build / "guest"


@pytest.mark.parametrize("topic", TOPICS)
def test_vmrun(build, programs, topic):
    code, out, err = run(build / "vmrun", "--kernel",
                         programs / f"{topic}.elf", "--no-reset",
                         "--max-instructions", MANY)
    assert (code, err) == (HALTED, "vmrun: powered off\n"), out
    results = Results(out)
    results.check({})
    assert results.count("skip") == 0


@pytest.mark.parametrize("topic", TOPICS)
def test_qemu(programs, topic):
    code, out, err = run(
        "qemu-system-i386", "-cpu", "max", "-m", "64", "-no-reboot",
        "-display", "none", "-serial", "stdio", "-serial", "null",
        "-append", "gentle",
        "-kernel", programs / f"{topic}.elf")
    assert code == 0, err
    Results(out).check({topic: TCG.get(topic, {})}, TCG_SOMETIMES)


def test_bochs(machines, programs):
    """All in one, from a CD."""
    machine = machines(Bochs, programs / "all.iso", memory=64)
    machine.expect(r"done: \d+ passed, \d+ failed\r?\n", BOCHS_TIMEOUT)
    results = Results(machine.before() + machine.console.match[0])
    results.check(BOCHS, BOCHS_SOMETIMES)
    assert [name for kind, _, name in results.found if kind == "skip"] == \
        ["backdoor"]            # a hypervisor has it
    assert {topic for _, topic, _ in results.found} == set(TOPICS)
