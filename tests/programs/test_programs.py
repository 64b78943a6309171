"""test_programs.py - interpreters, a database, compilers, a shell.

Large programs with shared libraries, and the programs that the benchmarks
consist of, with few rounds.
"""
import pathlib
import subprocess

import pytest

from guest import INTERP, LARGE, PLAIN, TINY

GUESTS = pathlib.Path(__file__).resolve().parent / "guests"
TOP = GUESTS.parents[2]
BENCHMARKS = sorted(path.stem for path in
                    (TOP / "tests" / "bench" / "programs").glob("*.c")
                    if path.stem != "program")
# What compilers are given.
COMPILED = ["tests/bench/programs/lz.c", "bt/decode.c", "kernel/base/format.c"]

each_way = pytest.mark.parametrize("way", [PLAIN, LARGE],
                                   ids=["plain", "stress"])
and_interp = pytest.mark.parametrize("way", [PLAIN, LARGE, INTERP],
                                     ids=["plain", "stress", "interp"])


@pytest.mark.parametrize("way", [PLAIN, TINY, LARGE, INTERP],
                         ids=["plain", "stress-tiny", "stress", "interp"])
@pytest.mark.parametrize("name", BENCHMARKS)
def test_benchmark(guests, name, way):
    guests.same(way, guests.program(name) + ["1"])


@and_interp
def test_lua(guests, way):
    size = "8" if way == PLAIN else "5"
    out = guests.same(way, guests.dynamic("lua5.4") +
                      [GUESTS / "words.lua", size])
    assert b"caught" in out


@and_interp
def test_perl(guests, text, way):
    out = guests.same(way, guests.dynamic("perl") +
                      [GUESTS / "report.pl", "50"],
                      input=text(1_000_000 if way == PLAIN else 20_000))
    assert b"from the child" in out and out.endswith(b"3\ncaught\n")


@and_interp
def test_sqlite(guests, way):
    out = guests.same(way, guests.dynamic("sqlite3"),
                      input=(GUESTS / "tables.sql").read_bytes())
    assert b"ok\n" in out


@each_way
def test_shell(guests, text, tmp_path, way):
    for name in ("a1.c", "a2.c", "b.c"):
        (tmp_path / name).write_bytes(text(3000 + len(name)))
    out = guests.same(way, guests.applet("sh") + [GUESTS / "script.sh"],
                      cwd=tmp_path)
    assert out.endswith(b"the end\n") and b"exit code 3" in out


@pytest.fixture(scope="session")
def preprocessed(guests, tmp_path_factory):
    """A function: a source of this project, ready for a compiler proper."""
    folder = tmp_path_factory.mktemp("preprocessed")

    def make(source):
        target = folder / (pathlib.Path(source).stem + ".i")
        # C99: later, <stddef.h> has a type that only GCC knows.
        subprocess.run(["gcc", "-m32", "-std=gnu99", "-E", "-P", "-I.",
                        source, "-o", target], cwd=TOP, check=True)
        return target
    return make


@pytest.mark.parametrize("source,way", [
    (COMPILED[0], LARGE), *((source, PLAIN) for source in COMPILED),
])
def test_cc1(guests, preprocessed, source, way):
    """GCC's compiler proper: tens of megabytes of code."""
    level = "-O2" if way == PLAIN else "-O1"
    out = guests.same(way, guests.dynamic("cc1") + [
        "-quiet", level, "-fpreprocessed", preprocessed(source), "-o", "-"])
    assert b".globl" in out


@and_interp
@pytest.mark.parametrize("source", COMPILED[:1])
def test_tcc(guests, preprocessed, tmp_path, source, way):
    words = guests.dynamic("tcc") + ["-nostdinc", "-c", preprocessed(source)]
    made = []
    for each in (None, way):
        target = tmp_path / "out.o"
        done = guests.run(each, words + ["-o", target])
        assert (done.returncode, done.stderr) == (0, b"")
        made.append(target.read_bytes())
    assert made[0] == made[1] and made[0].startswith(b"\x7fELF")
