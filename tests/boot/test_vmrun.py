"""test_vmrun.py - real guests under the interpreter, as an ordinary process.

Time is counted in instructions, so what a guest does without input is the same
in every run.  Some three billion instructions of Linux take a minute or two;
what takes longer runs if LONG_TESTS is set.
"""
import os
import re

import pytest

from vmrun import BOOT_TIMEOUT, HALTED, LIMIT, PROMPT, Vmrun, run

# The kernel's own tests of its ciphers are as long as the rest of its start.
APPEND = "console=ttyS0 nokaslr cryptomgr.notests"
MACH_INSTRUCTIONS = 600_000_000
HOUR = 3600

long_test = pytest.mark.skipif("LONG_TESTS" not in os.environ,
                               reason="LONG_TESTS is not set")


@pytest.fixture
def vmrun(build):
    return build / "vmrun"


@pytest.fixture
def guests(build):
    return build / "guests"


@pytest.fixture
def boot_linux(machines, vmrun, guests):
    """A function that starts a Linux, and waits for its shell."""
    def boot(flavour, memory):
        machine = machines(
            Vmrun, vmrun, "--kernel", guests / f"linux-{flavour}", "--initrd",
            guests / "initramfs.cpio", "--append", APPEND, "--memory", memory)
        machine.boot_log = machine.expect(PROMPT, BOOT_TIMEOUT)
        return machine
    return boot


def check_shell(machine, flavour):
    """Things that need memory, processes, files, the FPU and time.

    A line must fit into the shell's 80 columns, and the kernel must not speak
    meanwhile.
    """
    machine.command("dmesg -n 1")
    assert machine.command("uname -r")[-1].endswith(f"-{flavour}")
    assert machine.command("echo $((123456789 % 1000))") == ["789"]
    assert machine.command("echo hello | md5sum | cut -c1-8") == ["b1946ac9"]
    assert machine.command("awk 'BEGIN { printf \"%.6f\\n\", 22 / 7 }'") \
        == ["3.142857"]
    assert machine.command("dd if=/dev/zero bs=64k count=32 2>/dev/null |"
                           " sha256sum | cut -c1-8") == ["5647f05e"]
    assert machine.command("cp /bin/busybox /tmp/b; cmp /bin/busybox /tmp/b; "
                           "echo $?") == ["0"]
    before, after = (float(machine.command("sleep 1; cut -d' ' -f1 "
                                           "/proc/uptime")[-1])
                     for _ in range(2))
    # What a person takes to type counts.
    assert 1 <= after - before < HOUR
    assert machine.command("false; echo $?") == ["1"]


def check_halt(machine):
    machine.process.send("poweroff -f\r")
    code, words = machine.end()
    assert code == HALTED
    assert re.search(r"^vmrun: (halted|powered off)$", words, re.M)


def test_linux(boot_linux):
    machine = boot_linux("686", 64)
    assert "Hypervisor detected: VMware" in machine.boot_log
    assert "Kernel panic" not in machine.boot_log
    assert "BUG:" not in machine.boot_log
    assert "Call Trace" not in machine.boot_log
    check_shell(machine, "686")
    check_halt(machine)


@long_test
def test_linux_pae(boot_linux):
    machine = boot_linux("686-pae", 64)
    assert "Call Trace" not in machine.boot_log
    assert machine.command("grep -o -w -E 'pae|nx' /proc/cpuinfo") \
        == ["pae", "nx"]
    check_shell(machine, "686-pae")
    machine.process.send("reboot -f\r")
    machine.expect(PROMPT, BOOT_TIMEOUT)
    check_halt(machine)


@long_test
def test_installer(machines, vmrun, guests):
    machine = machines(
        Vmrun, vmrun, "--kernel", guests / "netboot-linux", "--initrd",
        guests / "netboot-initrd.gz", "--append", APPEND, "--memory", 512)
    machine.expect("Select a language", 4 * BOOT_TIMEOUT)


def test_mach_twice_the_same(vmrun, guests):
    """A segmented kernel with paging, timer and console; and no surprises."""
    runs = [run(vmrun, "--kernel", guests / "gnumach", "--append",
                "console=com0", "--memory", 64, "--max-instructions",
                MACH_INSTRUCTIONS) for _ in range(2)]
    assert runs[0] == runs[1]
    code, out, err = runs[0]
    assert code == LIMIT
    assert "No bootstrap code loaded with the kernel!" in out
    assert "stopped after" in err


def test_vmx(vmrun, guests, tmp_path):
    (tmp_path / "mach").symlink_to((guests / "gnumach").resolve())
    vmx = tmp_path / "m.vmx"
    vmx.write_text('memsize = "48"\nboot.kernel = "mach"\n'
                   'boot.cmdline = "console=com0"\nusb.present = "TRUE"\n')
    code, out, err = run(vmrun, vmx, "--max-instructions", 50_000_000)
    assert code == LIMIT
    assert "000000000003000000, available" in out       # 48 MB
    assert f"vmrun: {vmx}: line 4: unknown key usb.present\n" in err


@pytest.mark.parametrize("text, message", [
    ('memsize = "33"', 'line 1: memsize is "33"; expected a multiple of 4 '
                       "from 4 to 3584"),
    ('memsize = "64"', "there is no boot.kernel, and no firmware to start a "
                       "disk"),
    ("memsize", 'line 1: expected key = "value"'),
])
def test_wrong_vmx(vmrun, tmp_path, text, message):
    vmx = tmp_path / "m.vmx"
    vmx.write_text(text)
    assert run(vmrun, vmx) == (1, "", f"vmrun: {vmx}: {message}\n")


@pytest.mark.parametrize("options, message", [
    ([], "which machine? try --help"),
    (["--kernel", "/nowhere"], "/nowhere: No such file or directory"),
    (["--memory", "1"], "--memory 1: expected 4 to 2048 megabytes"),
    (["--frobnicate"], "--frobnicate: what is that? try --help"),
    (["--kernel", "/bin/sh"],
     "/bin/sh: neither a Linux bzImage nor a Multiboot kernel"),
])
def test_wrong_options(vmrun, options, message):
    assert run(vmrun, *options) == (1, "", f"vmrun: {message}\n")


def test_too_little_memory(vmrun, guests):
    kernel = guests / "linux-686"
    assert run(vmrun, "--kernel", kernel, "--memory", 32) == (
        1, "", f"vmrun: {kernel}: memory is too small for the kernel\n")
