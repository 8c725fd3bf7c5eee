"""Each mutant against the tests that reach it, in a process of its own.

```
 this process    has loaded everything, and collected the tests
 fork ──► changes one function ── runs tests, likeliest first, until one fails ── ends with what became of it
```
Where no function can be changed (see `changed`), the process is made before the engine is loaded, and loads it with one
module changed: slower.

A test that goes on for too long is ended, and has caught the mutant: of some, a hang is all that shows. What counts is
the time of the processor, so that a busy machine catches nothing.
"""

import contextlib
import gc
import importlib
import os
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType
from typing import Any, BinaryIO, Final, NamedTuple

import pytest
from hypothesis import Phase, settings

from tests.mutants import changed
from tests.mutants.changed import Change
from tests.mutants.mutations import Mutant
from tests.mutants.reach import ENGINE, QUIET, ROOT, Reach

CAUGHT, HUNG, SURVIVED, UNREACHED = "caught", "hung", "survived", "unreached"
# What is loaded once for all trials, pytest did not see being loaded. What tests print goes nowhere.
LOADED: Final = ("-s", "-W", "ignore::pytest.PytestAssertRewriteWarning")
# A test may take so many times as long as it does, and some seconds more; of a clock that does not stand still while
# others work, much longer.
TIMES, LEAST_S = 5, 5
WALL_TIMES, WALL_LEAST_S = 50, 120
# Who has caught a mutant of a function is so many times as likely to catch the next.
LIKELIER: Final = 10


class Verdict(NamedTuple):
    """What became of a mutant. by: the test that noticed it."""

    mutant: Mutant
    what: str
    by: str = ""


class _Trial(NamedTuple):
    """A mutant, the tests that reach it, the quickest first, and the change that makes it, if there is one."""

    mutant: Mutant
    tests: list[str]
    change: Change | None


class _Running(NamedTuple):
    """A trial in its process. told: the test that runs, or what went wrong."""

    trial: _Trial
    told: BinaryIO


class Trials:
    """Trials of mutants, `jobs` at once."""

    def __init__(self, reach: Reach, limit: float, jobs: int = 1) -> None:
        """limit: tests of so many seconds for each mutant."""
        self._reach = reach
        self._limit = limit
        self._jobs = jobs
        self._caught = Counter[tuple[str, str, str]]()

    def run(self, chosen: Sequence[Mutant], told: Callable[[Verdict], None]) -> None:
        """Try all of them. told: what became of each, as it becomes known."""
        sources = {one.file: (ENGINE / one.file).read_text() for one in chosen}
        trials = list[_Trial]()
        for mutant in chosen:
            if tests := self._reach.of(mutant, self._limit):
                trials.append(_Trial(mutant, tests, changed.change(mutant, sources[mutant.file])))
            else:
                told(Verdict(mutant, UNREACHED))
        _load(self._reach.modules)
        for verdict in self._verdicts((one for one in trials if one.change is None), self._anew):
            told(verdict)
        if quick := [one for one in trials if one.change is not None]:
            files = sorted({test.partition("::")[0] for one in quick for test in one.tests})
            status = pytest.main([*QUIET, *LOADED, *files], plugins=[_Collected(self, quick, told)])
            if status != pytest.ExitCode.OK:
                raise RuntimeError(f"pytest ended with {status}")

    def _verdicts(self, trials: Iterable[_Trial], run: Callable[[_Trial, int], int]) -> Iterator[Verdict]:
        left, running = iter(trials), dict[int, _Running]()
        while True:
            while len(running) < self._jobs and (trial := next(left, None)):
                trial.tests.sort(key=lambda test: self._place(trial.mutant, test))
                told = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the trial has ended
                running[_fork(trial, told.fileno(), run)] = _Running(trial, told)
            if not running:
                return
            process, status = os.wait()
            verdict = _verdict(running.pop(process), status)
            self._caught[verdict.mutant.file, verdict.mutant.where, verdict.by] += 1
            yield verdict

    def _place(self, mutant: Mutant, test: str) -> tuple[float, str]:
        times = 1 + LIKELIER * self._caught[mutant.file, mutant.where, test]
        return self._reach.seconds[test] / times, test

    def _anew(self, trial: _Trial, told: int) -> int:
        """Load the engine, one module of it changed, and run the tests."""
        sys.meta_path.insert(0, _Changed(trial.mutant))
        files = dict.fromkeys(test.partition("::")[0] for test in trial.tests)
        chosen = _Chosen(trial.tests, lambda test: self.begins(test, told))
        _allow(LEAST_S)
        os.pwrite(told, b"while loading", 0)
        return int(pytest.main([*QUIET, *LOADED, *files], plugins=[chosen]))

    def begins(self, test: str, told: int) -> None:
        """From now on `test` runs."""
        os.ftruncate(told, 0)
        os.pwrite(told, test.encode(), 0)
        _allow(self._reach.seconds[test])


def _load(modules: Iterable[str]) -> None:
    """Load what is not ours, once for all trials."""
    with warnings.catch_warnings(action="ignore"):
        for name in modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _fork(trial: _Trial, told: int, run: Callable[[_Trial, int], int]) -> int:
    """Begin a process that ends with what `run` returns."""
    if child := os.fork():
        return child
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        quiet = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(quiet, standard)
        os.chdir(ROOT)
        status = run(trial, told)
    except BaseException:  # noqa: BLE001 - the parent raises it
        os.ftruncate(told, 0)
        os.pwrite(told, traceback.format_exc().encode(), 0)
    finally:
        os._exit(status)


def _verdict(running: _Running, status: int) -> Verdict:
    mutant, told = running.trial.mutant, running.told
    with told:
        told.seek(0)
        last = told.read().decode()
    if os.WIFSIGNALED(status):
        return Verdict(mutant, HUNG if os.WTERMSIG(status) in (signal.SIGPROF, signal.SIGALRM) else CAUGHT, last)
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Verdict(mutant, SURVIVED)
        case pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.INTERRUPTED:
            return Verdict(mutant, CAUGHT, last)
        case other:
            raise RuntimeError(f"pytest ended with {other} for {mutant}\n{last}")


def _allow(seconds: float) -> None:
    """From now on, so much may be done before the process is ended."""
    signal.setitimer(signal.ITIMER_PROF, LEAST_S + TIMES * seconds)
    signal.setitimer(signal.ITIMER_REAL, WALL_LEAST_S + WALL_TIMES * seconds)


class _Repeatable:
    """Examples are the same in each trial."""

    def pytest_sessionstart(self) -> None:
        # What fails need not be made small, and no trial is to know of another.
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", settings.get_profile("sluice"), database=None, phases=phases, derandomize=True
        )
        settings.load_profile("mutants")


class _Collected(_Repeatable):
    """A session that has all tests, and runs some of them in a process for each mutant."""

    def __init__(self, trials: Trials, quick: Sequence[_Trial], told: Callable[[Verdict], None]) -> None:
        self._trials = trials
        self._quick = quick
        self._told = told

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {one.nodeid: one for one in session.items}
        gc.collect()
        gc.freeze()

        def run(trial: _Trial, told: int) -> int:
            if trial.change:
                changed.make(trial.change)
            chosen = [items[test] for test in trial.tests if test in items]
            for item, following in zip(chosen, [*chosen[1:], None], strict=True):
                self._trials.begins(item.nodeid, told)
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    return int(pytest.ExitCode.TESTS_FAILED)
            return int(pytest.ExitCode.OK)

        for verdict in self._trials._verdicts(self._quick, run):
            self._told(verdict)
        return True


class _Chosen(_Repeatable):
    """Of all that pytest finds, only the tests that matter, in their order."""

    def __init__(self, tests: Sequence[str], begins: Callable[[str], None]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._begins = begins

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted(
            (one for one in items if one.nodeid in self._places), key=lambda one: self._places[one.nodeid]
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._begins(nodeid)


class _Changed(MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, mutant: Mutant) -> None:
        self._name: Final = changed.module_of(mutant.file)
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
