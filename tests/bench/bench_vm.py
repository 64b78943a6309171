#!/usr/bin/env python3
"""bench_vm.py - Debian's kernel in a VM under Socle, and without Socle.

    bench_vm.py BUILD [--pairs N]

Boots Linux in QEMU to its shell, lets it do some jobs, and does the same in a
VM under Socle in the same QEMU, in turn, so that a busy moment of this computer
hits both.  Prints what takes how much longer, in time and in processor time of
the emulator, which others on this computer disturb less: medians over the
pairs.  Then where the VM's time went, by `vm stats` at the first prompt.

Once more both boot with -icount, where time is counted in instructions: exact
figures, the same on each computer.  All is written to BUILD/bench_vm.json.
"""
import argparse
import json
import pathlib
import platform
import re
import statistics
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "boot"))

from machine import plain           # noqa: E402  (after the path is set)
from qemu import EXACT, Qemu        # noqa: E402
from vms import Vm, boot            # noqa: E402

PAIRS = 3
EMULATOR = "qemu-system-x86_64"
LINUX, INITRD, VM = "linux-686", "initramfs.cpio", "debian"
APPEND = "console=ttyS0 nokaslr cryptomgr.notests"
LINUX_MB, SOCLE_MB = 128, 512
PROMPT = r"guest# (?:\x1b\[6n)?"
BOOT_TIMEOUT, JOB_TIMEOUT = 600, 300
EXITS_SHOWN = 12
GIGA = 10**9
NATIVE, IN_VM = "native", "VM"

# What kind of work it is, and the shell's line for it.
JOBS = {
    "user code": "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done",
    "system calls": "dd if=/dev/zero of=/dev/null bs=1 count=60000",
    "processes": "i=0; while [ $i -lt 60 ]; do /bin/busybox true; "
                 "i=$((i+1)); done",
    "pipe": "dd if=/dev/zero bs=64 count=4000 | cat >/dev/null",
    "memory": "dd if=/dev/zero of=/tmp/z bs=1M count=24; rm /tmp/z",
    "idle": "sleep 5",
    "terminal": "ls -lR /proc/1 /proc/self /dev | head -n 300",
}


class Cost:
    """What it takes from here on, in seconds: time, and processor time."""

    def __init__(self, machine):
        self.machine = machine
        self.start = time.monotonic(), machine.cpu_seconds()

    def now(self):
        return {"time": time.monotonic() - self.start[0],
                "processor": self.machine.cpu_seconds() - self.start[1]}


class Bench:
    """Starts machines, and keeps what they printed."""

    def __init__(self, build):
        self.build = build
        self.logs = build / "boot-logs"
        self.logs.mkdir(exist_ok=True)
        self.started = 0

    def start(self, **options):
        self.started += 1
        log = self.logs / f"bench-vm-{self.started}.log"
        return Qemu(log.resolve(), binary=EMULATOR, **options)

    def native(self, icount=None):
        """A machine with Linux at its prompt, and what that took."""
        guests = self.build / "guests"
        machine = self.start(
            kernel=guests / LINUX, append=APPEND, memory=f"{LINUX_MB}M",
            icount=icount, extra=("-initrd", str((guests / INITRD).resolve())))
        cost = Cost(machine)
        machine.expect(PROMPT, BOOT_TIMEOUT)
        return machine, cost.now()

    def in_vm(self, icount=None):
        """The same under Socle; it may take longer to come that far."""
        machine = boot(lambda **options: self.start(
            kernel=self.build / "vmkernel.elf", memory=f"{SOCLE_MB}M",
            icount=icount, **options), self.build / "vms.cpio")
        vm = Vm(machine, VM)
        cost = Cost(machine)
        vm.start()
        vm.attach()
        machine.expect(PROMPT, BOOT_TIMEOUT)
        return machine, cost.now()


def run(machine, line):
    """Type LINE at the guest's shell; return what it printed."""
    machine.send(line + "\r")
    machine.expect(r"\n", JOB_TIMEOUT)
    machine.expect(PROMPT, JOB_TIMEOUT)
    return plain(machine.before())


def run_jobs(machine):
    """{job: its Cost}"""
    costs = {}
    for name, line in JOBS.items():
        # A function first: what is typed is not part of the job.
        run(machine, f"job() {{ {line}; }}")
        cost = Cost(machine)
        run(machine, "job 2>/dev/null")
        costs[name] = cost.now()
    return costs


def stats_of(machine):
    """What `vm stats` says, while attached; and attached again."""
    vm = Vm(machine, VM)
    vm.detach()
    text = vm.do("stats")
    vm.attach()
    machine.expect(PROMPT, BOOT_TIMEOUT)
    work = re.findall(r"^(\w[^\n]*?) +(\d+\.\d{3}) +([\d.]+) %$", text, re.M)
    exits = re.findall(r"^(\w[^\n]*?) +(\d+) +(\d+) +([\d.]+) %$", text, re.M)
    return {
        "seconds": {name: float(seconds) for name, seconds, _ in work},
        "percent": {name: float(share) for name, _, share in work},
        "exits": [{"name": name, "count": int(count), "cycles": int(cycles),
                   "percent": float(share)}
                  for name, count, cycles, share in exits],
    }


def measure_pair(bench):
    """{what: {NATIVE: Cost, IN_VM: Cost}}, and the VM's statistics."""
    found = {}
    for side, start in (NATIVE, bench.native), (IN_VM, bench.in_vm):
        machine, cost = start()
        try:
            if side == IN_VM:
                stats = stats_of(machine)
            for name, cost in {"boot": cost, **run_jobs(machine)}.items():
                found.setdefault(name, {})[side] = cost
        finally:
            machine.close()
    return found, stats


def measure_exactly(bench):
    """Instructions that a boot takes, by who executes them."""
    machine, _ = bench.native(EXACT)
    up, idle = map(float, re.findall(r"\d+\.\d\d",
                                     run(machine, "cat /proc/uptime"))[:2])
    machine.close()
    machine, _ = bench.in_vm(EXACT)
    stats = stats_of(machine)
    machine.close()
    return {NATIVE: (up - idle) * GIGA,
            IN_VM: {name: seconds * GIGA
                    for name, seconds in stats["seconds"].items()},
            "exits": stats["exits"]}


def median_of(pairs, name, kind):
    """Of NAME's costs: native, in the VM, and the ratio within a pair."""
    costs = [(pair[name][NATIVE][kind], pair[name][IN_VM][kind])
             for pair in pairs]
    return {NATIVE: statistics.median(native for native, _ in costs),
            IN_VM: statistics.median(vm for _, vm in costs),
            "ratio": statistics.median(vm / max(native, 0.01)
                                       for native, vm in costs)}


def print_costs(medians):
    print(f"{'':14}{'TIME':>24}{'PROCESSOR TIME':>30}")
    print(f"{'':14}" + 2 * f"{NATIVE:>10}{IN_VM:>10}{'ratio':>9}")
    for name, kinds in medians.items():
        print(f"{name:<14}" + "".join(
            f"{m[NATIVE]:9.2f}s{m[IN_VM]:9.2f}s{m['ratio']:9.2f}"
            for m in kinds.values()))


def print_stats(stats):
    print("\nThe VM's work until its prompt:")
    for name, share in stats["percent"].items():
        print(f"    {name:<32}{share:27.1f} %")
    print(f"    {'why it was left':<32}{'count':>10}{'cycles':>10}")
    for row in stats["exits"][:EXITS_SHOWN]:
        print(f"    {row['name']:<32}{row['count']:10}{row['cycles']:10}"
              f"{row['percent']:7.1f} %")


def print_exact(exact):
    whole = sum(exact[IN_VM].values())
    print(f"\nInstructions until the prompt: {exact[NATIVE] / GIGA:.2f} G, "
          f"in the VM {whole / GIGA:.2f} G: {whole / exact[NATIVE]:.2f} times")
    for name, count in exact[IN_VM].items():
        print(f"    {name:<32}{count / GIGA:10.3f} G"
              f"{100 * count / whole:15.1f} %")


def main():
    parser = argparse.ArgumentParser(
        description="Compare Linux in a VM with Linux alone.")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    args = parser.parse_args()
    bench = Bench(args.build)
    print(f"Linux under Socle and alone, median of {args.pairs} pairs, "
          f"{EMULATOR}:", flush=True)
    pairs, stats = zip(*(measure_pair(bench) for _ in range(args.pairs)))
    medians = {name: {kind: median_of(pairs, name, kind)
                      for kind in ("time", "processor")} for name in pairs[0]}
    print_costs(medians)
    # The pair with the median share of the interpreter stands for all.
    typical = sorted(stats, key=lambda s: s["percent"]["interpreter"])[
        len(stats) // 2]
    print_stats(typical)
    exact = measure_exactly(bench)
    print_exact(exact)
    result = {"machine": platform.platform(), "medians": medians,
              "pairs": pairs, "stats": stats, "instructions": exact}
    (args.build / "bench_vm.json").write_text(
        json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
