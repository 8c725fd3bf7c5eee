"""One mutant against the tests that reach it, in a process of its own.

```
 this process    has loaded everything that is not ours
 fork ──► loads the engine, one module of it changed ── runs tests, quickest first, until one fails ── tells by a pipe
```
A test that goes on for too long is ended, and has caught the mutant: of some, a hang is all that shows. What counts is
the time of the processor, so that a busy machine catches nothing.
"""

import contextlib
import importlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import Phase, settings

from tests.mutants.mutations import Mutant
from tests.mutants.reach import QUIET, ROOT, Reach

CAUGHT, HUNG, SURVIVED, UNREACHED = "caught", "hung", "survived", "unreached"
# What is loaded once for all trials, pytest did not see being loaded.
LOADED: Final = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
# A test may take so many times as long as it does, and some seconds more; of a clock that does not stand still while
# others work, much longer.
TIMES, LEAST_S = 5, 5
WALL_TIMES, WALL_LEAST_S = 50, 120


class Verdict(NamedTuple):
    """What became of a mutant. by: the test that noticed it."""

    mutant: Mutant
    what: str
    by: str = ""


def warm(reach: Reach) -> None:
    """Load what is not ours, once for all trials."""
    with warnings.catch_warnings(action="ignore"):
        for name in reach.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def trial(mutant: Mutant, tests: Sequence[str], seconds: dict[str, float]) -> Verdict:
    """Run `tests`, by their ids, against `mutant`. seconds: that each of them takes."""
    if not tests:
        return Verdict(mutant, UNREACHED)
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _run(mutant, tests, seconds, tell)
    os.close(tell)
    with os.fdopen(told) as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    last = lines[-1] if lines else "while loading"
    if os.WIFSIGNALED(status):
        return Verdict(mutant, HUNG if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM) else CAUGHT, last)
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Verdict(mutant, SURVIVED)
        case pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.INTERRUPTED:
            return Verdict(mutant, CAUGHT, last)
        case other:
            raise RuntimeError("\n".join([f"pytest ended with {other} for {mutant}", *lines]))


def _run(mutant: Mutant, tests: Sequence[str], seconds: dict[str, float], tell: int) -> None:
    """All that the child does."""
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(quiet, standard)
        os.chdir(ROOT)
        _allow(LEAST_S)
        sys.meta_path.insert(0, _Changed(mutant))
        files = dict.fromkeys(test.partition("::")[0] for test in tests)
        status = int(pytest.main([*QUIET, *LOADED, *files], plugins=[_Chosen(tests, seconds, tell)]))
    except BaseException:  # noqa: BLE001 - the parent raises it
        os.write(tell, traceback.format_exc().encode())
    finally:
        os._exit(status)


def _allow(seconds: float) -> None:
    """From now on, so much may be done before the process is ended."""
    signal.setitimer(signal.ITIMER_PROF, LEAST_S + TIMES * seconds)
    signal.setitimer(signal.ITIMER_REAL, WALL_LEAST_S + WALL_TIMES * seconds)


class _Chosen:
    """Of all that pytest finds, only the tests that matter, the quickest first."""

    def __init__(self, tests: Sequence[str], seconds: dict[str, float], tell: int) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._seconds = seconds
        self._tell = tell

    def pytest_sessionstart(self) -> None:
        # What fails need not be made small, and no trial is to know of another.
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", settings.get_profile("sluice"), database=None, phases=phases, derandomize=True
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (one for one in items if one.nodeid in self._places), key=lambda one: self._places[one.nodeid]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        os.write(self._tell, f"{nodeid}\n".encode())
        _allow(self._seconds[nodeid])


class _Changed(MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._name: Final = "sluice.jobs." + mutant.file.removesuffix(".py").replace("/", ".")
        self._source = mutant.source

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.origin:
            spec.loader = _Loader(fullname, spec.origin, self._source)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)
