"""Each kind of job is registered once."""

from dataclasses import replace

import pytest

from sluice.jobs.model import kinds
from sluice.jobs.model.kinds import JobKind, UnknownKind
from sluice.platform.config.document import Config
from tests.support import work
from tests.support.work import KIND


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_KINDS", {})


def test_a_kind_is_found_by_its_name_with_its_handler() -> None:
    kinds.register(KIND)
    assert kinds.get(KIND.name) is KIND
    assert kinds.registered() == [KIND]
    assert KIND.load() is work.handle


def test_the_same_kind_may_be_registered_again_and_another_of_its_name_may_not() -> None:
    kinds.register(KIND)
    kinds.register(replace(KIND))
    with pytest.raises(ValueError, match="twice"):
        kinds.register(replace(KIND, max_attempts=9))


def test_an_unknown_kind_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownKind, match="none"):
        kinds.get("no.such")
    kinds.register(KIND)
    with pytest.raises(UnknownKind, match=KIND.name):
        kinds.get("no.such")


def test_who_does_not_know_a_kind_takes_the_usual_number_of_attempts() -> None:
    kinds.register(KIND)
    assert kinds.most_attempts(KIND.name, Config()) == KIND.max_attempts != JobKind.max_attempts
    assert kinds.most_attempts("no.such", Config()) == JobKind.max_attempts
