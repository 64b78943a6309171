"""functions.py - finds the functions in a C file, by its layout.

Our layout makes that simple: a function's name stands in column 0 on the line
after its type, and its braces stand in column 0.  What looks like a function
but stands otherwise is returned with a `problem`.
"""
import re

CONTROL = re.compile(r"if|for|while|switch|[A-Z_]*FOR_EACH[A-Z_]*")
LEVELS = 3
ATTRIBUTES = re.compile(r"^(?:[A-Z_0-9]+(?:\([^()]*\))?\s+)+")


class Function:
    """NAME at LINE; LENGTH counts the lines between the braces."""

    def __init__(self, line, name, signature, length, problem=None):
        self.line, self.name, self.length = line, name, length
        self.parameters = count_parameters(signature)
        self.problem = problem


def count_parameters(signature):
    """Named parameters; a final `...` does not count."""
    inside = signature.partition("(")[2].rpartition(")")[0]
    depth, count = 0, 1
    for char in inside:
        depth += (char == "(") - (char == ")")
        count += char == "," and depth == 0
    if inside.strip() in ("", "void"):
        return 0
    return count - inside.rstrip().endswith("...")


def signature_start(lines, brace):
    """The line where the signature that ends above line BRACE begins."""
    start = brace - 1
    while start > 0 and lines[start].startswith((" ", "\t")):
        start -= 1
    return start


def functions(source):
    """All functions that SOURCE defines."""
    lines = source.bare.split("\n")
    for number, line in enumerate(lines):
        # A stub of a debug check, `...(void) {}`, is the exception.
        if re.match(r"\w[\w\s*]*\([^;=]*\)\s*\{(?!\}$)", line):
            yield Function(number + 1, line.split("(")[0].split()[-1], line,
                           0, "the brace must stand on a line of its own")
        if not line.startswith("{"):
            continue
        start = signature_start(lines, number)
        end = next((n for n in range(number, len(lines))
                    if lines[n].startswith("}")), len(lines))
        name = re.match(r"(\w+)\(", lines[start])
        signature = "\n".join(lines[start:number])
        if name is not None:
            yield Function(start + 1, name[1], signature, end - number - 1)
        elif "(" in lines[start]:
            yield Function(start + 1, lines[start].split("(")[0].split()[-1],
                           signature, end - number - 1,
                           "the name must stand in column 0, below its type")


def header_functions(source):
    """Names of all functions that a header declares or defines."""
    text, depth = [], 0
    for char in source.bare:
        depth += char == "{"
        if depth == 0:
            text.append(char)
        elif char == "}":
            depth -= 1
            text.append(";" if depth == 0 else "")
    names = []
    for piece in "".join(text).split(";"):
        piece = ATTRIBUTES.sub("", piece.strip())
        match = re.match(r"(?!typedef)[a-z][\w\s*]*?\b(\w+)\s*\(", piece)
        if match is not None:
            names.append(match[1])
    return names


def nesting_problems(source):
    """Lines where a control statement stands inside LEVELS others.

    Only braces count: `levels` remembers for each open brace whether a control
    statement opened it, rather than an initializer or an expression.
    """
    levels, parens, line = [], [], 1
    before = closed = ""                # last token; word before last (...)
    for token in re.findall(r"\n|\w+|[^\w\s]", source.bare):
        if token == "\n":
            line += 1
            continue
        if token == "(":
            parens.append(before)
        elif token == ")":
            closed = parens.pop() if parens else ""
        elif token == "{":
            levels.append(before in ("else", "do")
                          or before == ")" and bool(CONTROL.fullmatch(closed)))
        elif token == "}" and levels:
            levels.pop()
        elif CONTROL.fullmatch(token) and sum(levels) >= LEVELS:
            yield line
        before = token
