"""vms.py - VMs under Socle, and the person who types `vm ...` at its console.

    debian = Vm(machine, "debian")
    debian.start()
    debian.attach()
    debian.type("uname -r")
    ...
    debian.detach()

`make_archive` makes what Socle finds VMs in.  Timeouts are for an emulator that
shares its processor.
"""
import pathlib
import re
import subprocess
import time

from machine import COMMAND_TIMEOUT, ENTER, PROMPT, TIMEOUT_SCALE, plain

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"
DETACH = "\x1d"                 # Ctrl-]
START_TIMEOUT = 30
POLL_SECONDS = 0.3


def make_archive(out, *words):
    """An archive of VMs from folders and NAME=FILE, as scripts/vms.py says."""
    subprocess.run([SCRIPTS / "vms.py", out, *map(str, words)], check=True)
    return out


def boot(start, *archives, append="", **options):
    """A Machine by START, one of conftest's, with VMs; at its prompt."""
    machine = start(append=append, extra=(
        "-initrd", ",".join(str(path.resolve()) for path in archives)),
        **options)
    machine.prompt()
    return machine


def free_mb(machine):
    """Machine memory that nobody has."""
    text = "\n".join(machine.command("mem"))
    match = re.search(r"^Machine memory: \d+ MB, of which (\d+) MB are free",
                      text, re.M)
    assert match, text
    return int(match[1])


class Vm:
    """A VM that MACHINE's console knows as NAME."""

    def __init__(self, machine, name):
        self.machine, self.name = machine, name

    def do(self, verb, timeout=COMMAND_TIMEOUT):
        """The text that `vm VERB NAME` prints.

        A log line may come at any time, and the prompt is shown again then.
        """
        line = f"vm {verb} {self.name}"
        self.machine.send(line + ENTER)
        self.machine.expect(re.escape(line) + r"\r*\n", timeout)
        self.machine.expect(PROMPT, timeout)
        return self.machine.before()

    def start(self):
        text = self.do("start", START_TIMEOUT)
        assert f"VM {self.name} runs" in text, text

    def state(self):
        """As `vm list` says: "off", "running for ...", "crashed: ..."."""
        text = self.do("info")
        match = re.search(r"^State: +(.*(?:\n {10}.+)*)", text, re.M)
        assert match, text
        return re.sub(r"\s+", " ", match[1])

    def is_on(self):
        return re.match(r"starting|running|stopping", self.state()) is not None

    def wait_off(self, timeout):
        """Wait until the VM has ended; return how it did."""
        deadline = time.monotonic() + timeout * TIMEOUT_SCALE
        while self.is_on():
            assert time.monotonic() < deadline, \
                f"VM {self.name} goes on:\n{self.machine.tail()}"
            time.sleep(POLL_SECONDS)
        return self.state()

    def resets(self):
        match = re.search(r"^Resets: +(\d+)", self.do("info"), re.M)
        return int(match[1]) if match else 0

    def share(self, row):
        """Of the time not halted, in percent, the part of ROW in `vm stats`."""
        text = self.do("stats")
        match = re.search(rf"^{row} +[\d.]+ +([\d.]+) %", text, re.M)
        assert match, text
        return float(match[1])

    # --- The first serial port -----------------------------------------------

    def output(self):
        """What an ended VM has printed, as text."""
        text = self.do("console", START_TIMEOUT)
        assert "is off; this it printed last" in text, text
        return text

    def attach(self):
        self.machine.send(f"vm console {self.name}{ENTER}")
        self.machine.expect(r"Ctrl-\] leaves\.\r?\n")

    def detach(self):
        self.machine.send(DETACH)
        self.machine.expect(PROMPT)

    def expect(self, pattern, timeout):
        """Wait for PATTERN; return what came before it, in plain text."""
        self.machine.expect(pattern, timeout)
        return self.machine.before()

    def type(self, line, prompt, timeout):
        """Type LINE at the guest's shell; return the lines of its output."""
        self.machine.send(line + "\r")
        self.machine.expect(re.escape(line) + r"\r*\n", timeout)
        self.machine.expect(prompt, timeout)
        return plain(self.machine.before()).splitlines()
