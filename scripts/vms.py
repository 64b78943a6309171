#!/usr/bin/env python3
"""vms.py - make an archive of VMs, as Socle takes it from its boot loader.

    vms.py OUT DIR... NAME=FILE...

Each DIR adds the files in it, under their names below DIR; each NAME=FILE adds
one under that name:

    vms.py vms.cpio my-vms debian/linux=/boot/vmlinuz

An archive in cpio's "newc" format, the same bytes from the same input.  Where
there is a cpio, `cd my-vms && find . -type f | cpio -oH newc >../vms.cpio` does
as well.
"""
import os
import pathlib
import stat
import sys

from initramfs import TRAILER, entry


def members(word):
    """(name, file) for each file that WORD stands for."""
    name, equals, file = word.partition("=")
    if equals:
        yield name, pathlib.Path(file)
        return
    folder = pathlib.Path(word)
    if not folder.is_dir():
        sys.exit(f"vms.py: {word}: neither a folder nor NAME=FILE")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def main():
    if len(sys.argv) < 3:
        sys.exit("usage: vms.py OUT DIR... NAME=FILE...")
    number = 0
    whole = pathlib.Path(sys.argv[1])
    new = whole.with_name(f".{os.getpid()}-{whole.name}")
    with open(new, "wb") as out:
        for word in sys.argv[2:]:
            for name, path in members(word):
                number += 1
                out.write(entry(number, name, stat.S_IFREG | 0o644,
                                path.read_bytes()))
        out.write(entry(number + 1, TRAILER, 0))
    new.replace(whole)


if __name__ == "__main__":
    sys.exit(main())
