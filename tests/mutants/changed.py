"""A mutant as a change of a function that is loaded already, so that nothing need be loaded anew for it."""

import inspect
import sys
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from tests.mutants.mutations import Mutant


class Change(NamedTuple):
    """`code` is what the function called `path` of the module runs now."""

    module: str
    path: tuple[str, ...]
    code: CodeType


def change(mutant: Mutant, source: str) -> Change | None:
    """The change that makes `mutant` of the file whose `source` is loaded.

    None where no function can be changed: what a module or a class begins with, or what a function is defined with.
    """
    before, after = (_functions(compile(text, mutant.file, "exec")) for text in (source, mutant.source))
    path = _outermost(mutant.where, before)
    if not path or path not in after:
        return None
    old, new = before[path], after[path]
    if _says(old) == _says(new) or old.co_freevars != new.co_freevars:
        return None
    return Change(module_of(mutant.file), path, new)


def module_of(file: str) -> str:
    """The module of a file of the engine."""
    return "sluice.jobs." + file.removesuffix(".py").replace("/", ".")


def make(change: Change) -> None:
    """Make it, in this process. Whoever has imported the function runs it as it is now."""
    owner: Any = sys.modules[change.module]
    for name in change.path[:-1]:
        owner = getattr(owner, name)
    _behind(vars(owner)[change.path[-1]]).__code__ = change.code


def _behind(found: Any) -> FunctionType:
    """The function that a name stands for, whatever it is wrapped in. What a cache keeps of it is forgotten."""
    found = getattr(found, "fget", getattr(found, "__func__", found))
    if forget := getattr(found, "cache_clear", None):
        forget()
    function: FunctionType = inspect.unwrap(found)
    return function


def _functions(code: CodeType) -> dict[tuple[str, ...], CodeType]:
    """The functions of a module, and of its classes, by their path; not those within functions."""
    found = dict[tuple[str, ...], CodeType]()
    for one in code.co_consts:
        if isinstance(one, CodeType):
            path = tuple(one.co_qualname.split("."))
            if one.co_flags & inspect.CO_OPTIMIZED:
                found.setdefault(path, one)
            else:
                found |= _functions(one)
    return found


def _outermost(where: str, functions: dict[tuple[str, ...], CodeType]) -> tuple[str, ...] | None:
    names = tuple(where.split("."))
    return next((names[:end] for end in range(1, len(names) + 1) if names[:end] in functions), None)


def _says(code: CodeType) -> tuple[object, ...]:
    """What the code does, wherever its lines stand."""
    constants = [_says(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts]
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_code, code.co_exceptiontable, tuple(constants), names
