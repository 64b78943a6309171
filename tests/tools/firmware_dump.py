#!/usr/bin/env python3
"""firmware_dump.py IMAGE OUT - cut a dump of low memory down to its tables.

IMAGE is all of a machine's memory from address 0, as QEMU's monitor writes it
(`pmemsave 0 SIZE "IMAGE"`) or Bochs's debugger (`writemem "IMAGE" 0 SIZE`),
after the firmware has run.  OUT holds only what Socle looks at: the BIOS data
area, the ACPI tables and the MP tables, as runs of

    64-bit address, 32-bit size (little-endian), bytes

which is what tests/unit/fake_memory.c loads.
"""
import struct
import sys

ROM = range(0xE0000, 0x100000, 16)


class Memory:
    def __init__(self, path):
        self.bytes = open(path, "rb").read()
        self.runs = {}

    def keep(self, address, size):
        run = self.bytes[address:address + size]
        if len(run) == size:
            self.runs[address] = run
        return run

    def keep_chunk(self, address):
        """What is searched for is read by chunks of 256 bytes."""
        self.keep(address & ~255, 512)

    def word(self, form, address):
        return struct.unpack_from("<" + form, self.bytes, address)[0]

    def search(self, signature, size):
        ebda = self.word("H", 0x40E) << 4
        base_end = self.word("H", 0x413) * 1024 - 1024
        for start in (range(ebda, ebda + 1024, 16),
                      range(base_end, base_end + 1024, 16), ROM):
            for a in start:
                if (self.bytes[a:a + len(signature)] == signature and
                        sum(self.bytes[a:a + size]) % 256 == 0):
                    return a
        return None


def keep_acpi(memory):
    rsdp = memory.search(b"RSD PTR ", 20)
    if rsdp is None:
        return
    memory.keep_chunk(rsdp)
    roots = [(memory.word("I", rsdp + 16), "I")]
    if memory.bytes[rsdp + 15] >= 2:
        roots.append((memory.word("Q", rsdp + 24), "Q"))
    for root, form in roots:
        table = memory.keep(root, memory.word("I", root + 4))
        for (address,) in struct.iter_unpack("<" + form, table[36:]):
            header = memory.keep(address, memory.word("I", address + 4))
            if header[:4] == b"FACP":
                dsdt = struct.unpack_from("<I", header, 40)[0]
                memory.keep(dsdt, memory.word("I", dsdt + 4))


def keep_mp(memory):
    floating = memory.search(b"_MP_", 16)
    if floating is None:
        return
    memory.keep_chunk(floating)
    config = memory.word("I", floating + 4)
    if config != 0:
        memory.keep(config, memory.word("H", config + 4))


def main():
    memory = Memory(sys.argv[1])
    memory.keep(0x400, 0x100)
    keep_acpi(memory)
    keep_mp(memory)
    with open(sys.argv[2], "wb") as out:
        for address in sorted(memory.runs):
            run = memory.runs[address]
            out.write(struct.pack("<QI", address, len(run)) + run)
            print(f"{address:09x} {len(run):6} {run[:4]}")


main()
