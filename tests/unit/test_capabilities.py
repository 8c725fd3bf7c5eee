"""The one list of capabilities says what the code has: kinds, routes, events, and who serves what."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from sluice import capabilities
from sluice.capabilities import CAPABILITIES, Capability
from sluice.jobs.model.kinds import JobKind
from tests.support.source import nodes, tree

ROOT = Path(__file__).parents[2]
SHARED = ROOT / "shared"
MODULES = {".".join(path.relative_to(SHARED).with_suffix("").parts): path for path in (SHARED / "sluice").rglob("*.py")}
HANDLERS = sorted((ROOT / "functions").glob("*/handler.py"))


def declaring(attribute: str) -> set[str]:
    """The modules that set `attribute` at their top."""
    return {
        module
        for module, path in MODULES.items()
        for node in tree(path).body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name) and target.id == attribute
    }


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules of ours that the file imports when it loads."""
    found = set[str]()
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found & MODULES.keys())


def reached(path: Path) -> set[str]:
    """The modules of ours that the file imports, by itself or through others."""
    seen, todo = set[str](), set(imported(path))
    while todo:
        module = todo.pop()
        seen.add(module)
        todo |= imported(MODULES[module]) - seen
    return seen


@pytest.mark.parametrize("one", CAPABILITIES, ids=lambda one: one.name)
def test_each_kind_is_declared_where_the_list_says(one: Capability) -> None:
    if not one.kinds:
        assert f"sluice.{one.name}.kinds" not in MODULES
        return
    declared: tuple[JobKind, ...] = import_module(f"sluice.{one.name}.kinds").KINDS
    assert sorted(kind.name for kind in declared) == sorted(one.kinds)
    for kind in declared:
        assert kind.handler.startswith(f"sluice.{one.name}."), "a capability's jobs are run by its own code"
        assert callable(kind.load())


def test_every_module_with_kinds_is_in_the_list() -> None:
    listed = {f"sluice.{one.name}.kinds" for one in CAPABILITIES if one.kinds}
    assert {module for module in MODULES if module.endswith(".kinds")} - {"sluice.jobs.model.kinds"} == listed


def test_every_module_with_routes_is_in_the_list() -> None:
    assert declaring("ROUTES") == set(capabilities.ROUTE_MODULES)


def test_every_event_that_is_put_on_the_bus_is_in_the_list() -> None:
    words = {
        str(node.args[0].value)
        for path in MODULES.values()
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "put_event"
        and isinstance(node.args[0], ast.Constant)
    }
    assert words
    assert words <= set(capabilities.EVENTS)


@pytest.mark.parametrize("path", HANDLERS, ids=lambda path: path.parent.name)
def test_a_function_serves_the_kinds_that_it_can_ask_for_or_run(path: Path) -> None:
    served = {
        str(argument.value)
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "capabilities.kinds"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    known = {one.name for one in CAPABILITIES if one.kinds}
    assert served <= known
    assert {one for one in known if f"sluice.{one}.kinds" in reached(path)} <= served
