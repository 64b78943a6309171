#!/usr/bin/env python3
"""initramfs.py - make the initial file system of the small Linux guest.

    initramfs.py OUT BUSYBOX INIT

An archive in cpio's "newc" format, the same bytes from the same input: owners,
times and order are fixed, and device nodes need no privilege to make.
"""
import pathlib
import stat
import sys

MAGIC = "070701"
ALIGN = 4
TRAILER = "TRAILER!!!"


def entry(number, name, mode, data=b"", device=(0, 0)):
    """One archive member: header, name and data, each padded."""
    name = name.encode() + b"\0"
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *device,
              len(name), 0]
    head = (MAGIC + "".join(f"{field:08x}" for field in fields)).encode()
    return pad(head + name) + pad(data)


def pad(data):
    return data + bytes(-len(data) % ALIGN)


def members(busybox, init):
    yield "dev", stat.S_IFDIR | 0o755
    yield "bin", stat.S_IFDIR | 0o755
    yield "dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)
    yield "dev/null", stat.S_IFCHR | 0o666, b"", (1, 3)
    yield "bin/busybox", stat.S_IFREG | 0o755, busybox
    yield "init", stat.S_IFREG | 0o755, init
    yield TRAILER, 0


def main():
    out, busybox, init = map(pathlib.Path, sys.argv[1:4])
    out.write_bytes(b"".join(
        entry(number, *member) for number, member in enumerate(
            members(busybox.read_bytes(), init.read_bytes()), 1)))


if __name__ == "__main__":
    sys.exit(main())
