"""test_console.py - the console is worth using: editing, keys, paste."""
import random
import zlib

import pytest

from machine import BACKSPACE, CTRL_C, ENTER, LEFT, LINE_RATE, PROMPT, TAB, UP

# The line's speed, and as fast as the emulated chip takes it.
RATES = [LINE_RATE, 100 * LINE_RATE]
PASTE_BYTES = 64 * 1024
PASTE_LINES = 1024
PASTE_WIDTH = 58                # with "echo " and Enter, 64 bytes: 64 KB


@pytest.fixture
def machine(qemu):
    started = qemu()
    started.prompt()
    return started


def answers_version(machine):
    machine.expect(r"\nSocle \d")
    machine.expect(PROMPT)


def test_completion(machine):
    machine.send("vers" + TAB)
    machine.expect("version")
    machine.send(ENTER)
    answers_version(machine)


def test_completion_of_arguments(machine):
    machine.send("help vers" + TAB)
    machine.expect("help version")
    machine.send(ENTER)
    machine.expect(PROMPT)


def test_completion_shows_choices(machine):
    machine.send("p" + TAB + TAB)
    machine.expect("pci")
    machine.expect("poweroff")
    machine.send(CTRL_C)
    machine.expect(PROMPT)


def test_history(machine):
    machine.command("version")
    machine.command("uptime")
    machine.send(UP + UP + ENTER)
    answers_version(machine)


def test_cursor_keys_and_backspace(machine):
    machine.send("verion" + LEFT + LEFT + LEFT + "s" + ENTER)
    answers_version(machine)
    machine.send("versiox" + BACKSPACE + "n" + ENTER)
    answers_version(machine)


def test_ctrl_c_drops_the_line(machine):
    machine.send("poweroff" + CTRL_C)
    machine.expect(PROMPT)
    machine.send("version" + ENTER)
    answers_version(machine)


def test_long_line(machine):
    machine.command("x" * 1000)
    machine.send("version" + ENTER)
    answers_version(machine)


def test_every_byte_is_harmless(machine):
    machine.send("".join(map(chr, range(256))) + CTRL_C)
    machine.send(CTRL_C + ENTER)
    machine.expect(PROMPT)
    machine.send(CTRL_C + "version" + ENTER)
    answers_version(machine)


def test_no_escapes_to_a_dumb_terminal(machine):
    """Nothing but text and BS until an escape sequence has come in."""
    machine.send("help vers" + TAB + ENTER + "abc" + BACKSPACE + CTRL_C)
    machine.command("help")
    machine.log.flush()
    assert "\x1b" not in machine.log_path.read_text("latin-1")


def test_plain_console_never_sends_escapes(qemu):
    machine = qemu(append="console=plain")
    machine.prompt()
    machine.command("version")
    machine.send(UP + LEFT + "x" + CTRL_C)
    machine.expect(PROMPT)
    machine.command("help")
    machine.log.flush()
    assert "\x1b" not in machine.log_path.read_text("latin-1")


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("smp", [1, 2])
def test_paste_64_kb(qemu, rate, smp):
    """Each word comes back, whole and in order."""
    machine = qemu(smp=smp)
    machine.prompt()
    words = [f"w{i:05d}".ljust(PASTE_WIDTH, "x") for i in range(PASTE_LINES)]
    feeder = machine.paste("".join(f"echo {w}{ENTER}" for w in words), rate)
    for word in words:
        machine.expect(rf"\n{word}\r")
    feeder.join()
    machine.expect(PROMPT)
    machine.send("version" + ENTER)
    answers_version(machine)


@pytest.mark.parametrize("rate", RATES)
def test_paste_any_byte(qemu, rate):
    """64 KB of anything but Ctrl-C, read by a program instead of the editor."""
    machine = qemu()
    machine.prompt()
    data = random.Random(rate).randbytes(PASTE_BYTES).replace(b"\x03", b"\0")
    machine.send(f"test paste {len(data)}{ENTER}")
    machine.expect("waiting for")
    feeder = machine.paste(data.decode("latin-1"), rate)
    machine.expect(rf"\n{len(data)} bytes, CRC-32 {zlib.crc32(data):08x}")
    feeder.join()


def test_screen_shows_the_same(machine):
    machine.send("version" + ENTER)
    answers_version(machine)
    machine.wait_screen(r"socle> version\nSocle \d")


def press(machine, text):
    """Each key is seen before the next: the keyboard's own buffer is small."""
    for char in text:
        machine.press(char)
        machine.expect("\b" if char == BACKSPACE else char)


def test_keyboard(machine):
    press(machine, "VeRSION")
    press(machine, BACKSPACE * len("VeRSION"))
    press(machine, "vers")
    machine.press(TAB)
    machine.expect("ion")
    machine.press(ENTER)
    answers_version(machine)
    machine.wait_screen(r"socle> version *\nSocle \d")
    machine.press(UP, ENTER)
    answers_version(machine)
    press(machine, "gugus")
    machine.press(CTRL_C)
    machine.expect(PROMPT)
