"""vmrun.py - a virtual machine under build/vmrun, and the person at it.

COM1 is the process's terminal, so pexpect drives it directly.  What the guest
says goes to BUILD/boot-logs.  Timeouts are for a processor that is shared.
"""
import re
import subprocess

import pexpect

from machine import TAIL_LINES, TIMEOUT_SCALE, plain

PROMPT = r"guest# (?:\x1b\[6n)?"
BOOT_TIMEOUT = 600
COMMAND_TIMEOUT = 60
HALTED, LIMIT = 0, 3            # exit codes


class Vmrun:
    """A running machine; OPTIONS are vmrun's."""

    def __init__(self, log_path, binary, *options):
        self.log_path = log_path
        self.log = open(log_path, "w", encoding="latin-1", newline="")
        self.process = pexpect.spawn(
            str(binary), [str(o) for o in options], encoding="latin-1",
            echo=False, timeout=None)
        self.process.logfile_read = self.log

    def expect(self, pattern, timeout=COMMAND_TIMEOUT):
        """Wait for PATTERN; return what came before it, in plain text."""
        try:
            self.process.expect(pattern, timeout * TIMEOUT_SCALE)
        except (pexpect.TIMEOUT, pexpect.EOF):
            text = plain(self.process.before or "").splitlines()
            raise AssertionError(
                f"no {pattern!r}; log {self.log_path}; it ends:\n" +
                "\n".join(text[-TAIL_LINES:])) from None
        return plain(self.process.before)

    def command(self, line):
        """Type LINE at the shell; return the lines of its output."""
        self.process.send(line + "\r")
        self.expect(re.escape(line) + r"\r*\n")
        return self.expect(PROMPT).splitlines()

    def end(self):
        """Wait for the process to end; return (exit code, its last words)."""
        words = self.expect(pexpect.EOF)
        self.process.close()
        return self.process.exitstatus, words

    def close(self):
        self.process.close(force=True)
        self.log.close()


def run(binary, *options):
    """Run without a terminal to the end; return (exit code, out, err)."""
    done = subprocess.run([str(binary), *map(str, options)],
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=BOOT_TIMEOUT * TIMEOUT_SCALE, check=False)
    return (done.returncode, done.stdout.decode("latin-1"),
            done.stderr.decode("latin-1"))
