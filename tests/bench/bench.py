#!/usr/bin/env python3
"""bench.py - how fast Socle starts, and what it costs while idle.

    bench.py BUILD

Boots BUILD/socle.iso in QEMU with several sizes of memory, RUNS times each in
turn, so that a busy moment of this computer hits all sizes alike.  The time
from the Multiboot entry to the prompt is what Socle's own log says; medians
count.  Prints a table and writes BUILD/bench.json.
"""
import json
import pathlib
import platform
import statistics
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "boot"))

from qemu import Qemu           # noqa: E402  (after the path is set)
from socle import boot_ms       # noqa: E402

RUNS = 5
MEMORY_MB = (64, 256, 1024, 4096, 8192, 16384)
PROCESSORS = (1, 2, 4, 8)
SMALL_MB = 64
SETTLE_SECONDS, IDLE_SECONDS = 1, 10
EMULATOR = "qemu-system-x86_64"


def boot(build, name, memory, smp):
    logs = build / "boot-logs"
    logs.mkdir(exist_ok=True)
    machine = Qemu((logs / f"bench-{name}.log").resolve(),
                   iso=build / "socle.iso", binary=EMULATOR, cpu="max",
                   memory=f"{memory}M", smp=smp)
    try:
        machine.prompt()
    except AssertionError:
        machine.close()
        raise
    return machine


def boot_times(build, shapes):
    """{(memory, smp): the median time in ms}"""
    times = {shape: [] for shape in shapes}
    for run in range(RUNS):
        for memory, smp in shapes:
            machine = boot(build, f"{memory}M-{smp}-{run + 1}", memory, smp)
            times[memory, smp].append(boot_ms(machine.boot_log))
            machine.close()
    return {shape: statistics.median(found)
            for shape, found in times.items()}


def idle_share(build, smp):
    """Share of one processor that QEMU uses while nothing happens."""
    machine = boot(build, f"idle-{smp}", SMALL_MB, smp)
    try:
        machine.cpu_share(SETTLE_SECONDS)
        return machine.cpu_share(IDLE_SECONDS)
    finally:
        machine.close()


def main():
    build = pathlib.Path(sys.argv[1])
    by_memory = boot_times(build, [(memory, 1) for memory in MEMORY_MB])
    by_smp = boot_times(build, [(SMALL_MB, smp) for smp in PROCESSORS])
    slope = statistics.linear_regression(
        [memory / 1024 for memory, _ in by_memory], by_memory.values()).slope
    idle = {smp: idle_share(build, smp) for smp in (1, PROCESSORS[-1])}

    print(f"Multiboot entry to prompt, median of {RUNS}, {EMULATOR}:")
    for (memory, smp), ms in list(by_memory.items()) + list(by_smp.items()):
        print(f"{memory:8} MB {smp:3} CPU {ms:9.1f} ms")
    print(f"{slope:27.2f} ms per GB")
    for smp, share in idle.items():
        print(f"idle {smp:14} CPU {100 * share:9.2f} % of a processor")

    result = {
        "machine": platform.platform(),
        "boot_ms_by_memory_mb": {m: ms for (m, _), ms in by_memory.items()},
        "boot_ms_by_processors": {s: ms for (_, s), ms in by_smp.items()},
        "boot_ms_per_gb": slope,
        "idle_share_by_processors": idle,
    }
    (build / "bench.json").write_text(json.dumps(result, indent=2) + "\n",
                                      encoding="utf-8")


if __name__ == "__main__":
    main()
