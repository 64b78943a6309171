"""qemu.py - a Machine in QEMU.

Besides COM1 there is QMP, QEMU's control socket, for what a person does with
the hardware: look at the screen, press keys on the keyboard, push the power
button, and feel whether the processors are warm.

With icount=EXACT time is instructions, and waiting takes none: how busy the
host is cannot be seen.  That is for one processor: several run in turns that
may end, each time, while the same lock is held, and who waits for it then never
gets it.
"""
import json
import os
import re
import socket
import time

from machine import Machine, START_TIMEOUT, TIMEOUT_SCALE

VGA_TEXT = 0xB8000
VGA_COLUMNS, VGA_ROWS = 80, 25
CRTC_INDEX, CRTC_DATA = 0x3D4, 0x3D5
CRTC_START_HIGH, CRTC_START_LOW = 0x0C, 0x0D

EXACT = "shift=0,sleep=off"     # one instruction, one nanosecond

KEY_HOLD_MS = 20
KEY_NAMES = {" ": "spc", "\r": "ret", "\t": "tab", "\x7f": "backspace",
             "-": "minus", "=": "equal", ".": "dot", ",": "comma",
             "/": "slash", ";": "semicolon", "_": "shift-minus",
             "\x03": "ctrl-c", "\x1b[A": "up", "\x1b[B": "down"}


def key_name(char):
    if char in KEY_NAMES:
        return KEY_NAMES[char]
    return f"shift-{char.lower()}" if char.isupper() else char


class Qemu(Machine):
    """Boots ISO, or KERNEL directly with the command line APPEND."""

    def __init__(self, log_path, iso=None, kernel=None, append="", *,
                 binary="qemu-system-i386", cpu=None, memory="64M", smp=1,
                 icount=None, may_reset=False, extra=()):
        self.arguments = [binary, "-m", memory, "-smp", str(smp)]
        if iso is not None:
            self.arguments += ["-cdrom", os.path.abspath(iso), "-boot", "d"]
        if kernel is not None:
            self.arguments += ["-kernel", os.path.abspath(kernel)]
            self.arguments += ["-append", append] if append else []
        if cpu is not None:
            self.arguments += ["-cpu", cpu]
        if icount is not None:
            self.arguments += ["-icount", icount]
        if not may_reset:
            self.arguments += ["-no-reboot"]
        self.arguments += list(extra)
        self.control = None
        super().__init__(log_path)

    def path(self, name):
        return os.path.join(self.folder, name)

    def listen(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path("com1"))
        listener.listen(1)
        return listener

    def command_line(self):
        return self.arguments + [
            "-display", "none", "-monitor", "none", "-parallel", "none",
            "-chardev", f"socket,id=com1,path={self.path('com1')}",
            "-serial", "chardev:com1",
            "-qmp", f"unix:{self.path('qmp')},server=on,wait=off"]

    # --- QMP -----------------------------------------------------------------

    def open_control(self):
        deadline = time.monotonic() + START_TIMEOUT * TIMEOUT_SCALE
        line = socket.socket(socket.AF_UNIX)
        while True:
            try:
                line.connect(self.path("qmp"))
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self.control = line.makefile("rw", encoding="utf-8")
        line.close()            # the file keeps the connection
        self.control.readline()     # the greeting
        self.qmp("qmp_capabilities")

    def qmp(self, command, **arguments):
        if self.control is None:
            self.open_control()
        json.dump({"execute": command, "arguments": arguments}, self.control)
        self.control.flush()
        while True:
            reply = json.loads(self.control.readline())
            if "error" in reply:
                raise AssertionError(f"QMP {command}: {reply['error']}")
            if "return" in reply:
                return reply["return"]

    def monitor(self, command):
        """A command of QEMU's human monitor; returns what it prints."""
        return self.qmp("human-monitor-command", **{"command-line": command})

    # --- Processors ----------------------------------------------------------

    def is_halted(self):
        """Whether each processor waits in HLT now."""
        states = re.findall(r"\bHLT=(\d)", self.monitor("info registers -a"))
        assert states
        return set(states) == {"1"}

    def wait_halted(self, timeout=20):
        """Wait until all processors do."""
        deadline = time.monotonic() + timeout * TIMEOUT_SCALE
        while not self.is_halted():
            assert time.monotonic() < deadline, "a processor goes on"
            time.sleep(0.1)

    # --- Screen, keyboard, power button --------------------------------------

    def read_port(self, port):
        return int(self.monitor(f"i /b {port:#x}").split("=")[1], 16)

    def write_port(self, port, value):
        self.monitor(f"o /b {port:#x} {value:#x}")

    def screen_start(self):
        """The cell in video memory that is shown first."""
        self.qmp("stop")        # or we would race for the index register
        index = self.read_port(CRTC_INDEX)
        start = 0
        for register in (CRTC_START_HIGH, CRTC_START_LOW):
            self.write_port(CRTC_INDEX, register)
            start = start << 8 | self.read_port(CRTC_DATA)
        self.write_port(CRTC_INDEX, index)
        self.qmp("cont")
        return start

    def screen(self):
        """The text screen as VGA_ROWS strings."""
        cells = VGA_COLUMNS * VGA_ROWS
        base = VGA_TEXT + 2 * self.screen_start()
        dump = self.monitor(f"xp /{cells}hx {base:#x}")
        words = re.findall(r"0x([0-9a-f]{4})\b", dump)
        text = "".join(chr(int(word, 16) & 0xFF) for word in words)
        return [text[row * VGA_COLUMNS:(row + 1) * VGA_COLUMNS].rstrip(" \0")
                for row in range(VGA_ROWS)]

    def wait_screen(self, pattern, timeout=20):
        """Wait until PATTERN is on the screen."""
        deadline = time.monotonic() + timeout * TIMEOUT_SCALE
        while True:
            text = "\n".join(self.screen())
            if re.search(pattern, text):
                return text
            assert time.monotonic() < deadline, f"no {pattern!r} on:\n{text}"
            time.sleep(0.1)

    def press(self, *keys):
        """Press keys or characters of the PC keyboard, one by one."""
        for key in keys:
            self.monitor(f"sendkey {key_name(key)} {KEY_HOLD_MS}")

    def close(self):
        if self.control is not None:
            self.control.close()
        super().close()
