"""Which tests reach which lines of the engine, and how long each takes: so a mutant costs seconds.

It is written once for what the engine and its tests are just now, and read again while they stay so.
"""

import ast
import hashlib
import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import coverage
import pytest

from tests.mutants.mutations import Mutant

ROOT: Final = Path(__file__).parents[2]
ENGINE: Final = ROOT / "shared/sluice/jobs"
# The engine's own fast tests.
TESTS: Final = ("tests/unit/jobs", "tests/property", "tests/simulation", "tests/model")
KEPT: Final = ROOT / ".cache/mutants"
QUIET: Final = ("-q", "-p", "no:cacheprovider", "-x")


@dataclass(frozen=True)
class Reach:
    """What the tests reach.

    seconds: of the processor that each test takes, by its id. lines: by file of the engine and line, who runs it.
    modules: what is loaded then and is not ours, so that it need be loaded once only.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, frozenset[str]]]
    modules: tuple[str, ...]

    @property
    def files(self) -> set[str]:
        """The files of the tests."""
        return {test.partition("::")[0] for test in self.seconds}

    def of(self, mutant: Mutant, limit: float) -> list[str]:
        """The tests that run what is changed, the quickest first: so many as take `limit` seconds together.

        A constant is run when its file is loaded: who runs a line that names it may notice, and which test names it.
        """
        found = set[str]()
        if mutant.name:
            for file, line in _named(mutant.name):
                found |= self.lines.get(file, {}).get(line, frozenset())
            naming = {file for file in self.files if re.search(rf"\b{mutant.name}\b", (ROOT / file).read_text())}
            found |= {test for test in self.seconds if test.partition("::")[0] in naming}
        else:
            reached = self.lines.get(mutant.file, {})
            for line in range(mutant.lines[0], mutant.lines[1] + 1):
                found |= reached.get(line, frozenset())
        ordered = sorted(found, key=lambda test: (self.seconds[test], test))
        spent = list(accumulate(self.seconds[test] for test in ordered))
        return [test for test, sum_ in zip(ordered, spent, strict=True) if sum_ <= limit]


def known(folders: Sequence[str] = TESTS) -> Reach:
    """What the tests in `folders` reach now.

    Files of tests are run for it when they, or what they test, have changed since.
    """
    shared = _digest(path for folder in ("shared", "tests/support") for path in (ROOT / folder).rglob("*.py"))
    files = sorted(path for tests in folders for path in (ROOT / tests).rglob("test_*.py") if _is_of_the_engine(path))
    kept = {
        path: KEPT / f"{shared}-{_digest([path, *path.parent.glob('*.py')] if _shares(path) else [path])}.json"
        for path in files
    }
    if new := {path: where for path, where in kept.items() if not where.exists()}:
        KEPT.mkdir(parents=True, exist_ok=True)
        wanted = json.dumps({str(path.relative_to(ROOT)): str(where) for path, where in new.items()})
        subprocess.run([sys.executable, "-m", "tests.mutants.reach", wanted], cwd=ROOT, check=True)
    seconds, modules = dict[str, float](), dict[str, None]()
    lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for where in kept.values():
        told = json.loads(where.read_text())
        seconds |= told["seconds"]
        modules |= dict.fromkeys(told["modules"])
        for file, by_line in told["lines"].items():
            for line, tests in by_line.items():
                lines[file][int(line)] |= set(tests)
    frozen = {file: {line: frozenset(tests) for line, tests in by_line.items()} for file, by_line in lines.items()}
    return Reach(seconds, frozen, tuple(modules))


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _is_of_the_engine(path: Path) -> bool:
    """Whether its tests are the engine's: many properties are those of other rules."""
    return path.parent.name != "property" or "sluice.jobs" in path.read_text()


def _shares(path: Path) -> bool:
    """Whether the tests of a folder share what is written beside them."""
    return path.parent.name in ("simulation", "model")


@cache
def _named(name: str) -> frozenset[tuple[str, int]]:
    """Where the engine's functions name a constant, as file and line."""
    return frozenset(_uses(name))


def _uses(name: str) -> Iterator[tuple[str, int]]:
    """Where what is called `name` is used. What a function is defined with is used by its body."""
    for path in ENGINE.rglob("*.py"):
        file = str(path.relative_to(ENGINE))
        for node in ast.walk(_tree(path)):
            if _names(node, name):
                yield file, node.lineno  # type: ignore[attr-defined]
            elif isinstance(node, ast.FunctionDef) and any(_names(one, name) for one in ast.walk(node.args)):
                yield from ((file, line) for line in range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _names(node: ast.AST, name: str) -> bool:
    return name in (getattr(node, "id", None), getattr(node, "attr", None))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


class _Recorder:
    def __init__(self, measured: coverage.Coverage) -> None:
        self._measured = measured
        self.seconds = dict[str, float]()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        self._measured.switch_context(item.nodeid)
        began = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = round(time.process_time() - began, 3)
            self._measured.switch_context("")


def _record(kept: Mapping[str, str]) -> None:
    """Run these files of tests, and write what each of them reaches where it is kept."""
    measured = coverage.Coverage(data_file=None, config_file=False, include=[f"{ENGINE}/*"])
    recorder = _Recorder(measured)
    measured.start()
    status = pytest.main([*QUIET, *kept], plugins=[recorder])
    measured.stop()
    if status:
        sys.exit("the tests fail as they are; mutants can tell nothing now")
    lines: dict[str, dict[str, dict[int, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    data = measured.get_data()
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            for test in filter(None, contexts):
                lines[test.partition("::")[0]][str(Path(file).relative_to(ENGINE))][line].append(test)
    modules = sorted(_others())
    for tests, where in kept.items():
        seconds = {test: spent for test, spent in recorder.seconds.items() if test.startswith(f"{tests}::")}
        Path(where).write_text(json.dumps({"seconds": seconds, "lines": lines[tests], "modules": modules}))


def _others() -> Iterator[str]:
    """What is loaded and is not ours."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if "site-packages" in file and not name.startswith(("coverage", "_pytest", "pytest", "_virtualenv", "__")):
            yield name


if __name__ == "__main__":
    _record(json.loads(sys.argv[1]))
