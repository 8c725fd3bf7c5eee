"""Each kind of job is declared once, and looked up where the list of capabilities says."""

from dataclasses import replace

import pytest

from sluice.jobs.model import kinds
from sluice.jobs.model.kinds import JobKind, UnknownKind
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from tests.support import work
from tests.support.work import KIND

KINDS = (KIND,)


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_KINDS", {})
    monkeypatch.setattr(kinds, "_MODULES", {})


def test_a_kind_is_found_by_its_name_with_its_handler() -> None:
    kinds.serve({KIND.name: __name__})
    assert kinds.get(KIND.name) is KIND
    assert kinds.served() == [KIND]
    assert KIND.load() is work.handle


def test_what_is_served_is_loaded_when_it_is_looked_up() -> None:
    kinds.serve({KIND.name: "no.such.module"})
    with pytest.raises(ModuleNotFoundError):
        kinds.get(KIND.name)


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownKind, match="none"):
        kinds.get("no.such")
    kinds.serve({KIND.name: __name__})
    with pytest.raises(UnknownKind, match=KIND.name):
        kinds.get("no.such")


def test_a_name_that_its_module_does_not_declare_is_unknown() -> None:
    kinds.serve({"test.other": __name__})
    with pytest.raises(UnknownKind, match=r"test\.other"):
        kinds.get("test.other")


def test_who_does_not_know_a_kind_takes_the_usual_number_of_attempts() -> None:
    kinds.serve({KIND.name: __name__})
    assert kinds.most_attempts(KIND.name, Config()) == KIND.max_attempts != 5
    assert kinds.most_attempts("no.such", Config()) == 5 == JobKind("any", "a:b", frozenset()).max_attempts


def test_a_kind_with_a_timetable_is_tried_at_each_of_its_times(config: Config) -> None:
    """Whatever the kind itself says, and whether or not it is known here."""
    for waits in ((SECOND,) * number for number in range(1, 5)):
        times = replace(config, engine=Engine(timetables={KIND.name: waits}))
        assert kinds.most_attempts(KIND.name, times) == len(waits)
    kinds.serve({KIND.name: __name__})
    assert kinds.most_attempts(KIND.name, config) == 3


def test_what_is_not_known_here_stands_with_all_others_and_runs_by_itself() -> None:
    assert not kinds.is_listed_apart("no.such")
    assert not kinds.runs_together("no.such")
