"""Processor time is told by part, each without the parts within it."""

import threading
import time
from types import SimpleNamespace

import pytest

from bench import parts


class Cores:
    """Processor time that passes only by `work`: of each thread, and of the process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole, self.own = 0.0, threading.local()
        monkeypatch.setattr(time, "thread_time", lambda: getattr(self.own, "spent", 0.0))
        monkeypatch.setattr(time, "process_time", lambda: self.whole)

    def work(self, seconds: float) -> None:
        self.own.spent = getattr(self.own, "spent", 0.0) + seconds
        self.whole += seconds


@pytest.fixture
def cores(monkeypatch: pytest.MonkeyPatch) -> Cores:
    return Cores(monkeypatch)


def test_a_part_is_told_without_what_lies_within_it(cores: Cores) -> None:
    def outer() -> None:
        cores.work(1)
        place.inner(2)
        cores.work(4)

    place = SimpleNamespace(outer=outer, inner=cores.work)
    with parts.timed({"outside": [(place, "outer")], "inside": [(place, "inner")], "none": []}) as spent:
        cores.work(8)
        place.outer()
        place.inner(16)
    assert spent.parts == {"outside": 5, "inside": 18, "none": 0, parts.REST: 8}
    assert spent.whole == 31
    assert place.outer is outer


def test_a_call_that_fails_is_told_too_and_its_time_goes_no_further(cores: Cores) -> None:
    def fails() -> None:
        cores.work(1)
        raise ValueError("no")

    place = SimpleNamespace(fails=fails, work=cores.work)
    with parts.timed({"failing": [(place, "fails")], "working": [(place, "work")]}) as spent:
        with pytest.raises(ValueError, match="no"):
            place.fails()
        cores.work(2)
        place.work(4)
    assert spent.parts == {"failing": 1, "working": 4, parts.REST: 2}


def test_threads_are_told_together(cores: Cores) -> None:
    place = SimpleNamespace(work=cores.work)
    with parts.timed({"working": [(place, "work")]}) as spent:
        threads = [threading.Thread(target=lambda: place.work(3)) for _ in range(3)]
        for thread in threads:
            thread.start()
            thread.join()
    assert spent.parts["working"] == 9
