#!/usr/bin/env python3
"""bench_bt.py - programs natively, under btrun, and under what others made.

    bench_bt.py BUILD [--only RUNNER,...] [--runs N] [PROGRAM...]

Runs BUILD/programs/* and prints how much processor time each takes, relative
to the hardware itself, with geometric means; all outputs must be the same.
A time is the best of several runs, which are interleaved, so that a busy
moment of this computer hits all runners alike.  Starting is not counted: it
is a row of its own, the time of a run with no rounds to do.

Without PROGRAM and --only all are run, and after them the benchmarks written
in C; everything is also written to BUILD/bench_bt.json.  For a quick look:

    bench_bt.py build --only native,btrun --runs 3 fib crc
"""
import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys

RUNS = 7
RUNS_SLOW = 3                   # of what is slow anyway ...
LONG_SECONDS = 5                # ... but one, if it takes so long
SLOW = ("qemu-i386", "valgrind")
NO_ROUNDS = "0"
MS = 1000


def runners(build):
    """{name: the words before the program's}"""
    return {
        "native": [],
        "btrun": [str(build / "btrun")],
        "qemu-i386": ["qemu-i386"],
        "valgrind": ["valgrind", "--tool=none", "-q"],
    }


def measure(argv):
    """Run ARGV: its output, and the processor time it took in seconds."""
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as child:
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(argv)}: exit code {child.returncode}")
    return output.decode(), usage.ru_utime + usage.ru_stime


class Times:
    """The best times of one program, {runner: seconds}."""

    def __init__(self, program, ways, runs, rounds=()):
        self.best = {name: math.inf for name in ways}
        outputs = {}
        for run in range(runs):
            for name, words in ways.items():
                if name in SLOW and (
                        run >= RUNS_SLOW or
                        LONG_SECONDS < self.best[name] < math.inf):
                    continue
                outputs[name], seconds = measure(
                    words + [str(program), *rounds])
                self.best[name] = min(self.best[name], seconds)
        if len(set(outputs.values())) != 1:
            sys.exit(f"{program.name}: outputs differ: {outputs}")

    def minus(self, start):
        for name, seconds in start.best.items():
            self.best[name] = max(self.best[name] - seconds, 1 / MS)

    def ratios(self):
        """{runner: its time / the native one}"""
        native = self.best["native"]
        return {name: seconds / native
                for name, seconds in self.best.items() if name != "native"}


def geometric_mean(values):
    return math.exp(math.fsum(map(math.log, values)) / len(values))


def print_row(name, native, values, form):
    print(f"{name:<12}{native:>12}"
          + "".join(format(value, form) for value in values), flush=True)


def compare(programs, ways, runs):
    """Measure and print; return {program: Times}, start included."""
    print_row("", "native ms", [name for name in ways if name != "native"],
              ">11")
    start = Times(programs[0], ways, runs, [NO_ROUNDS])
    found = {}
    for program in programs:
        times = found[program.name] = Times(program, ways, runs)
        times.minus(start)
        print_row(program.name, f"{times.best['native'] * MS:.0f}",
                  times.ratios().values(), "11.2f")
    return start, found


def in_c(build):
    """What the benchmarks in C say, {name: lines}."""
    large = build / "i386" / "usr/lib/gcc/i686-linux-gnu/12/cc1"
    files = {"bench_decode": [build / "vmkernel.elf", large],
             "bench_translate": [build / "vmkernel.elf", large]}
    said = {}
    for path in sorted((build / "bench").glob("bench_*")):
        if not (path.is_file() and os.access(path, os.X_OK)):
            continue
        print(f"{path.name}:", flush=True)
        done = subprocess.run([path, *files.get(path.name, [])], check=True,
                              stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL)
        said[path.name] = done.stdout.decode().splitlines()
        print("".join(f"    {line}\n" for line in said[path.name]), end="")
    return said


def arguments():
    parser = argparse.ArgumentParser(
        description="Compare btrun with the hardware and with others.")
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM")
    parser.add_argument("--only", metavar="RUNNER,...",
                        type=lambda text: text.split(","))
    parser.add_argument("--runs", type=int, default=RUNS)
    return parser.parse_intermixed_args()


def choose(args):
    """The programs and the ways to run them that were asked for."""
    folder = args.build / "programs"
    programs = ([folder / name for name in args.programs]
                or sorted(path for path in folder.iterdir()
                          if not path.suffix))
    for program in programs:
        if not program.is_file():
            sys.exit(f"no {program}: `make programs` builds them all")
    ways = runners(args.build)
    if args.only:
        ways = {name: words for name, words in ways.items()
                if name in args.only or name == "native"}
    return programs, ways


def main():
    args = arguments()
    programs, ways = choose(args)
    print(f"Processor time relative to native, best of {args.runs}:")
    start, found = compare(programs, ways, args.runs)
    means = {name: geometric_mean([times.ratios()[name]
                                   for times in found.values()])
             for name in ways if name != "native"}
    print_row("mean", "", means.values(), "11.2f")
    print_row("start, ms", f"{start.best['native'] * MS:.0f}",
              [start.best[name] * MS for name in means], "11.0f")

    if args.programs or args.only:
        return
    result = {
        "machine": platform.platform(),
        "start_seconds": start.best,
        "seconds": {name: times.best for name, times in found.items()},
        "ratios": {name: times.ratios() for name, times in found.items()},
        "geometric_mean": means,
        "in_c": in_c(args.build),
    }
    (args.build / "bench_bt.json").write_text(
        json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
