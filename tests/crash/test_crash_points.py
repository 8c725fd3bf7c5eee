"""However one request of a story ends, the story ends as if nothing had happened."""

from collections.abc import Callable

import pytest

from sluice.jobs.dispatch import rescue
from tests.crash import breaking
from tests.crash.breaking import OTHERS, broken, calm, told
from tests.crash.scenarios import SCENARIOS
from tests.support.store import Store


@pytest.mark.parametrize("story", OTHERS)
def test_a_story_that_is_broken_at_one_point_ends_as_if_it_had_not_been(
    story: str, tables: Store, record_property: Callable[[str, object], None]
) -> None:
    assert broken(tables, story, record_property) == ""


def test_every_kind_of_request_is_a_point(tables: Store) -> None:
    """DynamoDB's writes, transactions and reads, the other services of AWS, all marketplaces and a receiver."""
    passed = {name.partition(" /")[0] for story in SCENARIOS for name in calm(tables, story)[1]}
    parties = (
        *("dynamodb UpdateItem", "dynamodb PutItem", "dynamodb DeleteItem", "dynamodb TransactWriteItems"),
        *("dynamodb GetItem", "dynamodb Query", "dynamodb BatchGetItem", "sqs SendMessage", "lambda Invoke"),
        *("events PutEvents", "kms Encrypt", "kms Decrypt", "ssm GetParameter", "receiver", "POST", "GET", "DELETE"),
    )
    assert [party for party in parties if not any(name.startswith(party) for name in passed)] == []


def test_a_break_that_was_chosen_and_not_made_is_seen(tables: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a story has fewer requests than when the breaks were chosen."""
    made, (_, requests) = dict[str, object](), calm(tables, "cancel")
    name = f"cancel/lost/{len(requests)}"
    monkeypatch.setattr(breaking, "CHOSEN", name)
    assert broken(tables, "cancel", made.__setitem__) == f"{name}, not made: the story was over before"
    assert made == {breaking.BREAKS: 0}


def test_a_break_that_is_not_mended_is_seen(tables: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody takes back what a lost worker had, the story does not come to rest."""
    _, requests = calm(tables, "replay")
    at = next(at for at, name in enumerate(requests) if name.startswith("GET "))
    monkeypatch.setattr(rescue, "take_back", lambda *_: rescue.TakenBack())
    with pytest.raises(AssertionError, match="did not come to rest"):
        told(tables, "replay", at, "killed_before")
