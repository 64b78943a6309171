#!/usr/bin/env python3
"""style.py - the habits that a program can check.

Sizes, blanks, where a function's name stands, what a file opens with, and the
few words of C that belong in few places.  Prints file:line: and what is wrong.
A rule yields to a file where the code reads better for it: see EXEMPT.
"""
import re
import sys

from functions import functions, header_functions, nesting_problems
from sources import sources

C, TABLE, ASSEMBLY = (".c", ".h"), ".def", ".S"
WIDTH, WIDTH_TABLE = 80, 120
FILE_LINES = {".c": 500, ".h": 150, ".S": 200, ".py": 500, ".sh": 150,
              "Makefile": 250}
FUNCTION_LINES, FUNCTION_LINES_TEST = 60, 100
PARAMETERS, HEADER_FUNCTIONS = 4, 15
HEAD_LINES = range(4, 46)       # a header or a test may do with one less

# file: rules that it may break, each with its reason.
EXEMPT = {
    # One function per instruction.
    "kernel/x86/cpu.h": {"header size", "header functions"},
    # The types themselves are made here, by a macro.
    "kernel/base/addr.h": {"typedef"},
    # Behind guest_mem.h: whose memory, where, what, how much, what for.
    "vmm/core/memory_access.c": {"parameters"},
    # The interpreter's way to operands, in line.
    "vmm/interp/operand_int.h": {"parameters", "header functions"},
}

# Who may look inside an address (`.v`): the files that turn one kind into
# another.  Everybody else uses the functions of kernel/base/addr.h.
ADDRESS_FILES = {"kernel/base/addr.h"}

# Names that other people gave.
FOREIGN_NAMES = re.compile(r"LLVMFuzzer\w+|CMUnitTest|Zydis\w+|Zyan\w+")
UNFINISHED = r"\b(?:TOD[O]|FIXM[E]|XX[X])\b"    # not to find itself


def check_text(source):
    """Rules for files of every language."""
    width = WIDTH_TABLE if source.kind in (TABLE, ASSEMBLY) else WIDTH
    tabs = source.kind in (ASSEMBLY, "Makefile")
    for number, line in enumerate(source.lines, 1):
        if len(line.expandtabs()) > width:
            yield number, "width", f"wider than {width} columns"
        if "\t" in line and not tabs:
            yield number, "tab", "tab"
        if line != line.rstrip():
            yield number, "blank", "blanks at the end of the line"
    if not source.text.endswith("\n") or source.text.endswith("\n\n"):
        yield len(source.lines), "blank", "must end with one newline"
    limit = FILE_LINES.get(source.kind)
    if limit is not None and len(source.lines) - 1 > limit:
        yield limit, "header size" if source.kind == ".h" else "file size", \
            f"{len(source.lines) - 1} lines, more than {limit}"
    for line, match in source.find(UNFINISHED, source.text):
        yield line, "unfinished", f"{match[0]}: finish it, or refuse the case"


def check_head(source):
    """A file opens by saying what it is."""
    if source.kind == TABLE:
        if not source.text.startswith("/*"):
            yield 1, "head", "must open with a comment"
        return
    head = {".py": r'(?:#!.*\n)?"""', ".sh": r"#!.*\n# ",
            "Makefile": "# "}.get(source.kind, r"/\*\n \* ")
    named = "" if source.kind == "Makefile" else re.escape(source.name)
    if not re.match(head + named, source.text):
        yield 1, "head", f"must open with what {source.name} is"
    elif source.kind in C:
        lines = source.text.partition("*/")[0].count("\n") + 1
        least = HEAD_LINES.start - (source.is_test or source.kind == ".h")
        if not least <= lines < HEAD_LINES.stop:
            yield 1, "head", f"an opening comment of {lines} lines"


def check_words(source):
    """Words of C that belong in few places."""
    def each(pattern, rule, message):
        for line, match in source.find(pattern):
            yield line, rule, message.format(match[0].strip())

    for line, match in source.find(r"\b[A-Za-z]*[a-z]\d*[A-Z]\w*"):
        if not FOREIGN_NAMES.fullmatch(match[0]) and len(match[0]) > 2:
            yield line, "names", f"{match[0]}: no mixed case"
    yield from each(r"\btypedef\s+(?:struct|union)\b", "typedef",
                    "{}: name the structure where it is used")
    if source.kind == ".c":
        yield from each(r"^[ \t]*extern\b", "extern",
                        "extern belongs in a header")
        yield from each(r"^[ \t]*#[ \t]*(?:if|elif|ifdef|ifndef)\b"
                        r"(?!(?<=def)[ \t]+DEBUG[ \t]*$).*", "ifdef",
                        "`{}`: only DEBUG; choose at link time")
    if source.is_test or source.path.startswith("kernel/x86/"):
        return
    yield from each(r"\bvolatile\b", "volatile", "{} outside kernel/x86")
    yield from each(r"\b(?:asm|__asm__)\b", "asm", "{} outside kernel/x86")
    if source.path not in ADDRESS_FILES:
        yield from each(r"(?:\.|->)v\b", "address",
                        "looks inside an address: use kernel/base/addr.h")


def check_includes(source):
    """Own header first; each block of includes sorted."""
    block = []
    first = True
    own = f'"{source.path[:-2]}.h"'
    is_own = source.kind == ".c" and f"#include {own}" in source.text
    for number, line in enumerate(source.lines, 1):
        match = re.match(r"#include ([\"<].*)", line)
        if match is None or match[1].endswith('.def"'):
            block = []
            continue
        if first and is_own and match[1] != own:
            yield number, "includes", f"{own} must come first"
        if block and match[1] < block[-1] and not (first or block == [own]):
            yield number, "includes", f"{match[1]} is out of order"
        block.append(match[1])
        first = False


def check_functions(source):
    limit = FUNCTION_LINES_TEST if source.is_test else FUNCTION_LINES
    for f in functions(source):
        if f.problem:
            yield f.line, "layout", f.problem
        if f.length > limit:
            yield f.line, "function size", \
                f"{f.name} has {f.length} lines, more than {limit}"
        if f.parameters > PARAMETERS and not source.is_test:
            yield f.line, "parameters", \
                f"{f.name} has {f.parameters} parameters"
    if not source.is_test:
        for line in nesting_problems(source):
            yield line, "nesting", "more than 3 levels of nesting"
    if source.kind == ".h":
        names = header_functions(source)
        if len(names) > HEADER_FUNCTIONS:
            yield 1, "header functions", \
                f"{len(names)} functions, more than {HEADER_FUNCTIONS}"
        guard = re.sub(r"\W", "_", source.path).upper()
        if f"#ifndef {guard}\n#define {guard}\n" not in source.text:
            yield 1, "guard", f"include guard must be {guard}"


def check_python(source):
    try:
        compile(source.text, source.path, "exec")
    except SyntaxError as error:
        yield error.lineno or 1, "python", error.msg


def main():
    files = sources(*C, TABLE, ASSEMBLY, ".py", ".sh", "Makefile")
    bad = 0
    for source in files:
        checks = [check_text, check_head]
        if source.kind in C:
            checks += [check_words, check_includes, check_functions]
        elif source.kind == ".py":
            checks += [check_python]
        exempt = EXEMPT.get(source.path, ())
        for check in checks:
            for line, rule, message in check(source):
                if rule not in exempt:
                    bad += 1
                    print(f"{source.path}:{line}: {message}")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
