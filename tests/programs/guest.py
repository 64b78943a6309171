"""guest.py - 32-bit programs to run, and the ways to run them.

The same program file is run by the hardware, which is what everything is
compared with, and by btrun in one of its ways.  Programs with shared libraries
are given to Debian's own i386 loader with the folders of its libraries, since
the build machine need not have any.
"""
import os
import pathlib
import subprocess

TIMEOUT = 300 * float(os.environ.get("TIMEOUT_SCALE", "6"))
FIRST_LINES = 2000              # of what went wrong

# Options of btrun.  The seed modulo 4 is the size of the translation cache:
# 0 can hardly hold the C library's printf().
PLAIN = ()
TINY = ("--stress=4",)
SMALL = ("--stress=1",)
LARGE = ("--stress=3",)
INTERP = ("--interp",)


class Guests:
    """All programs; BUILD has btrun, programs/ and i386/."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.root = self.build / "i386"
        self.btrun = self.build / "btrun"
        self.busybox = self.root / "bin" / "busybox"

    def dynamic(self, name):
        """The words to start a program with shared libraries."""
        folders = [self.root / "lib" / "i386-linux-gnu",
                   self.root / "usr" / "lib" / "i386-linux-gnu"]
        found = [self.root / folder / name for folder in
                 ("bin", "usr/bin", "usr/lib/gcc/i686-linux-gnu/12")]
        program = next(path for path in found if path.exists())
        return [self.root / "lib" / "ld-linux.so.2", "--library-path",
                ":".join(map(str, folders)), program]

    def applet(self, name):
        return [self.busybox, name]

    def program(self, name):
        return [self.build / "programs" / name]

    def run(self, way, words, **how):
        """Run WORDS: natively if WAY is None, or by btrun with options WAY."""
        if way is not None:
            words = [self.btrun, *way, *words]
        if "stdin" not in how:
            how.setdefault("input", b"")
        how.setdefault("stdout", subprocess.PIPE)
        environment = {"LC_ALL": "C", "TZ": "UTC", "HOME": "/",
                       "PATH": str(self.build / "i386" / "applets")}
        return subprocess.run([str(word) for word in words],
                              env=environment, check=False,
                              timeout=TIMEOUT, stderr=subprocess.PIPE, **how)

    def same(self, way, words, **how):
        """Run both ways; all they say must be the same.  Returns it."""
        expected = self.run(None, words, **how)
        got = self.run(way, words, **how)
        # Not compared by pytest, which would explain megabytes.
        alike = got.stdout == expected.stdout
        assert got.stderr[:FIRST_LINES] == expected.stderr[:FIRST_LINES]
        assert got.returncode == expected.returncode
        assert alike, f"{words}: differs from the native output"
        assert got.stdout or got.stderr or got.returncode
        return got.stdout
