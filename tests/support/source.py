"""Source as Python reads it. A process reads each file once, whichever tests look at it."""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path


@cache
def tree(path: Path) -> ast.Module:
    """The file, read."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def nodes(path: Path) -> Sequence[ast.AST]:
    """All that the file is made of."""
    return list(ast.walk(tree(path)))
