"""machine.py - an emulated computer, and the person at its serial console.

A Machine is a running emulator process whose COM1 is connected to a socket
of ours.  The subclasses (qemu.py, bochs.py) know how to start theirs; here is
what a person can do: wait for text, type a line, paste, pull the plug.

Everything that Socle prints goes into the log file, byte for byte.  Nothing
here sleeps for luck: each step waits for what it needs, at most TIMEOUT_SCALE
times the seconds given, and says what it saw instead if that never comes.  The
seconds are what a quiet computer needs with something to spare; the scale is
for one that is slow and has other things to do.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import pexpect
from pexpect import fdpexpect

# More than a busy computer needs; who waits for failures sets it to 1.
TIMEOUT_SCALE = float(os.environ.get("TIMEOUT_SCALE", "6"))
START_TIMEOUT = 20              # emulator started, COM1 connected
BOOT_TIMEOUT = 60               # firmware, loader, VMkernel, prompt
COMMAND_TIMEOUT = 20
EXIT_TIMEOUT = 20

# In column 0; \A is just behind what was matched before, a newline.
PROMPT = r"(?:\A|[\r\n])socle> "
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[@-Z\\-_])")
# How GRUB clears the screen before it starts what it has loaded.
GRUB_DONE = "\x1b[H\x1b[J\x1b[1;1H"
TAIL_LINES = 25                 # how much of the console a failure shows

CTRL_C, TAB, ENTER, BACKSPACE = "\x03", "\t", "\r", "\x7f"
UP, DOWN, RIGHT, LEFT = "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"
LINE_RATE = 115200 // 10        # bytes per second of the serial line, 8N1
ECHO_WIDTH = 60                 # a longer line is not shown in one piece


def plain(text):
    """TEXT without escape sequences and carriage returns."""
    return ESCAPE.sub("", text).replace("\r", "")


class Machine:
    """Base class; subclasses fill in command_line() and listen()."""

    def __init__(self, log_path):
        self.log_path = log_path
        self.folder = tempfile.mkdtemp(prefix="socle-")
        self.boot_log = ""
        self.process = self.connection = None
        self.log = open(log_path, "w", encoding="latin-1", newline="")
        listener = self.listen()
        try:
            self.start(listener)
        except BaseException:
            self.close()
            raise
        finally:
            listener.close()
        self.console = fdpexpect.fdspawn(self.connection.fileno(),
                                         encoding="latin-1", timeout=None)
        self.console.logfile_read = self.log

    def listen(self):
        """A listening socket for COM1."""
        raise NotImplementedError

    def command_line(self):
        raise NotImplementedError

    def start(self, listener):
        with open(f"{self.log_path}.emulator", "wb") as output:
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, cwd=self.folder)
        listener.settimeout(0.2)
        deadline = time.monotonic() + START_TIMEOUT * TIMEOUT_SCALE
        while self.connection is None:
            try:
                self.connection, _ = listener.accept()
            except TimeoutError:
                dead = self.process.poll() is not None
                if dead or time.monotonic() > deadline:
                    raise AssertionError("the emulator did not start: see "
                                         f"{self.log_path}.emulator") from None
        self.connection.setblocking(True)

    # --- Reading -------------------------------------------------------------

    def expect(self, pattern, timeout=COMMAND_TIMEOUT):
        """Wait for the regular expression PATTERN; return its match."""
        return self.expect_any([pattern], timeout)[1]

    def expect_any(self, patterns, timeout=COMMAND_TIMEOUT):
        """Wait for one of PATTERNS; return (index, match)."""
        try:
            index = self.console.expect(patterns, timeout * TIMEOUT_SCALE)
        except (pexpect.TIMEOUT, pexpect.EOF, OSError) as error:
            what = ("in time" if isinstance(error, pexpect.TIMEOUT)
                    else "before the machine went off")
            raise AssertionError(
                f"no {' or '.join(map(repr, patterns))} {what}; "
                f"log {self.log_path}; it ends:\n{self.tail()}") from None
        return index, self.console.match

    def tail(self):
        self.log.flush()
        with open(self.log_path, encoding="latin-1") as log:
            return "\n".join(plain(log.read()).splitlines()[-TAIL_LINES:])

    def before(self):
        """What came before the last match, without escape sequences."""
        return plain(self.console.before)

    def prompt(self, timeout=BOOT_TIMEOUT):
        """Wait for the first prompt; return (and keep) the boot messages."""
        self.expect(PROMPT, timeout)
        self.boot_log = plain(self.console.before.rpartition(GRUB_DONE)[2])
        return self.boot_log

    # --- Typing --------------------------------------------------------------

    def send(self, text):
        self.console.send(text)

    def command(self, line, timeout=COMMAND_TIMEOUT):
        """Type LINE at the prompt; return the lines it printed.

        While it is typed the log may speak, and the prompt is shown again.
        """
        self.send(line + ENTER)
        echo = re.escape(line) if len(line) <= ECHO_WIDTH else ""
        self.expect(echo + r"\r*\n", timeout)
        self.expect(PROMPT, timeout)
        return [text for text in self.before().split("\n") if text.strip()]

    def paste(self, text, rate=LINE_RATE):
        """Send TEXT at RATE bytes a second while the caller reads."""
        def feed():
            start, sent, data = time.monotonic(), 0, text.encode("latin-1")
            while sent < len(data):
                due = int((time.monotonic() - start) * rate) + 1
                self.connection.sendall(data[sent:due])
                sent = max(sent, due)
                time.sleep(0.005)
        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        return feeder

    # --- The machine itself --------------------------------------------------

    def wait_exit(self, timeout=EXIT_TIMEOUT):
        """Wait until the machine is off; return the emulator's exit code."""
        try:
            self.console.expect(pexpect.EOF, timeout * TIMEOUT_SCALE)
        except OSError:
            pass                # the other end went away: same thing
        except pexpect.TIMEOUT:
            raise AssertionError("the machine stayed on; the log ends:\n"
                                 + self.tail()) from None
        return self.process.wait(timeout * TIMEOUT_SCALE)

    def cpu_seconds(self):
        """Processor time that the emulator has used, all threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        utime, stime = int(fields[11]), int(fields[12])
        return (utime + stime) / os.sysconf("SC_CLK_TCK")

    def cpu_share(self, seconds):
        """Share of one processor that the emulator uses over SECONDS."""
        before, start = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / (time.monotonic() - start)

    def resident_mb(self):
        """Memory of the build machine that the emulator occupies."""
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.connection is not None:
            self.connection.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
