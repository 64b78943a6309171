"""tiny_guest.py - kernels of a few bytes of machine code.

Behind a Multiboot header they write an x to COM1, and then do what the test is
about.  There is no IDT: a fault is a triple fault.
"""
import struct

MAGIC, PLAIN = 0x1BADB002, 0x10000      # Multiboot 3.1.2
LOAD = 0x100000
HEADER_SIZE = 32

WRITE_X = bytes.fromhex("ba fb030000 b0 03 ee"      # LCR: 8 bits
                        "ba f8030000 b0 78 ee")     # THR
WAIT = bytes.fromhex("eb fe")                       # jmp .

RESETS = {
    "keyboard controller": "b0 fe e6 64",
    "port 92": "b0 01 e6 92",
    "port CF9": "ba f90c0000 b0 06 ee",
}
TRIPLE_FAULT = "0f 0b"                  # UD2
HALT = "fa f4"
# Sleep type 0 (soft off) by the power function, once it has its ports.
POWER_OFF = ("ba f80c0000 b8 403b0080 ef"   # config address: 7.3 at 40h
             "ba fc0c0000 b8 01400000 ef"   # its ports are at 4000h
             "ba f80c0000 b8 803b0080 ef"   # at 80h: enable them
             "ba fc0c0000 b0 01 ee"
             "ba 04400000 66b8 0020 66ef")
# IRET with NT set: to the task that the TSS is linked to.
TASK_SWITCH = "9c 58 80cc40 50 9d cf"


def kernel(code):
    """The image of a kernel whose own part is CODE, in hex."""
    header = struct.pack("<3I", MAGIC, PLAIN, -(MAGIC + PLAIN) % 2**32)
    header += struct.pack("<5I", LOAD, LOAD, 0, 0, LOAD + HEADER_SIZE)
    return header + WRITE_X + bytes.fromhex(code) + WAIT
