"""What is made once serves the tests that follow: none of them can tell whether it made it."""

from typing import Any

import pytest

from sluice.platform.clock import DAY
from tests.support.stream import changes
from tests.unit.api import conftest
from tests.unit.api.conftest import MAIL, Cloud


def test_who_makes_it_and_who_comes_next_begin_alike(acme: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "_states", {})
    monkeypatch.setattr(conftest, "SERVES_MS", DAY)  # however slow this machine is

    def make() -> list[str]:
        acme.queued.append("a message")
        acme.parameter.put('{"engine": {"batch": 20}}')
        acme.mailbox.refuses.add(MAIL["mail"]["address"])
        return acme.enqueue("acme", "A-1", "A-2")

    def there() -> list[Any]:
        held = [acme.content(), [*acme.queued], [*acme.woken], [*acme.invoked], len(acme.parameter.versions)]
        return [*held, {*acme.mailbox.refuses}, changes("jobs")]

    made = acme.filled("two jobs", make)
    asked, before = list(made), there()
    assert (len(made), before[1], before[-1]) == (2, ["a message"], [])
    made.clear()
    acme.enqueue("acme", "A-1", "A-3")
    for held in (acme.queued, acme.invoked, acme.parameter.versions, acme.mailbox.refuses):
        held.clear()
    assert acme.filled("two jobs", make) == asked
    assert there() == before
    acme.enqueue("acme", "A-4")
    assert changes("jobs"), "what is done with it is told"
