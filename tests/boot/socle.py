"""socle.py - how to read what Socle prints: the one place that knows formats.

Tests say what must be true; when the wording of a command changes, only this
file does.
"""
import re
import subprocess

COMMANDS = ("help", "version", "uptime", "cpu", "mem", "pci", "worlds", "log",
            "time", "stats", "vm", "reboot", "poweroff")

# One of the boot log's last lines.
BOOT_TIME = re.compile(r"console ready (\d+\.\d+) ms after Multiboot entry")
# VMkernel text, as linker.ld places it.
CODE_ADDRESS = re.compile(r"\b(?:0x)?(40[1-9a-f][0-9a-f]{5})\b")
# SECONDS MODULE: error: TEXT
ERROR_LINE = re.compile(r"^ *[\d.]+ \w+: error: .*$|^PANIC.*$", re.M)


def check_log(text):
    """A healthy boot reports no error."""
    bad = ERROR_LINE.findall(text)
    assert not bad, "\n".join(bad)


def boot_ms(text):
    match = BOOT_TIME.search(text)
    assert match, f"no boot time in:\n{text}"
    return float(match[1])


def processors(machine):
    """The lines of `cpu` that describe a processor each."""
    return [line for line in machine.command("cpu")
            if re.match(r" *\d+ +\d+ +online\b", line)]


def memory_mb(machine):
    """Machine memory that `mem` counts, in MB."""
    text = "\n".join(machine.command("mem"))
    match = re.search(r"^Machine memory: (\d+) MB", text, re.M)
    assert match, text
    return int(match[1])


def counter(machine, name):
    """The number that `stats` has for NAME; 0 if it has none yet."""
    text = "\n".join(machine.command("stats"))
    match = re.search(rf"^ *{re.escape(name)} +(\d+)", text, re.M)
    return int(match[1]) if match else 0


def source_lines(elf, text):
    """FUNCTION FILE:LINE for each address of code that TEXT mentions.

    Several for code that the compiler inlined: the place, and who called.
    """
    addresses = list(dict.fromkeys(CODE_ADDRESS.findall(text)))
    if not addresses:
        return []
    out = subprocess.run(["addr2line", "-fi", "-e", str(elf)] + addresses,
                         check=True, capture_output=True, text=True).stdout
    lines = out.split("\n")
    return [f"{function} {place}"
            for function, place in zip(lines[::2], lines[1::2])]
