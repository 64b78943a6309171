"""socle.py - how to read what Socle prints: the one place that knows formats.

Tests say what must be true; when the wording of a command changes, only this
file does.
"""
import re
import subprocess

COMMANDS = ("help", "version", "uptime", "cpu", "mem", "pci", "worlds", "log",
            "time", "stats", "reboot", "poweroff")

# The boot log's last line: time from the Multiboot entry to the prompt.
BOOT_TIME = re.compile(r"prompt after (\d+(?:\.\d+)?) ms")
# VMkernel text, as linker.ld places it.
CODE_ADDRESS = re.compile(r"\b(?:0x)?(40[1-9a-f][0-9a-f]{5})\b")
ERROR_LINE = re.compile(r"^.*\b(?:error|panic)\b.*$", re.M | re.I)


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
            if re.match(r"\s*(?:cpu\s*)?\d+\b", line)]


def memory_mb(machine):
    """Machine memory that `mem` counts, in MB."""
    text = "\n".join(machine.command("mem"))
    match = re.search(r"(\d+)\s*MB", text)
    assert match, text
    return int(match[1])


def source_lines(elf, text):
    """FUNCTION FILE:LINE for each address of code that TEXT mentions."""
    addresses = list(dict.fromkeys(CODE_ADDRESS.findall(text)))
    if not addresses:
        return []
    out = subprocess.run(["addr2line", "-f", "-e", str(elf)] + addresses,
                         check=True, capture_output=True, text=True).stdout
    lines = out.split("\n")
    return [f"{function} {place}"
            for function, place in zip(lines[::2], lines[1::2])]
