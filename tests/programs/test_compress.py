"""test_compress.py - round trips through gzip, bzip2 and xz.

What is packed under btrun is what the hardware packs, byte for byte, and
unpacks to what it was.  Files, because of their size.
"""
import hashlib

import pytest

from guest import LARGE, PLAIN

SIZE = 52_000_000
SIZE_STRESS = 1_000_000


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="session")
def plain_file(tmp_path_factory, text):
    """A function that makes a file of SIZE bytes, once."""
    folder = tmp_path_factory.mktemp("plain")

    def make(size):
        path = folder / str(size)
        if not path.exists():
            path.write_bytes(text(size))
        return path
    return make


def filter_file(guests, way, words, source, target):
    with open(source, "rb") as given, open(target, "wb") as taken:
        done = guests.run(way, words, stdin=given, stdout=taken)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("tool,level", [
    ("gzip", "-6"), ("bzip2", "-6"), ("xz", "-1"),
])
@pytest.mark.parametrize("way", [PLAIN, LARGE], ids=["plain", "stress"])
def test_round_trip(guests, is_long, plain_file, tmp_path, tool, level, way):
    source = plain_file(SIZE if way == PLAIN or is_long else SIZE_STRESS)
    words = guests.dynamic(tool)
    packed, again = tmp_path / "packed", tmp_path / "again"
    filter_file(guests, None, words + [level, "-c"], source, packed)
    expected = digest(packed)
    filter_file(guests, way, words + [level, "-c"], source, packed)
    assert digest(packed) == expected
    filter_file(guests, way, words + ["-dc"], packed, again)
    assert digest(again) == digest(source)
