"""guest_deviations.py - how emulators differ from the manual.

What TCG, the translator of QEMU 7.2, and Bochs 2.7 answer differently when the
programs of tests/guest ask: {topic: {check: reason}}.  test_guest.py wants each
of these to fail.

VMs under Socle may differ only where code of the guest runs as it is, as
VM_QEMU and VM_BOCHS say.
"""

_LIMIT = "checks no segment limit at an access"
_TYPE = "checks no type of a segment at an access"
_MSR = "unknown registers read as 0 and ignore writes"
_ALIGN = "never checks alignment"
_SSE = "raises no exception of SSE"
_EXT = "leaves EXT out of error codes"
_RESERVED = "leaves P out of the error code for a reserved bit"
_RF = "pushes no RF for a fault"
_NOTHING = "reads 0 where nothing is"

def _all(reason, *checks):
    return dict.fromkeys(checks, reason)


def _com(reason, *checks):
    return _all(reason, *(f"{port}: {check}" for port in ("COM1", "COM2")
                          for check in checks))


# In ring 0 under Socle, too: the code runs as it is.
_KERNEL_SEGMENTS = {
    **_all(_LIMIT, "expand-down: across the limit",
           "expand-down, 16 bits: across 64 KB",
           "expand-down: across that limit", "is a limit",
           "for the first access"),
    **_all(_TYPE, "and not written", "a null selector",
           "which nothing came of"),
}

TCG = {
    "board": {
        "port 80h reads back": "reads as nobody's",
        "nobody's port: misaligned": "reads as 0",
        **_all("does not split accesses to ports",
               "a word of a byte's: the rest is nobody's", "a word to a byte"),
        **_all("nobody's memory reads as 0", "nobody's memory",
               "nobody's memory: a byte"),
    },
    "exceptions": {
        "#DB INT1 from ring 3": "INT1 is #UD",
        "#UD LOCK MOV": "ignores LOCK where only memory is written",
        "#SS beyond the limit by PUSH": _LIMIT,
        "#SS beyond the limit by EBP": _LIMIT,
        "#GP RDMSR of an unknown one": _MSR,
        "#GP WRMSR of an unknown one": _MSR,
        "#GP null used": _TYPE,
        "#GP write to code": _TYPE,
        "#GP CR0.NW without CD": "does not look at CR0.NW",
        "#AC doubleword": _ALIGN,
        "#AC word across doublewords": _ALIGN,
        "#XM DIVSS by 0": _SSE,
        "#UD DIVSS by 0 without CR4.OSXMMEXCPT": _SSE,
        "#NP while #UD is delivered": _EXT,
        "#GP while #UD is delivered": _EXT,
        "RF in the flags of a fault": _RF,
        "RF when INT n itself faults": _RF,
    },
    "segments": {
        **_all(_LIMIT, "byte behind the limit", "word at the limit",
               "doubleword across the limit", "write across the limit",
               "add across the limit", "STOS across the limit",
               "limit 0 is no word", "far beyond",
               "expand-down: byte at the limit", "expand-down: byte 0",
               "expand-down: word across the limit",
               "expand-down, 16 bits: 64 KB",
               "expand-down, 16 bits: word at 64 KB - 1",
               "limit 1 in pages ends there",
               "expand-down stack: PUSH across the limit",
               "a PUSH that faults leaves ESP"),
        **_all(_TYPE, "write of read-only data", "add to read-only data",
               "write of code"),
        **_all("checks no limit of code", "running past the limit of code",
               "an instruction across the limit", "a jump past the limit"),
    },
    "kernel_segments": _KERNEL_SEGMENTS,
    "user_segments": {
        "running past the limit": "checks no limit of code",
    },
    "iret": {
        "EIP is beyond the limit": _LIMIT,
    },
    "gates": {
        "#SS: SS0 is absent": "raises #TS",
        "#SS: SS0 has no room": _LIMIT,
    },
    "paging": {
        "4 MB: a reserved bit": _RESERVED,
    },
    "pae": {
        **_all(_RESERVED, "a reserved bit in a PTE", "a reserved bit in a PDE",
               "2 MB: a reserved bit", "without NXE, bit 63 is reserved"),
        **_all("reads PDPTEs with each walk", "a new PDPTE is not seen",
               "INVLPG does not read PDPTEs"),
        **_all("checks no reserved bits of PDPTEs",
               "reserved bits of a PDPTE", "MOV CR3 that faults leaves CR3"),
    },
    "pae_tables": {
        **_all(_RESERVED, "NXE goes: NX is reserved",
               "an address that is too long", "a table's that is too long",
               "2 MB: one that is too long"),
        "PDPTEs have no A": "sets it there, too",
        "nothing is beyond 4 GB": _NOTHING,
        **_all("reads PDPTEs with each walk", "CR0.WP does not latch",
               "CR4.TSD does not"),
        **_all("checks no reserved bits of PDPTEs",
               "CR0.CD and a reserved bit", "leave CR0",
               "CR4.PGE and a reserved bit", "leave CR4",
               "CR0.PG and a reserved bit", "leave paging off"),
    },
    "real": {
        "a word at FFFF": _LIMIT,
    },
    "tables": _all(_NOTHING, "a table where nothing is",
                   "a page where nothing is"),
    "v86": {
        **_all(_LIMIT, "word at offset FFFF", "byte at offset 10000"),
    },
    "debug": {
        "low bits of the address do not count": "does not align breakpoints",
        "execute: not behind MOV SS": "MOV SS holds off no breakpoint",
        "data and step at once": "makes two traps of them",
        "data of MOV SS: one instruction later": "MOV SS holds off no trap",
        "DR6: bit 12 is always clear": "DR6 keeps it",
        **_all("does nothing with DR7.GD",
               "general detect: GD is clear in the handler",
               "general detect: MOV from DR7", "general detect: MOV to DR0"),
    },
    "pic": {
        "an edge whose line fell: gone": "keeps it",
    },
    "pit": {
        **_all("counts in modes 0 and 4 without the gate",
               "mode 0: without its gate it does not count",
               "mode 4: without its gate it does not count", "then the count",
               "read-back of the count",
               "read-back of three counters: the count"),
        **_all("inverts OUT",
               "mode 2: OUT is high but for one period", "mode 6 is mode 2",
               "mode 2: without its gate OUT is high", "mode 4: OUT is high",
               "mode 5: OUT is high", "mode 5: OUT stays high"),
        **_all("counts no BCD", "BCD: all digits are",
               "BCD: it counts on from 9999"),
        "mode 0: half a count makes OUT low": "waits for the other half",
        "mode 3: without its gate OUT is high": "OUT ignores the gate",
        "mode 5: none without a trigger": "the count starts it",
        "a control word ends a latch": "keeps it",
        "null count: no count yet": "never says so",
    },
    "control": {
        **_all("has no RDPMC at all", "RDPMC of no counter",
               "RDPMC of no counter in ring 3 with PCE"),
    },
    "flags": {
        "CMPXCHG8B sets ZF and leaves what ADD made": "takes old flags for "
        "its own: kernel/x86/quirks.h",
    },
    "killers": {
        **_all("MOV SS holds off no trap",
               "MOV SS and INT: before the handler's first",
               "MOV SS and INT: in ring 0"),
    },
    "locks": {
        **_all("ignores LOCK where nothing is written", "#UD LOCK BT",
               "#UD LOCK TEST"),
    },
    "ps2": {
        "memory": "the controller has none",
        "mouse: no command": "does not answer",
    },
    "rtc": {
        "the flag comes without the interrupt": "sets PF with PIE only",
    },
    "sysenter": {
        "SYSENTER: CS is null with RPL 3": "compares all bits with 0",
    },
    "uart": {
        **_com("loopback makes no deltas", "loop: DTR is DSR",
               "loop: RI's end is told, OUT2 is DCD", "modem: an interrupt"),
        **_com("sends eight bits always", "five bits"),
        **_com("a timeout hides the trigger", "FIFO: the trigger interrupts"),
        **_com("needs no OUT2", "without OUT2, not"),
    },
}

BOCHS = {
    "board": {
        **_all("does not split accesses to ports",
               "a word of a byte's: the rest is nobody's", "a word to a byte"),
    },
    "killers": {
        **_all("forgets a trap that waits when INT follows",
               "MOV SS and INT: before the handler's first",
               "MOV SS and INT: in ring 0"),
    },
    "pae_tables": {
        "CR0.WP does not latch": "each load of CR0 reads the PDPTEs",
    },
    "pic": {
        **_all("does not answer to poll", "poll", "poll acknowledges"),
        **_all("keeps the one chosen first",
               "set priority: the next one is highest",
               "set priority: it keeps others out"),
        "ICW1 forgets no level": "does",
    },
    "pit": {
        "mode 7 is mode 3": "has no mode 7",
    },
    "ps2": {
        "memory": "the controller has none",
        "translated: which set": "translates no answer",
        **_all("has no wheel", "mouse: with a wheel", "mouse: the fourth"),
    },
    "rtc": {
        "the flag comes without the interrupt": "sets PF with PIE only",
    },
    "uart": {
        **_com("the timeout goes with the last byte only",
               "timeout: reading ends it", "FIFO: the trigger interrupts"),
        **_com("clears no FIFO", "FIFO: cleared",
               "FIFO: switched off, it is cleared"),
        **_com("any reading of IIR ends THRE's interrupt",
               "THRE: still there"),
    },
}

# Who sleeps at the wrong moment may not see it.
TCG_SOMETIMES = {
    "pit": {
        "mode 1: triggered, OUT is low": "inverts OUT",
    },
}

# What depends on where things are in memory: may fail, may not.
BOCHS_SOMETIMES = {
    "code": {
        **_all("keeps an instruction across pages when only its second page "
               "is another", "its second page is another",
               "its second page is absent", "its second page is absent: EIP",
               "and comes back"),
    },
    "rtc": {
        **_all("takes a time that is set for daylight saving time",
               "alarm at midnight", "midnight",
               "a new century's first day", "its month", "its year",
               "binary, 24 hours", "BCD, 12 hours: noon",
               "binary, 12 hours: midnight"),
    },
}

# Who runs an instruction in a VM, TCG or the interpreter, depends on what came
# in between: each of these may fail, none must.
VM_QEMU = {
    "control": {
        **_all("only WAIT looks for an error of the x87",
               "ring 0: IRQ 13 at FLD1", "ring 0: before or behind FLD1",
               "ring 3: IRQ 13 at FLD1", "ring 3: before or behind FLD1"),
    },
    "exceptions": {
        "#SS beyond the limit by EBP": _LIMIT,
        "#GP null used": _TYPE,
        "#XM DIVSS by 0": _SSE,
        "#UD DIVSS by 0 without CR4.OSXMMEXCPT": _SSE,
    },
    "kernel_segments": _KERNEL_SEGMENTS,
    "locks": TCG["locks"],
    "segments": {name: reason for name, reason in TCG["segments"].items()
                 if name != "running past the limit of code"},
}

VM_BOCHS = {
    "code": BOCHS_SOMETIMES["code"],
}
