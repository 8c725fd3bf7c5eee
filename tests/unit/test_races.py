"""Whoever loses a conditional write to others looks again, often enough to win, and at the end says that it lost."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import sluice
from sluice.catalog import enrichment
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import cancel
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.together import NotWritten
from sluice.listings.ebay import asking, following, suspects
from sluice.listings.stockx import request
from sluice.listings.stockx.changes import Action
from sluice.platform import races, tables
from sluice.platform.clock import SECOND
from sluice.platform.config.document import Config
from sluice.platform.http import routing
from sluice.webhooks import messages, turns
from sluice.webhooks.endpoints import TURN, Endpoint
from tests.support import lost_answers, work
from tests.support.desk import open_desk
from tests.support.ebay_seller import SKU, TENANT, open_ebay_seller
from tests.support.ebay_wanted import record
from tests.support.http import call
from tests.support.network import no_pauses
from tests.support.store import store
from tests.support.work import spec

NOON = 1_795_348_800_000
SOURCE = Path(sluice.__file__).parent
OTHERS = 40
# What a function has that answers a request.
API_MS = 10 * SECOND


@pytest.fixture
def pauses() -> Iterator[list[float]]:
    """How long each pause was; nobody waits."""
    with no_pauses() as pauses:
        yield pauses


def asked() -> None:
    enqueue(spec(), NOON)


def leased() -> None:
    asked()
    Job.get(spec().job_id).update(actions=[Job.state.set("leased"), Job.lease.set(1)])


def stands(_: object) -> object:
    job = Job.get(spec().job_id)
    return job.state, job.priority, job.tenants, job.rerun, job.priorities


def of_turn(_: object) -> object:
    found = Endpoint.get("acme", TURN)
    return found.turn_at, found.turn_until


class Loop(NamedTuple):
    """writes: the module that makes the write which is lost. act: what is done; told: what came of it."""

    writes: str
    act: Callable[[], object]
    told: Callable[[object], object] = lambda answer: answer
    before: Callable[[], object] = lambda: None


def of(case: str, writes: str) -> Loop:
    found = lost_answers.CASES[case]
    return Loop(writes, lambda: found.write(None), found.told, found.before)


LOOPS = {
    "joins a job": Loop(
        "jobs/queue/enqueue.py", lambda: enqueue(spec(tenant="bolt", priority=keys.HOT), NOON), stands, asked
    ),
    "asks for the next run": Loop("jobs/queue/enqueue.py", lambda: enqueue(spec(tenant="bolt"), NOON), stands, leased),
    "cancels a job": Loop(
        "jobs/queue/cancel.py", lambda: cancel.cancel(spec().job_id, "acme", NOON, Config()), before=asked
    ),
    "raises a job": of("raise a job", "jobs/queue/hasten.py"),
    "leaves a turn": Loop("webhooks/turns.py", lambda: turns.leave("acme", NOON + 1, NOON), of_turn),
    "changes a tracker": of("change a tracker", "pages/request.py"),
    "tells a tracker": of("tell a tracker", "pages/told.py"),
    "moves an enrichment on": Loop(
        "catalog/enrichment_table.py",
        lambda: enrichment.advance("acme", NOON, Config()),
        lambda found: getattr(found, "number", None),
    ),
    "changes suspects": Loop(
        "listings/ebay/suspects.py",
        lambda: suspects.change("ebay:acme", lambda known: known.hinted("r", {"one": "hint"}, ["one"])),
    ),
}


def others_first(monkeypatch: pytest.MonkeyPatch, module: str, times: int) -> None:
    """The first `times` writes that `module` makes find that somebody else was first; the item is as it was."""
    left = times

    def lose(write: Callable[..., Any], item: Callable[..., Any]) -> Callable[..., Any]:
        def made(*values: Any, **named: Any) -> Any:
            nonlocal left
            if left and sys._getframe(1).f_code.co_filename == str(SOURCE / module):
                left -= 1
                raise tables.ConditionFailed(item(*values))
            return write(*values, **named)

        return made

    def stored(model: Any, key: Any, *_: Any) -> Any:
        return model._get_connection().get_item(*key, consistent_read=True).get("Item")

    monkeypatch.setattr(tables, "update", lose(tables.update, stored))
    monkeypatch.setattr(tables, "put", lose(tables.put, lambda *_: None))


def outcome(loop: Loop, monkeypatch: pytest.MonkeyPatch, losses: int) -> object:
    with store(), work.kind(), monkeypatch.context() as patch:
        patch.setattr(messages, "announce", lambda *_: None)
        loop.before()
        others_first(patch, loop.writes, losses)
        return loop.told(loop.act())


@pytest.mark.parametrize("name", LOOPS)
def test_who_loses_to_many_others_does_it_all_the_same(
    name: str, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    alone = outcome(LOOPS[name], monkeypatch, 0)
    assert pauses == []
    assert outcome(LOOPS[name], monkeypatch, OTHERS) == alone
    assert len(pauses) == OTHERS - races.ROUNDS_AT_ONCE


@pytest.mark.parametrize("name", LOOPS)
def test_who_loses_for_ever_says_so_in_time(name: str, monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    with pytest.raises(races.Contention, match=f", {races.ROUNDS} times in a row$"):
        outcome(LOOPS[name], monkeypatch, 10 * races.ROUNDS)
    assert SECOND * races.LONGEST_PAUSE_SECONDS * len(pauses) < 0.7 * API_MS


def test_a_listing_that_many_change_at_once_is_changed(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    with store(), open_desk() as desk:
        listing = desk.active()
        ask, others = request._ask, list(range(OTHERS))
        monkeypatch.setattr(request, "_ask", lambda *given: False if others and others.pop() + 1 else ask(*given))
        assert desk.ask(listing, Action.DELETE).number == desk.listing(listing).last_change
        assert others == []
    assert len(pauses) == OTHERS - races.ROUNDS_AT_ONCE


@pytest.mark.parametrize(("losses", "status"), [(OTHERS, 202), (10 * races.ROUNDS, 503)])
@pytest.mark.usefixtures("pauses")
def test_a_record_that_others_change_all_the_time_can_be_sent_again_later(
    losses: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of ours, and none of the caller's."""
    with store(), open_ebay_seller() as seller:
        monkeypatch.setattr(routing, "clock", seller.clock)
        seller.put(record())
        write, others = asking._write, list(range(losses))

        def refused(change: Any) -> Any:
            if others:
                others.pop()
                raise NotWritten([])
            return write(change)

        monkeypatch.setattr(asking, "_write", refused)
        answer = call("PATCH", f"/v1/ebay/listings/{SKU}", body={"title": "Other shoes"}, tenant=TENANT)
        assert answer.status == status
        if status == 503:
            assert answer.json["error"]["code"] == "unavailable"
            assert len(others) == losses - races.ROUNDS


def test_a_case_of_a_record_that_many_change_at_once_is_opened(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    with store(), open_ebay_seller() as seller:
        seller.put(record())
        others_first(monkeypatch, "listings/ebay/following.py", OTHERS)
        following.open_case(seller.record(), "missing", (), NOON)
        assert [row["class"] for row in seller.record().drift or ()] == ["missing"]
    assert len(pauses) == OTHERS - races.ROUNDS_AT_ONCE


def test_those_who_lose_together_are_drawn_apart_by_pauses_of_random_length_that_grow(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    drawn = list[tuple[float, float]]()

    def longest(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr("random.uniform", longest)
    race = races.Race("it changed")
    for _ in range(races.ROUNDS - 1):
        race.lost()
    assert [low for low, _ in drawn] == [0] * (races.ROUNDS - 1 - races.ROUNDS_AT_ONCE), "the first are at once"
    assert pauses == [high for _, high in drawn]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (races.FIRST_PAUSE_SECONDS, races.LONGEST_PAUSE_SECONDS)
    assert pauses[1] == 2 * pauses[0]
    with pytest.raises(races.Contention, match=f"^it changed, {races.ROUNDS} times in a row$"):
        race.lost()


# Loops over a conditional write that are no `Race`, and why.
OTHERWISE = {
    "jobs/budgets/slots.py reserve_slots": "each loss tells whether the clock lies ahead, and changes the condition",
    "jobs/budgets/slots.py take": "a worker waits for its calls in any case; the budget is written by few",
    "jobs/budgets/slots.py leave": "may go untold",
    "jobs/budgets/seats.py take": "who goes without a seat comes again",
    "jobs/budgets/refusals.py refuse": "ends with a write that nobody can refuse, and soon",
    "jobs/queue/finish.py _end": "loses only to those who ask for the run that follows",
    "jobs/queue/nudge.py begin": "whoever was first answers for it too",
}


def loops() -> dict[str, bool]:
    """Every loop that makes a write again which others were first at, and whether it is a race."""
    found = dict[str, bool]()
    for path in SOURCE.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for loop in ast.walk(function):
                    if is_again(loop) and any(is_lost(part) for part in ast.walk(loop)):
                        text = ast.unparse(loop)
                        found[f"{path.relative_to(SOURCE)} {function.name}"] = "race.lost()" in text
    return found


def is_again(loop: ast.AST) -> bool:
    """`while True:`, or `for _ in range(…):`."""
    if isinstance(loop, ast.For):
        return ast.unparse(loop.target) == "_" and ast.unparse(loop.iter).startswith("range(")
    return isinstance(loop, ast.While)


def is_lost(part: ast.AST) -> bool:
    """Where a write that was refused is caught."""
    caught = part.type if isinstance(part, ast.ExceptHandler) else None
    if isinstance(part, ast.Call) and ast.unparse(part.func) == "suppress":
        return "ConditionFailed" in ast.unparse(part)
    return caught is not None and any(
        name in ast.unparse(caught) for name in ("ConditionFailed", "NotWritten", "WrongVersion", "AnsweredMeanwhile")
    )


def test_whoever_looks_again_does_it_as_a_race() -> None:
    """With a number of its own, and without a pause, a loop fails where nothing is wrong."""
    found = loops()
    assert {name for name, is_race in found.items() if not is_race} == set(OTHERWISE)
    assert len(found) > len(OTHERWISE) + 8
