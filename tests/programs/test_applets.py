"""test_applets.py - busybox's applets on real input, one process each."""
import io
import tarfile

import pytest

from guest import INTERP, LARGE, PLAIN, SMALL, TINY

SIZE = 2_000_000
SIZE_SMALL = 40_000
SIZE_TINY = 5_000

# Filters of text.  A ~ is a blank in a word.
APPLETS = [
    "md5sum", "sha1sum", "sha256sum", "sha512sum", "sha3sum", "cksum", "sum",
    "wc", "sort", "sort -r -k2", "uniq -c", "tr a-zA-Z b-zaB-ZA", "rev",
    "tac", "nl", "fold -w 30", "expand", "cut -c 3-20", "cut -d_ -f2",
    "head -n 1000", "tail -n 100", "od -x", "od -c", "xxd", "hexdump -C",
    "base64", "uuencode name", "gzip -c", "bzip2 -c", "strings", "paste - -",
    "grep -n static", "grep -E -c ^[a-z_]+[(].*[)]$", "sed -e s/int/long/g",
    "sed -n -e /struct/{p;n;p}", "dd bs=1000 status=none", "crc32 /dev/stdin",
    "awk {n[$1]++;c+=NF}END{for(w~in~n)if(n[w]>9)print~w,n[w];print~c}",
]

def words_of(line):
    return [word.replace("~", " ") for word in line.split(" ")]


@pytest.mark.parametrize("line", APPLETS)
@pytest.mark.parametrize("way,size", [
    (PLAIN, SIZE), (LARGE, SIZE_SMALL), (SMALL, SIZE_TINY),
    (INTERP, SIZE_TINY),
], ids=["plain", "stress", "stress-small", "interp"])
def test_filter(guests, text, line, way, size):
    name, *arguments = words_of(line)
    guests.same(way, guests.applet(name) + arguments, input=text(size))


@pytest.mark.parametrize("line", [
    "seq 1 2000", "factor 1234567890123 982451653 65537", "cal 2 2024",
    "date -u -d @1700000000", "printf %08x:%s:%5.2s\\n 255 a abc", "expr 6 * 7",
    "find . -name *.c -size +1", "ls -lR .", "du -a .", "diff -r a b",
    "tar cf - a b", "stat -c %s:%n a/0.c", "env", "nosuchapplet", "cmp a b",
    "diff a/1.c b/1.c", "comm a/1.c b/1.c", "false", "test 1 -gt 2",
])
@pytest.mark.parametrize("way", [PLAIN, TINY, INTERP],
                         ids=["plain", "stress", "interp"])
def test_command(guests, text, tmp_path, line, way):
    fill(tmp_path, text)
    name, *arguments = line.split(" ")
    guests.same(way, guests.applet(name) + arguments, cwd=tmp_path)


def fill(folder, text):
    """Two folders that are alike in part; no clock in what `ls` shows."""
    for name, shift in (("a", 0), ("b", 1)):
        (folder / name).mkdir()
        for number in range(4):
            (folder / name / f"{number}.c").write_bytes(
                text(900 * number + shift * (number % 2) + 100))


@pytest.mark.parametrize("way", [PLAIN, LARGE], ids=["plain", "stress"])
@pytest.mark.parametrize("line,source", [
    ("bc -l", b"scale=50\n4*a(1)\ndefine f(n){if(n<2)return 1;"
              b"return n*f(n-1)}\nf(60)\n2^200\nsqrt(2)\n"),
    ("dc", b"30 k 2 v p 3 4 + 100 ^ p 355 113 / p 10 3 ~ f\n"),
])
def test_calculator(guests, line, source, way):
    guests.same(way, guests.applet(line.split()[0]) + line.split()[1:],
                input=source)


@pytest.mark.parametrize("way", [PLAIN, LARGE], ids=["plain", "stress"])
def test_archive(guests, text, tmp_path, way):
    """What tar and cpio pack, they unpack; and Python sees the same in it."""
    fill(tmp_path, text)
    packed = guests.same(way, guests.applet("tar") + ["czf", "-", "a", "b"],
                         cwd=tmp_path)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert archive.extractfile("b/3.c").read() == \
            (tmp_path / "b" / "3.c").read_bytes()
    (tmp_path / "out").mkdir()
    done = guests.run(way, guests.applet("tar") + ["xzf", "-"], input=packed,
                      cwd=tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, b"")
    for path in tmp_path.glob("[ab]/*"):
        copy = tmp_path / "out" / path.relative_to(tmp_path)
        assert copy.read_bytes() == path.read_bytes()
    names = "\n".join(f"a/{number}.c" for number in range(4)).encode()
    guests.same(way, guests.applet("cpio") + ["-o", "-H", "newc"],
                input=names, cwd=tmp_path)
