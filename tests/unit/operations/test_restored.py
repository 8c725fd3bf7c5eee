"""A stack is lost and restored from a backup: what was sent after the backup is found, and not sent again."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as cases
from hypothesis import strategies as st

from sluice.jobs.model.job import Job
from sluice.listings.stockx.changes import Action
from sluice.marketplaces.selling import Terms
from sluice.platform.clock import HOUR, SECOND
from sluice.platform.refused import Refused
from tests.support import backup
from tests.support.desk import Desk, open_desk
from tests.support.store import Store, store
from tests.support.stream import changes
from tests.unit.operations.test_bulk import create, statuses

Step = Callable[[Desk], Any]
LATER_S = 600
EXAMPLES = int(os.environ.get("SLUICE_EXAMPLES", "10"))


def nothing(_: Desk) -> None:
    """The lost stack did no more after the backup."""


def all_of_it(desk: Desk) -> None:
    """The lost stack did all that it had to do."""
    desk.finish()


def bring_back(desk: Desk, store: Store, folder: Path, items: backup.Items, at: int) -> None:
    """The stack is lost a while after what it did last, and comes back from the backup."""
    desk.later(LATER_S)
    changes("jobs")  # the lost stack's own stream
    assert backup.restore(store, items, folder, at, desk.clock.time, desk.config) == []
    desk.later(HOUR / SECOND)


def asked_and_claimed(desk: Desk) -> None:
    """A worker has the job, and was not heard of since."""
    desk.hand_over()
    job = next(job for job in desk.jobs() if job.lane)
    raw = job.to_dynamodb_dict() | {"state": {"S": "leased"}, "lane": {"S": "leased#0"}, "attempts": {"N": "1"}}
    Job.from_raw_data(raw | {"batch": {"S": "b1"}, "lease": {"N": "1"}, "reserved": {"N": "1"}}).save()


def submitted(desk: Desk) -> None:
    desk.tick()


@pytest.mark.parametrize("before", [nothing, asked_and_claimed, submitted])
@pytest.mark.parametrize("since", [nothing, submitted, all_of_it])
def test_a_create_is_made_once(before: Step, since: Step, desk: Desk, tables: Store, tmp_path: Path) -> None:
    asked = desk.create()
    before(desk)
    items, at = backup.take(tables), desk.clock.time
    if before is asked_and_claimed and since is not nothing:
        desk.later(HOUR / SECOND)  # its worker is gone; the scheduler hands it on
        since(desk)
    else:
        since(desk)
    bring_back(desk, tables, tmp_path, items, at)
    desk.finish()
    assert len(desk.real()) == 1
    assert desk.listing(asked.listing_id).status == "ACTIVE"
    assert desk.listing(asked.listing_id).marketplace_id == desk.real()[0].listing_id
    assert desk.story(asked.listing_id) == [("CREATE", "ACTIVE")]


@pytest.mark.parametrize("since", [nothing, all_of_it])
def test_a_new_price_is_sent_once(since: Step, desk: Desk, tables: Store, tmp_path: Path) -> None:
    listing_id = desk.active()
    desk.ask(listing_id, Action.UPDATE, Terms("160", "USD"))
    items, at = backup.take(tables), desk.clock.time
    since(desk)
    bring_back(desk, tables, tmp_path, items, at)
    desk.finish()
    assert desk.calls(method="PATCH") == 1
    assert [one.amount for one in desk.real()] == ["160"]
    assert desk.story(listing_id) == [("CREATE", "ACTIVE"), ("UPDATE", "ACTIVE")]


def test_a_create_is_made_once_though_its_price_has_changed_since(desk: Desk, tables: Store, tmp_path: Path) -> None:
    """The lost stack did both after the backup. The listing shows the new price, its operation says the old."""
    asked = desk.create()
    desk.ask(asked.listing_id, Action.UPDATE, Terms("160", "USD"))
    items, at = backup.take(tables), desk.clock.time
    desk.finish()
    assert [one.amount for one in desk.real()] == ["160"]
    bring_back(desk, tables, tmp_path, items, at)
    desk.finish()
    assert [one.amount for one in desk.real()] == ["160"]
    assert desk.listing(asked.listing_id).marketplace_id == desk.real()[0].listing_id


@pytest.mark.parametrize("since", [nothing, submitted, all_of_it])
def test_a_batch_of_creates_is_made_once(since: Step, desk: Desk, tables: Store, tmp_path: Path) -> None:
    asked = create(desk, 12)
    items, at = backup.take(tables), desk.clock.time
    since(desk)
    bring_back(desk, tables, tmp_path, items, at)
    desk.finish()
    assert len(desk.real()) == 12
    assert set(statuses(desk, asked)) == {"ACTIVE"}


def test_what_ended_before_the_backup_is_not_told_again(desk: Desk, tables: Store, tmp_path: Path) -> None:
    desk.active()
    told = list(desk.published)
    assert told
    items, at = backup.take(tables), desk.clock.time
    bring_back(desk, tables, tmp_path, items, at)
    assert desk.published == told
    desk.create(variant=1)
    desk.finish()
    assert len(desk.published) == 2 * len(told)


def test_no_budget_takes_calls_for_an_hour(desk: Desk, tables: Store, tmp_path: Path) -> None:
    desk.create()
    items, at = backup.take(tables), desk.clock.time
    desk.later(LATER_S)
    backup.restore(tables, items, tmp_path, at, desk.clock.time, desk.config)
    before = desk.calls()
    desk.tick()
    desk.later(HOUR / SECOND - 1)
    desk.tick()
    assert desk.calls() == before
    desk.later(1)
    desk.finish()
    assert len(desk.real()) == 1


STORY = st.lists(
    st.sampled_from(["create", "price", "delete", "batch", "tick", "poll", "later"]), min_size=2, max_size=10
)


@cases(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(before=["create"] * 6 + ["price"], since=["tick", "tick", "later", "poll", "tick"])
@given(before=STORY, since=st.lists(st.sampled_from(["tick", "poll", "later"]), max_size=8))
def test_whenever_the_backup_was_made_nothing_is_listed_twice(
    before: list[str], since: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with store() as tables, open_desk() as desk:
        made = list[str]()
        for word in before:
            act(desk, word, made)
        items, at = backup.take(tables), desk.clock.time
        for word in since:
            act(desk, word, made)
        bring_back(desk, tables, tmp_path_factory.mktemp("backup"), items, at)
        desk.finish(rounds=400)
        real = desk.real()
        assert len(real) <= len(made)
        ours = {desk.listing(one).marketplace_id for one in made} - {None}
        assert {one.listing_id for one in real} == ours
        assert not [one for one in made if desk.listing(one).open_changes()]


def act(desk: Desk, word: str, made: list[str]) -> None:
    """One step of a story. made: the listings asked for so far."""
    match word:
        case "create":
            made.append(desk.create(variant=len(made) % 5).listing_id)
        case "batch":
            made += [one.listing_id for one in create(desk, 11)]
        case "price" | "delete" if made:
            with suppress(Refused):
                action = Action.UPDATE if word == "price" else Action.DELETE
                desk.ask(made[-1], action, Terms("160", "USD") if word == "price" else None)
        case "tick":
            desk.tick()
        case "poll":
            desk.poll()
        case "later":
            desk.later(40)
