"""test_vm_commands.py - what `vm` says about VMs that are not on.

The VMs come from an archive that is made here, with images that no VM starts
from: what running guests do is tested elsewhere.
"""
import pathlib
import subprocess

import pytest

from machine import ENTER, PROMPT
from socle import check_log

SCRIPTS = pathlib.Path(__file__).parents[2] / "scripts"

FILES = {
    "good/good.vmx": 'memsize = "64"\nboot.kernel = "kernel"\n'
                     'boot.cmdline = "a b |22c|22"\nMy.Key = "x"\n',
    "good/twin.vmx": 'boot.kernel = "kernel"\nboot.initrd = "none"\n',
    "good/kernel": "this is no kernel",
    "good/empty": "",
    "bad/bad.vmx": '\nmemsize = "33"\n',
    "bad name!.vmx": "",
    "bare/bare.vmx": "",
}


@pytest.fixture
def archive(tmp_path):
    """A function that makes an archive of FILES as `scripts/vms.py` does."""
    def make(files, name="vms.cpio"):
        folder = tmp_path / f"{name}.files"
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="latin-1")
        out = tmp_path / name
        subprocess.run([SCRIPTS / "vms.py", out, folder], check=True)
        return out
    return make


@pytest.fixture
def boot(qemu, archive):
    def start(*modules, append=""):
        modules = modules or (archive(FILES),)
        machine = qemu(append=append,
                       extra=("-initrd", ",".join(map(str, modules))))
        machine.prompt()
        return machine
    return start


@pytest.fixture
def machine(boot):
    return boot()


def test_list(machine):
    text = "\n".join(machine.command("vm list"))
    assert machine.command("vm") == machine.command("vm list")
    assert 'bad: line 2: memsize is "33"; expected' in text
    assert [line.split()[:4] for line in text.split("\n")
            if line.startswith(("bare", "good", "twin"))] == [
        ["bare", "32", "MB", "off"], ["good", "64", "MB", "off"],
        ["twin", "32", "MB", "off"]]
    machine.command("vm create copy good")
    names = [line.split()[0] for line in machine.command("vm list")[1:]
             if line[0] != " "]
    assert names == sorted(names) and "copy" in names


def test_boot_log(machine):
    """What is wrong with an archive is told once, each in a line."""
    log = machine.boot_log
    assert 'bad: line 2: memsize is "33"; expected a multiple of 4' in log
    assert "good: line 4: key My.Key is not known" in log
    assert "ignored 'bad name!.vmx'" in log
    assert "4 VMs in 1 archive" in log
    check_log(log)


def test_info(machine):
    text = "\n".join(machine.command("vm info good"))
    assert "64 MB" in text
    assert 'boot.cmdline = "a b "c""' in text
    assert 'My.Key = "x" (not known' in text
    assert "line 2" in "\n".join(machine.command("vm info bad"))


REFUSED = [
    ("vm gugus", "unknown 'gugus'; expected one of list, info,"),
    ("vm start", "something is missing; expected: vm start NAME"),
    ("vm start good twin", "too many words; expected: vm start NAME"),
    ("vm list good", "too many words; expected: vm list"),
    ("vm set good", "expected: vm set NAME KEY=VALUE..."),
    ("vm start gugus", "there is no VM 'gugus': 'vm list' shows them"),
    ("vm start bad", "bad is bad: line 2: memsize is"),
    ("vm set bad memsize=32", "bad is bad: line 2"),
    ("vm start bare", "bare has no boot.kernel"),
    ("vm start twin", "boot.initrd: there is no file 'good/none'"),
    ("vm log good gugus", "unknown level 'gugus': expected error, warn"),
    ("vm stop good", "good is not on"),
    ("vm kill good", "good is not on"),
    ("vm reset good", "good is not on"),
    ("vm set good memsize=33", 'memsize is "33"; expected a multiple of 4'),
    ("vm set good memsize", "'memsize' is no change: expected KEY=VALUE"),
    ("vm set good =3", "'=3' is no change"),
    ("vm set good 'memsize = 8'", "expected KEY=VALUE without blanks"),
    ("vm set good boot.kernel=a/b", "expected a file name without a folder"),
    ("vm create good", "there is a VM 'good' already"),
    ("vm create a/b", "'a/b' cannot be a name: expected at most 19 letters"),
    ("vm create .a", "the first a letter or digit"),
    ("vm create new gugus", "there is no VM 'gugus' to create one from"),
    ("vm create new bad", "bad is bad"),
    ("vm create new good memsize=1", 'memsize is "1"; expected'),
]


def test_refused(machine):
    """In a line or two, with what was expected; and nothing changed."""
    def state():
        return machine.command("vm info good"), \
            [line.split()[0] for line in machine.command("vm list")]
    before = state()
    for line, wanted in REFUSED:
        lines = machine.command(line)
        assert 1 <= len(lines) <= 3, line
        assert lines[0].startswith("vm: "), line
        assert wanted in " ".join(" ".join(lines).split()), line
        assert max(map(len, lines)) < 80, line
        assert state()[1] == before[1], line
    lines = machine.command("vm start good")
    assert "neither a Linux bzImage nor a Multiboot kernel" in " ".join(
        " ".join(lines).split())


def test_create_set_destroy(machine):
    machine.command("vm create copy good memsize=16 boot.cmdline='x y'")
    text = "\n".join(machine.command("vm info copy"))
    assert "16 MB" in text and 'boot.cmdline = "x y"' in text
    assert "good/" in text
    lines = machine.command("vm set copy memsize=20 other=1 boot.cmdline=")
    assert "key other is not known" in "\n".join(lines)
    text = "\n".join(machine.command("vm info copy"))
    assert "20 MB" in text and "cmdline" not in text
    assert "64 MB" in "\n".join(machine.command("vm info good"))
    machine.command("vm destroy copy")
    assert "no VM 'copy'" in machine.command("vm info copy")[0]
    assert "copy" not in "\n".join(machine.command("vm list"))


def test_created_vm_has_a_folder_of_its_own(machine):
    machine.command("vm create new boot.kernel=k")
    assert "there is no file 'new/k'" in machine.command("vm start new")[0]


def test_many_times(machine):
    """Nothing is left behind by VMs that were created and forgotten."""
    def heap():
        return [line for line in machine.command("mem")
                if line.startswith("Heap")]
    before = heap()
    for _ in range(5):
        machine.command("vm create copy good a=1 b=2 c=3")
        machine.command("vm start copy")
        machine.command("vm console copy")
        machine.command("vm set copy memsize=33")
        machine.command("vm destroy copy")
    assert heap() == before


def test_completion(machine):
    machine.send("vm inf\tgo\t" + ENTER)
    machine.expect(r"VM: +good\r\n")
    machine.expect(PROMPT)
    machine.send("vm set good mem\t")
    machine.expect("memsize=64")
    machine.send(ENTER)
    machine.expect("good was changed")


def test_console_of_a_vm_that_is_off(machine):
    machine.command("vm start good")
    text = "\n".join(machine.command("vm console good"))
    assert "VM good is off" in text
    assert "neither a Linux bzImage" in text


def test_log_and_stats(machine):
    assert "good: line 4" in "\n".join(machine.command("vm log good"))
    assert "no lines about bare" in "\n".join(machine.command("vm log bare"))
    assert "was not on yet" in machine.command("vm stats good")[0]


def test_help(machine):
    text = machine.command("help vm")
    assert max(map(len, text)) <= 80
    for name in ("list", "info", "create", "start", "stop", "kill", "reset",
                 "console", "log", "stats", "set", "destroy"):
        assert any(line.startswith(f"  {name}") for line in text), name


def test_no_archive(qemu):
    machine = qemu()
    machine.prompt()
    assert "There are no VMs" in "\n".join(machine.command("vm list"))


def test_several_archives(boot, archive, tmp_path):
    """The first of two VMs counts; what is no archive is left alone."""
    second = archive({"good/good.vmx": "", "more/more.vmx": "",
                      "good/none": "x"}, "second.cpio")
    other = tmp_path / "other"
    other.write_bytes(b"\x1f\x8b" + bytes(1000))
    cut = tmp_path / "cut"
    cut.write_bytes(archive(FILES, "third.cpio").read_bytes()[:600])
    machine = boot(archive(FILES), second, other, cut)
    log = machine.boot_log
    assert "ignored 'good/good.vmx': there is a VM of that name" in log
    assert "other is no cpio archive of the newc format: ignored" in log
    assert "the archive is damaged or cut off" in log
    assert "more" in "\n".join(machine.command("vm list"))
    # The files of a folder may be in several archives.
    assert "boot.initrd" not in machine.command("vm start twin")[0]


def test_autostart_refused(boot):
    log = boot(append="vm.autostart=gugus,bare").boot_log
    assert "vm.autostart: there is no VM 'gugus'" in log
    assert "vm.autostart: bare has no boot.kernel" in log
