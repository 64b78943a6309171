"""test_btrun.py - btrun's own command line and what it shows."""
import re
import signal

import pytest


@pytest.mark.parametrize("words,complaint", [
    ([], "no program given"),
    (["--nonsense", "x"], "--nonsense: unknown option"),
    (["--stress=much", "x"], "SEED must be a number"),
    (["--stress=", "x"], "SEED must be a number"),
    (["--stress=99999999999", "x"], "SEED must be a number"),
    (["--interp", "--stress", "x"], "--interp excludes"),
    (["/nonexistent"], "cannot be opened"),
    (["/etc/passwd"], "not a 32-bit x86 program"),
    (["/proc/self/exe"], "cannot be mapped"),
])
def test_complaint(guests, words, complaint):
    """One line, and the exit code that shells give for what does not run."""
    done = guests.run(None, [guests.btrun, *words])
    said = done.stderr.decode().splitlines()
    assert len(said) == 1 and said[0].startswith("btrun: ")
    assert complaint in said[0]
    assert (done.returncode, done.stdout) == (127, b"")


def test_help(guests):
    done = guests.run(None, [guests.btrun, "--help"])
    assert done.returncode == 0 and b"--stress[=SEED]" in done.stdout


def test_name(guests):
    """argv[0] need not be the path; a busybox of another name says so."""
    done = guests.run(["--name=echo"], [guests.busybox, "a", "b"])
    assert done.stdout == b"a b\n"


def test_stats(guests):
    done = guests.run(["--stats"], guests.program("fib") + ["1"])
    exits = re.search(rb"exits: link (\d+) ", done.stderr)
    assert int(exits[1]) > 0
    done = guests.run(["--interp", "--stats"], guests.program("fib") + ["1"])
    count = re.search(rb"(\d+) instructions interpreted", done.stderr)
    assert int(count[1]) > 1_000_000


def test_trace(guests):
    """Each guest instruction stands beside what became of it."""
    done = guests.run(["--trace"], guests.program("fib") + ["1"])
    lines = done.stderr.decode().splitlines()
    units = [line for line in lines if line.startswith("btrun: unit ")]
    assert len(units) > 100 and len(lines) > 4 * len(units)
    copied = [line for line in lines
              if re.fullmatch(r"[0-9a-f]{8}  (push e.p) +[0-9a-f]{8}  \1",
                              line)]
    assert len(copied) > 20
    assert done.stdout == guests.run(None, guests.program("fib") +
                                     ["1"]).stdout


@pytest.mark.parametrize("way", [[], ["--stress=4"], ["--interp"]],
                         ids=["plain", "stress", "interp"])
@pytest.mark.parametrize("script,ends", [
    ("yes | head -n 2", 0),
    ("kill -9 $$", -signal.SIGKILL),
    ("kill -PIPE $$", -signal.SIGPIPE),
    ("trap '' PIPE; kill -PIPE $$; echo alive", 0),
    ("ulimit -c 0; kill -SEGV $$", -signal.SIGSEGV),
    ("exit 7", 7),
])
def test_end(guests, way, script, ends):
    """Exit codes, and signals that nobody handles, are what they are."""
    words = guests.applet("sh") + ["-c", script]
    native = guests.run(None, words)
    assert native.returncode == ends
    done = guests.run(way, words)
    assert (done.returncode, done.stdout) == (ends, native.stdout)
