"""The commands that pages show, taken apart as a shell would, as far as pages need it."""

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Words of the shell itself, before a command or alone.
KEYWORDS = {"for", "do", "done", "if", "then", "fi", "in", "{", "}"}
ASSIGNMENT = re.compile(r"^[A-Za-z_]\w*=")


class Block(NamedTuple):
    """A block of a page. before: the page's text up to it."""

    language: str
    text: str
    before: str


def blocks(page: str) -> list[Block]:
    """Every fenced block of a page."""
    return [Block(found[1], found[2], page[: found.start()]) for found in FENCE.finditer(page)]


def commands(text: str) -> list[str]:
    """The simple commands of a block for a shell, in their order: those in `$(…)` too, and each part of a pipe."""
    return [command for line in _lines(text) for command in _simple(line)]


def _lines(text: str) -> Iterator[str]:
    """Lines as the shell reads them: what ends in a backslash, or within quotes, goes on."""
    whole = ""
    for line in text.splitlines():
        whole += line
        if whole.endswith("\\"):
            whole = whole[:-1] + " "
            continue
        if _is_open(whole):
            whole += "\n"
            continue
        if whole.strip():
            yield whole.strip()
        whole = ""


def _is_open(line: str) -> bool:
    try:
        shlex.split(line.replace("…", "x"), comments=True)
    except ValueError:
        return True
    return False


def _simple(line: str) -> Iterator[str]:
    for inner in re.findall(r"\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)", line):
        yield from _simple(inner)
    line = re.sub(r"\$\([^()]*(?:\([^()]*\)[^()]*)*\)", "INNER", line)
    line = re.sub(r"^\w+\(\) ", "", line)  # the name of a function
    line = re.sub(r" > \S+$", "", line)  # where it is written to
    for part in _parts(line):
        words = part.split()
        while words and (words[0] in KEYWORDS or ASSIGNMENT.match(words[0])):
            words = [] if words[0] == "for" else words[1:]
        if words:
            yield part[part.index(words[0]) :] if words[0] in part else part


def _parts(line: str) -> list[str]:
    """What stands between `&&`, `|` and `;`, without comments."""
    lexer = shlex.shlex(line.replace("…", "x"), posix=False, punctuation_chars="|&;")
    lexer.whitespace_split, lexer.commenters = True, "#"
    parts, current = list[str](), list[str]()
    for token in lexer:
        if set(token) <= set("|&;"):
            parts.append(" ".join(current))
            current = []
        else:
            current.append(token)
    return [part for part in [*parts, " ".join(current)] if part]
