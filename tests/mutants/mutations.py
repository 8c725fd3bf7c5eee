"""What may be wrong with a file of the engine, one small change each. Pure.

The engine is written as lists of writes and conditions made of parts, so a change is above all one of these left out:

```
 leave out    a write of a list · a part of a condition (`&`, `|`, `and`, `or`) · a statement · an argument
 turn         a comparison · a test, always or never true · `not` · a sign · the bound of `min` and `max`
 shift        a whole number by one
```
What is only said (log lines, messages, annotations, docstrings) is left as it is.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "//"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "//"),
    ast.LShift: ("<<", ">>"),
}
# Calls that write, by the place of their condition among the arguments (see `sluice.platform.tables`).
CONDITION_OF = {"update": 3, "put": 1}
# What has a place in the source.
Placed = ast.expr | ast.stmt | ast.keyword
SPEAKERS = {"logger"}
# One more of these is as good: threads at once, and how often somebody who has lost a write tries again.
AS_GOOD = re.compile(r"(MOST_)?THREADS|TRIES")
# What only says what the types, or the code around it, say too: what an attribute may hold; that both are as long.
DECLARED = {"null", "strict"}


@dataclass(frozen=True)
class Mutant:
    """A file with one change.

    file: below `shared/sluice/jobs`. where: the function or class, `Grant.take`, or "" outside of them.
    line: of the change. lines: first and last of the statement, of a compound one its head; who runs one of them
    reaches the change. name: the constant that is changed, where it stands outside of functions.
    before, after: the lines that are changed, in one line each, which is how `survivors.toml` names a mutant.
    source: the whole file as changed.
    """

    file: str
    where: str
    line: int
    lines: tuple[int, int]
    name: str
    before: str
    after: str
    source: str = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Which mutant it is, though lines be added elsewhere in the file."""
        return self.file, self.where, self.before, self.after


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of `file`, in their order."""
    found = {one.key: one for one in _Finder(file, source).all() if one.before != one.after}
    return sorted(found.values(), key=lambda one: one.line)


class _Finder:
    def __init__(self, file: str, source: str) -> None:
        self._file = file
        self._bytes = source.encode()
        self._starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._tree = ast.parse(source)

    def all(self) -> Iterator[Mutant]:
        yield from self._within(self._tree, "", (1, 1), "", inside=False)

    def _within(
        self, node: ast.AST, where: str, lines: tuple[int, int], name: str, *, inside: bool
    ) -> Iterator[Mutant]:
        """The mutants of `node` and of all in it. inside: of a function."""
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            lines = (node.lineno, body[0].lineno - 1 if body else node.end_lineno or node.lineno)
            # What a function is defined with counts when it is called.
            lines = (lines[0], node.end_lineno or 0) if isinstance(node, ast.FunctionDef) else (lines[0], max(lines))
            if not inside and isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                name = target.id if isinstance(target, ast.Name) else name
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            where, inside = f"{where}.{node.name}".lstrip("."), inside or isinstance(node, ast.FunctionDef)
        if not inside and AS_GOOD.fullmatch(name):
            return
        for start, end, text in self._changes(node):
            yield self._mutant(where, lines, "" if inside else name, start, end, text)
        for child in _children(node):
            yield from self._within(child, where, lines, name, inside=inside)

    def _mutant(self, where: str, lines: tuple[int, int], name: str, start: int, end: int, text: str) -> Mutant:
        changed = self._bytes[:start] + text.encode() + self._bytes[end:]
        line = next(number for number, at in enumerate(self._starts[1:], 1) if at > start)
        first, last = self._starts[line - 1], next(at for at in self._starts if at >= end)
        before, after = (
            " ".join(part.decode().split())
            for part in (self._bytes[first:last], changed[first : last + len(changed) - len(self._bytes)])
        )
        return Mutant(self._file, where, line, lines, name, before, after, changed.decode())

    def _changes(self, node: ast.AST) -> Iterator[tuple[int, int, str]]:
        """The changes of `node` itself: from where to where, and what stands there instead."""
        match node:
            case ast.Compare():
                for left, operator, right in zip(
                    [node.left, *node.comparators], node.ops, node.comparators, strict=False
                ):
                    yield self._between(left, right, *COMPARISONS[type(operator)])
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
                yield self._instead(node, self._text(node.left))
                yield self._instead(node, self._text(node.right))
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                yield self._between(node.left, node.right, *ARITHMETIC[type(node.op)])
            case ast.BoolOp():
                word = " and " if isinstance(node.op, ast.And) else " or "
                for left_out in node.values:
                    kept = [self._text(one) for one in node.values if one is not left_out]
                    yield self._instead(node, kept[0] if len(kept) == 1 else f"({word.join(kept)})")
            case ast.UnaryOp(op=ast.Not() | ast.Invert() | ast.USub()):
                yield self._instead(node, self._text(node.operand))
            case ast.Constant(value=bool()):
                yield self._instead(node, str(not node.value))
            case ast.Constant(value=int() as number):
                yield self._instead(node, str(number + 1))
            case ast.If() | ast.IfExp():
                yield self._instead(node.test, "True")
                yield self._instead(node.test, "False")
            case ast.While():
                yield self._instead(node.test, "False")
            case ast.comprehension():
                for test in node.ifs:
                    yield self._instead(test, "True")
                yield from self._tuple(node.iter)
            case ast.For():
                yield from self._tuple(node.iter)
            case ast.Assign():
                yield from self._tuple(node.value)
                if not isinstance(node.targets[0], (ast.Name, ast.Tuple)):
                    yield self._instead(node, "pass")
            case ast.List(ctx=ast.Load()):
                yield from self._without_one(node.elts, node)
            case ast.Call() if not _speaks(node):
                yield from self._call(node)
            case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()) if not _speaks(node.value):
                yield self._instead(node, "pass")
            case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break() | ast.Delete():
                yield self._instead(node, "pass")

    def _call(self, node: ast.Call) -> Iterator[tuple[int, int, str]]:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in ("min", "max") and len(node.args) > 1:
            for one in node.args:
                yield self._instead(node, self._text(one))
        if len(node.args) > CONDITION_OF.get(name, 9):
            yield self._left_out(node.args, node.args[CONDITION_OF[name]])
        given: list[Placed] = sorted([*node.args, *node.keywords], key=self._at)
        if name[:1].islower() and len(given) > 1:
            for keyword in node.keywords:
                if keyword.arg not in DECLARED:
                    yield self._left_out(given, keyword)

    def _left_out(self, given: Sequence[Placed], one: Placed) -> tuple[int, int, str]:
        """Without one of the arguments that are `given`, and its comma."""
        place = given.index(one)
        if place == 0:
            return self._at(one), self._at(given[1]), ""
        return self._end(given[place - 1]), self._end(one), ""

    def _tuple(self, node: ast.expr) -> Iterator[tuple[int, int, str]]:
        if isinstance(node, ast.Tuple) and len(node.elts) > 1:
            yield from self._without_one(node.elts, node)

    def _without_one(self, elements: list[ast.expr], node: ast.expr) -> Iterator[tuple[int, int, str]]:
        opening, closing = ("[", "]") if isinstance(node, ast.List) else ("(", ",)")
        for left_out in elements:
            kept = [self._text(one, bare=True) for one in elements if one is not left_out]
            text = opening + ", ".join(kept) + (closing if kept else closing[-1])
            yield self._instead(node, text)

    def _between(self, left: Placed, right: Placed, old: str, new: str) -> tuple[int, int, str]:
        """The operator between two operands as another."""
        start, end = self._end(left), self._at(right)
        text = self._bytes[start:end].decode()
        return start, end, re.sub(re.escape(old).replace(r"\ ", r"\s+"), new, text, count=1)

    def _instead(self, node: Placed, text: str) -> tuple[int, int, str]:
        return self._at(node), self._end(node), text

    def _text(self, node: Placed, *, bare: bool = False) -> str:
        text = self._bytes[self._at(node) : self._end(node)].decode()
        simple = isinstance(
            node, (ast.Name, ast.Attribute, ast.Call, ast.Constant, ast.List, ast.Subscript, ast.Starred)
        )
        return text if bare or simple else f"({text})"

    def _at(self, node: Placed) -> int:
        return self._starts[node.lineno - 1] + node.col_offset

    def _end(self, node: Placed) -> int:
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What is looked at within `node`: no types, no decorators, and nothing that is only said."""
    if isinstance(node, ast.JoinedStr) or _speaks(node) or (isinstance(node, ast.keyword) and node.arg in DECLARED):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list") or (name == "slice" and isinstance(value, ast.Tuple)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _speaks(node: ast.AST) -> bool:
    """Whether it is a line of the log, or gives an error the text that it is told with."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
        return all(isinstance(one, (ast.JoinedStr, ast.Constant)) for one in node.args)
    return (
        isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in SPEAKERS
    )
