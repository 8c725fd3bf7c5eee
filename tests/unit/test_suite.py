"""The suite itself: its longest files go first, and enough processes share them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from tests import conftest
from tests.support import stack
from tests.support.leftovers import Leftovers

FILES = sorted((ROOT / "tests").rglob("test_*.py"))


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_each_of_the_longest_files_is_there() -> None:
    """A file that was renamed would begin last, unnoticed."""
    named = [name for name in map(name_of, FILES) if name in conftest.LONGEST]
    assert sorted(named) == sorted(conftest.LONGEST)


def test_what_is_slow_is_there_and_much_is_not_slow() -> None:
    names = {name_of(path) for path in FILES} | {path.parent.name for path in FILES}
    assert set(conftest.SLOW) <= names
    fast = [path for path in FILES if not conftest.is_slow(path)]
    assert len(fast) > 0.8 * len(FILES)
    assert not [path for path in fast if name_of(path) in conftest.LONGEST]


@pytest.mark.parametrize(("markers", "left_out"), [("not slow", True), ("slow", None), ("", None)])
def test_heavy_proofs_are_not_even_loaded_where_they_are_left_out(markers: str, left_out: bool | None) -> None:
    class Asked:
        def getoption(self, name: str) -> str:
            return {"markexpr": markers}[name]

    asked: pytest.Config = Asked()  # type: ignore[assignment]
    heavy, light = (ROOT / "tests" / path for path in ("unit/api/test_fuzz.py", "unit/test_suite.py"))
    assert conftest.pytest_ignore_collect(heavy, asked) is left_out
    assert conftest.pytest_ignore_collect(light, asked) is None


def test_files_that_share_a_cloud_are_there_and_are_one_share() -> None:
    together = [name for group in conftest.TOGETHER for name in group]
    assert sorted(together) == sorted(name for name in map(name_of, FILES) if name in together)
    market, restore = ("tests/integration/test_market.py::test_a[x::y]", "tests/integration/test_restore.py::test_b")
    assert conftest.share_of(market) == conftest.share_of("tests/integration/test_commands.py::test_c")
    assert conftest.share_of(market) != conftest.share_of(restore)
    assert conftest.share_of("tests/unit/test_suite.py::test_d") == "tests/unit/test_suite.py"


def test_what_a_shell_says_of_aws_and_of_proxies_is_not_for_the_tests() -> None:
    """Else a profile that only somebody else's machine has, or a proxy before 127.0.0.1, would fail most of them."""
    shell = {"PYTHONPATH": f"{ROOT / 'shared'}{os.pathsep}{ROOT}", "PATH": os.environ["PATH"]}
    said = {"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    command = [sys.executable, "-c", "import os, tests.conftest; print(*os.environ)"]
    found = subprocess.run(command, env=shell | said, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "PATH" in found.stdout.split()
    assert not said.keys() & set(found.stdout.split())


def test_what_is_not_put_back_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a fixture that replaces what a context around its end has replaced before it."""
    part: Any = ModuleType("sluice.part")
    part.work, part.known = list, 1
    monkeypatch.setitem(sys.modules, part.__name__, part)
    leftovers = Leftovers()
    assert leftovers.look() == []
    with pytest.MonkeyPatch.context() as first, pytest.MonkeyPatch.context() as second:
        first.setattr(part, "work", tuple)
        second.setattr(part, "work", set)
    part.known = 2
    assert leftovers.look() == []
    with pytest.MonkeyPatch.context() as second, pytest.MonkeyPatch.context() as first:
        first.setattr(part, "work", tuple)
        second.setattr(part, "work", set)
    assert leftovers.look() == ["sluice.part.work"]
    assert leftovers.look() == []


def test_what_takes_long_is_looked_at_less_often_and_never_much_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now, looks = [0.0], list[float]()
    slept = SimpleNamespace(monotonic=lambda: now[0], sleep=lambda seconds: now.__setitem__(0, now[0] + seconds))
    monkeypatch.setattr(stack, "time", slept)

    def done_at(seconds: float) -> bool:
        looks.append(now[0])
        return now[0] >= seconds

    stack.until(lambda: done_at(1.0), "what comes soon")
    assert now[0] < 1.2
    now[0] = 0.0
    looks.clear()
    stack.until(lambda: done_at(60.0), "what takes a minute")
    assert len(looks) < 180
    assert max(later - earlier for earlier, later in pairwise(looks)) <= 0.5
    with pytest.raises(TimeoutError, match=f"what never comes: not within {stack.SECONDS:g} s"):
        stack.until(lambda: False, "what never comes")


class Process:
    """One of the processes that do tests, as the scheduler sees it."""

    def __init__(self) -> None:
        self.given = list[int]()
        self.shutting_down = False
        self.gateway = SimpleNamespace(id="gw")

    def send_runtest_some(self, places: list[int]) -> None:
        self.given += places

    def shutdown(self) -> None:
        self.shutting_down = True


class Asked:
    """The options of a run with two processes."""

    option = SimpleNamespace(loadscopereorder=False)

    def getvalue(self, name: str) -> list[str]:
        return {"tx": ["popen", "popen"]}[name]


def test_each_test_is_given_once_and_what_a_process_has_done_is_forgotten() -> None:
    tests = [f"tests/unit/test_{file}.py::test_{number}" for file in "abcdefg" for number in range(9)]
    scheduler = conftest.Together(Asked(), None)
    processes = Process(), Process()
    for process in processes:
        scheduler.add_node(process)
        scheduler.add_node_collection(process, tests)
    scheduler.schedule()
    done = set[int]()
    while left := [(one, place) for one in processes for place in one.given if place not in done]:
        process, place = left[0]
        done.add(place)
        scheduler.mark_test_complete(process, place)
    assert sorted(place for one in processes for place in one.given) == list(range(len(tests)))
    assert scheduler.tests_finished
    assert [scheduler.assigned_work[one] for one in processes] == [{}, {}]
    assert all(one.shutting_down for one in processes)


def test_the_longest_begin_then_what_needs_the_local_cloud() -> None:
    ordered = sorted(FILES, key=conftest._place)
    longest = len(conftest.LONGEST)
    assert [name_of(path) for path in ordered[:longest]] == list(conftest.LONGEST)
    integration = ["integration" in path.parts for path in ordered[longest:]]
    assert integration == sorted(integration, reverse=True)
    assert any(integration)


@pytest.mark.parametrize(
    ("arguments", "waiting"), [(["tests"], 2), (["tests/integration"], 2), (["tests/unit", "tests/property"], 0)]
)
def test_where_tests_wait_there_are_more_processes_than_cores(
    monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str], waiting: int
) -> None:
    class Asked:
        args = arguments

    monkeypatch.setattr(conftest, "cores", lambda: 2)
    assert conftest.pytest_xdist_auto_num_workers(Asked()) == 2 + waiting  # type: ignore[arg-type]
