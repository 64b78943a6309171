"""sources.py - the files of the project, and C text that is easy to check.

Shared by the lint scripts.  A Source has its lines as they are, and `code`:
the same number of lines with comments and the insides of strings blanked, so
that a pattern finds only what the compiler would see.
"""
import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {"build", ".git", "__pycache__", "corpus"}
NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)


def blank(match):
    """Spaces for everything but newlines and the quotes themselves."""
    text = match[0]
    if text[0] in "\"'":
        return text[0] + " " * (len(text) - 2) + text[0]
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One file; `path` is relative to the project and uses slashes."""

    def __init__(self, path):
        self.path = path
        self.kind = pathlib.PurePath(path).suffix or path
        self.name = pathlib.PurePath(path).name
        self.folder = str(pathlib.PurePath(path).parent)
        self.is_test = path.startswith("tests/")
        self.text = (ROOT / path).read_text("utf-8", errors="replace")
        self.lines = self.text.split("\n")
        self.code = NOT_CODE.sub(blank, self.text)
        # Also without preprocessor lines, macro definitions included.
        self.bare = DIRECTIVE.sub(
            lambda m: re.sub(r"[^\n]", " ", m[0]), self.code)

    def find(self, pattern, text=None):
        """(line number, match) for each match of PATTERN in the code."""
        text = self.code if text is None else text
        for match in re.finditer(pattern, text, re.M):
            yield text.count("\n", 0, match.start()) + 1, match


def sources(*kinds):
    """All files whose suffix (or whole path) is one of KINDS."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if pathlib.PurePath(path).suffix in kinds or path in kinds:
                found.append(Source(path))
    return found
