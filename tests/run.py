#!/usr/bin/env python3
"""run.py - run Socle's tests and say in one line how they went.

    run.py unit BINARY...
    run.py fuzz [--seconds N] BINARY...
    run.py boot BUILD
    run.py programs [--long] BUILD
    run.py all BUILD [--seconds N] BINARY...

The Makefile builds everything first and calls this; BUILD is the folder with
vmkernel.elf and socle.iso.  Unit tests and fuzzers run one per processor,
the others one after another; how fast that goes makes no difference.  Only what
failed is shown in full.  The last line is "N passed, N failed[, N skipped]",
and the exit code is 0 only if something ran and nothing failed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

TESTS = pathlib.Path(__file__).resolve().parent
UNIT_TIMEOUT = 3600             # seconds for one unit test program
CORPUS_TIMEOUT = 1800           # seconds to replay a fuzzer's corpus
FUZZ_INPUT_TIMEOUT = 60         # one input that takes longer is a hang
FUZZ_MEMORY_MB = 1024
# What these find needs a person's judgement: their model of a guest is smaller
# than what bytes can ask for.  Here only their corpus runs.
FUZZ_BY_HAND = {"lockstep"}
FUZZ_GRACE = 600                # seconds beyond the budget before we kill it

OK_LINE = re.compile(r"^\[ +OK \]", re.M)
FAILED_COUNT = re.compile(r"^\[ +FAILED +\] (\d+) test\(s\)", re.M)
SKIPPED_COUNT = re.compile(r"^\[ +SKIPPED +\] (\d+) test\(s\)", re.M)


class Tally:
    """How many tests passed, failed and were skipped."""

    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        text = f"{self.passed} passed, {self.failed} failed"
        return text + (f", {self.skipped} skipped" if self.skipped else "")


def run_program(argv, timeout):
    """Run ARGV; return its exit code (None: timed out) and all its output."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, timeout=timeout,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace")
    except OSError as error:
        return -1, f"cannot run: {error}\n"


def how_it_ended(code):
    if code is None:
        return "timed out"
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def show_failure(name, code, output):
    bar = "-" * 70
    print(f"{bar}\nFAILED: {name} ({how_it_ended(code)})\n{output.rstrip()}\n"
          f"{bar}", flush=True)


def in_parallel(function, items):
    """Yield (item, function(item)) in order; one at a time per processor."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(items, pool.map(function, items))


# --- Unit tests --------------------------------------------------------------

def count_cmocka(code, output):
    """A program that dies counts as one failed test, however far it came."""
    tally = Tally(passed=len(OK_LINE.findall(output)),
                  failed=sum(map(int, FAILED_COUNT.findall(output))),
                  skipped=sum(map(int, SKIPPED_COUNT.findall(output))))
    silent = tally.passed + tally.failed + tally.skipped == 0
    if tally.failed == 0 and (code != 0 or silent):
        tally.failed = 1
    return tally


def run_units(binaries):
    total = Tally()
    for binary, (code, output) in in_parallel(
            lambda b: run_program([os.path.abspath(b)], UNIT_TIMEOUT),
            binaries):
        tally = count_cmocka(code, output)
        total.add(tally)
        if tally.failed:
            show_failure(binary, code, output)
    print(f"unit: {total} in {len(binaries)} programs", flush=True)
    return total


# --- Fuzzers -----------------------------------------------------------------

def run_fuzzer(binary, seconds):
    """Replay the corpus, then look for new inputs; up to two tests."""
    binary = pathlib.Path(binary)
    name = binary.name.removeprefix("fuzz_")
    corpus = TESTS / "fuzz" / "corpus" / name
    found = binary.parent / f"found-{name}"
    found.mkdir(exist_ok=True)
    common = [os.path.abspath(binary), f"-timeout={FUZZ_INPUT_TIMEOUT}",
              f"-rss_limit_mb={FUZZ_MEMORY_MB}",
              f"-artifact_prefix={binary.parent}/{name}-"]
    kept = [str(corpus)] if corpus.is_dir() else []
    results = [(f"{binary}, its corpus",
                *run_program(common + ["-runs=0"] + kept, CORPUS_TIMEOUT))]
    if name in FUZZ_BY_HAND:
        return results
    results.append((f"{binary}, {seconds} s",
                    *run_program(common + [f"-max_total_time={seconds}",
                                           str(found)] + kept,
                                 seconds + FUZZ_GRACE)))
    return results


def run_fuzzers(binaries, seconds):
    total = Tally()
    for _, results in in_parallel(lambda b: run_fuzzer(b, seconds), binaries):
        for name, code, output in results:
            total.add(Tally(passed=code == 0, failed=code != 0))
            if code != 0:
                show_failure(name, code, output)
    print(f"fuzz: {total} in {len(binaries)} programs", flush=True)
    return total


# --- Boot tests --------------------------------------------------------------

def count_junit(path, code):
    """Counts from pytest's report; no report or no test is one failure."""
    try:
        suite = xml.etree.ElementTree.parse(path).getroot().find("testsuite")
        number = {key: int(suite.get(key))
                  for key in ("tests", "failures", "errors", "skipped")}
    except (OSError, AttributeError, xml.etree.ElementTree.ParseError):
        return Tally(failed=1)
    failed = number["failures"] + number["errors"]
    tally = Tally(max(0, number["tests"] - failed - number["skipped"]),
                  failed, number["skipped"])
    if failed == 0 and code != 0:
        tally.failed = 1
    return tally


def run_pytest(kind, build, *options):
    """pytest shows its own progress and failures."""
    report = pathlib.Path(build) / f"{kind}-tests.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-B", "-m", "pytest", "-q", "--tb=short",
               "-p", "no:cacheprovider", f"--build={build}", *options,
               f"--junit-xml={report}", str(TESTS / kind)]
    code = subprocess.run(command, stdin=subprocess.DEVNULL,
                          check=False).returncode
    tally = count_junit(report, code)
    print(f"{kind}: {tally}", flush=True)
    return tally


def run_boot(build):
    shutil.rmtree(pathlib.Path(build) / "boot-logs", ignore_errors=True)
    return run_pytest("boot", build)


# --- Programs under btrun ----------------------------------------------------

def run_programs(build, is_long=False):
    return run_pytest("programs", build, *["--long"] * is_long)


# --- The command line --------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind in ("unit", "fuzz", "boot", "programs", "all"):
        sub = kinds.add_parser(kind)
        if kind in ("boot", "programs", "all"):
            sub.add_argument("build")
        if kind in ("fuzz", "all"):
            sub.add_argument("--seconds", type=int, default=10)
        if kind == "programs":
            sub.add_argument("--long", action="store_true")
        if kind not in ("boot", "programs"):
            sub.add_argument("binaries", nargs="*")
    return parser.parse_args()


def main():
    args = arguments()
    start = time.monotonic()
    total = Tally()
    binaries = getattr(args, "binaries", [])
    fuzzers = [b for b in binaries
               if pathlib.Path(b).name.startswith("fuzz_")]
    if args.kind in ("unit", "all"):
        total.add(run_units([b for b in binaries if b not in fuzzers]))
    if args.kind in ("fuzz", "all"):
        total.add(run_fuzzers(fuzzers, args.seconds))
    if args.kind in ("programs", "all"):
        total.add(run_programs(args.build, getattr(args, "long", False)))
    if args.kind in ("boot", "all"):
        total.add(run_boot(args.build))
    print(f"{time.monotonic() - start:.0f} s")
    print(total)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
