"""What rounds count, and what is told of them; which shares of operations a look checks; when a run looks again."""

from collections.abc import Sequence

import pytest
from botocore.exceptions import EndpointConnectionError

from sluice.jobs.budgets import ledger, seats
from sluice.jobs.budgets.pace import Slowed
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.dispatch import poller
from sluice.jobs.dispatch.admission import Room
from sluice.jobs.dispatch.find_ready import Ready
from sluice.jobs.dispatch.punctual import _Coming, _PunctualRun, _Share
from sluice.jobs.dispatch.rounds import Done, Round, attempt, for_each
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND
from sluice.jobs.queue import lanes
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.run.runner import CALL_MS
from sluice.platform.clock import MINUTE, SECOND
from sluice.platform.config.document import Config
from sluice.platform.config.engine import Engine
from sluice.platform.config.limits import Limits, by_clock
from sluice.platform.context import Context
from tests.support.clock import VirtualClock
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

OPEN = Room(None, None, None)


def job(
    name: str, due_at: int, account: str = "stockx:acme", created_at: int = 0, kind: str = "test.work"
) -> Candidate:
    return Candidate(name, "", kind, "waiting", due_at, BACKGROUND, 1, account.partition(":")[2], account, created_at)


def test_a_round_has_done_what_its_parts_have_done() -> None:
    whole = Done(1, 2, 3, 4, 5, 6, {"a": "closed"}, 70, {"x": 7})
    whole.add(Done(9, 20, 30, 40, 50, 60, {"b": "paused"}, 80, {"x": 8, "y": 9}))
    assert whole == Done(1, 22, 33, 44, 55, 66, {"a": "closed", "b": "paused"}, 70, {"x": 7, "y": 9})
    whole.add(Done(oldest_due_at=60, oldest={"x": 6}))
    assert (whole.oldest_due_at, whole.oldest) == (60, {"x": 6, "y": 9})
    assert Done() == Done(0, 0, 0, 0, 0, 0, {}, None, {})


def test_since_when_the_oldest_waits_is_told_by_queue_and_of_all() -> None:
    """Nobody has waited for longer than since it was asked for."""
    done = Done()
    done.note_waiting(
        [job("a", 50), job("b", 40, created_at=45), job("c", 60, "ebay:acme"), job("d", 70, kind="other")]
    )
    done.note_waiting([job("e", 55)])
    assert done.oldest_due_at == 40
    assert done.oldest == {"test.work:stockx": 45, "test.work:ebay": 60, "other:stockx": 70}


def test_what_is_held_is_told_by_service_and_reason() -> None:
    done = Done(lanes=7, held={"stockx:a": "closed", "stockx:b": "closed", "ebay:app.1": "paused"}, oldest={"x": 5})
    done.oldest_due_at = NOON - 2_999
    assert done.told(NOON) == {
        "at": NOON,
        "lanes": 7,
        "held": 3,
        "oldest_due_age": 2,
        "held_by": {"stockx:closed": 2, "ebay:paused": 1},
        "oldest": {"x": 5},
    }


@pytest.mark.parametrize(("number", "requests"), [(0, 0), (1, 1), (33, 1), (34, 2)])
def test_a_round_reads_many_budgets_in_one_request(number: int, requests: int, store: Store) -> None:
    budgets, read = [f"ebay:app.{one}" for one in range(number)], list[int]()
    limits, window = Limits(by_clock(100), interval_ms=100), Window.of("ebay:app.0", NOON)
    for count, budget in enumerate(budgets, 1):
        ledger.reserve_calls(budget, limits, window, count)
        ledger.note_share(budget, window, "acme", count)
        ledger.close(budget, NOON + count, "429")

    def around(request: Request, send: Send) -> Answer:
        [table] = request.parameters["RequestItems"].values()
        read.append(len(table["Keys"]))
        return send()

    store.around = around
    found = Round(Snapshot(NOON, Config(), Accounts(lambda *_: {}))).usages(budgets)
    store.around = None
    assert found == {budget: ledger.read(budget, NOON) for budget in budgets}
    assert len({usage.hour for usage in found.values()}) == number
    assert (len(read), max(read, default=0) <= 100) == (requests, True)


def test_a_budget_of_which_something_is_left_out_is_read_by_itself(store: Store) -> None:
    """DynamoDB answers with what it has time for. Else its calls would seem unused, and itself open."""

    def around(_: Request, send: Send) -> Answer:
        answer = send()
        [(table, items)] = answer["Responses"].items()
        left_out = [{"budget": items[-1]["budget"], "window": items[-1]["window"]}]
        return {"Responses": {table: items[:-1]}, "UnprocessedKeys": {table: {"Keys": left_out}}}

    for budget in ("stockx:acme", "stockx:bolt"):
        ledger.close(budget, NOON + MINUTE, "429")
    store.around = around
    found = Round(Snapshot(NOON, Config(), Accounts(lambda *_: {}))).usages(["stockx:acme", "stockx:bolt"])
    assert [usage.closed_until for usage in found.values()] == [NOON + MINUTE]


def test_of_a_budget_itself_nothing_is_left_out(store: Store) -> None:
    asked = list[int]()

    def around(request: Request, send: Send) -> Answer:
        [(table, wanted)] = request.parameters["RequestItems"].items()
        asked.append(len(wanted["Keys"]))
        return send() if len(wanted["Keys"]) == 1 else {"Responses": {}, "UnprocessedKeys": {table: wanted}}

    ledger.reserve_calls("stockx:acme", Limits(by_clock(100)), Window.of("stockx:acme", NOON), 7)
    ledger.close("stockx:acme", NOON + MINUTE, "429")
    store.around = around
    usage = ledger.read("stockx:acme", NOON)
    store.around = None
    assert (usage.hour, usage.closed_until) == (7, NOON + MINUTE)
    assert asked == [2, 1, 1]


def test_where_budgets_cannot_be_read_together_each_is_read_by_itself(store: Store) -> None:
    lost = list[str]()

    def around(request: Request, send: Send) -> Answer:
        if request.operation == "BatchGetItem" and not lost:
            lost.append(str(request.parameters))
            raise EndpointConnectionError(endpoint_url="nowhere")
        return send()

    for tenant in ("acme", "bolt"):
        enqueue(spec(tenant, tenant=tenant), NOON)
    round_ = Round(Snapshot(NOON, Config(), Accounts(lambda asked, _: dict.fromkeys(asked, "ACTIVE"))))
    store.around = around
    found = round_.find(lanes.active(), MINUTE)
    assert {budget: len(ready.candidates) for budget, ready in found.items()} == {"stockx:acme": 1, "stockx:bolt": 1}
    assert (len(lost), round_.done.errors) == (1, 0)


def test_one_budgets_trouble_is_counted_and_holds_up_no_other() -> None:
    def serve(budget: str, part: Done) -> str:
        part.admitted += 1
        if budget == "b":
            raise ValueError(budget)
        return budget.upper()

    done = Done()
    assert for_each("abc", serve, done) == ["A", "C"]
    assert (done.admitted, done.errors) == (3, 1)
    assert attempt("b", serve) == (Done(admitted=1, errors=1), [])


@pytest.mark.parametrize(
    ("limits", "slowed", "at_once"),
    [
        # A thousand milliseconds of answers at 25 threads to a batch.
        (Limits(interval_ms=4, tolerance_ms=0), Slowed(), 10),
        (Limits(interval_ms=20, tolerance_ms=0), Slowed(), 2),
        (Limits(interval_ms=21, tolerance_ms=0), Slowed(), 1),
        (Limits(interval_ms=1_000, tolerance_ms=0), Slowed(), 1),
        (Limits(interval_ms=4, tolerance_ms=0), Slowed(20, 1), 2),
        (Limits(), Slowed(20, 1), 2),
        (Limits(), Slowed(), 7),
    ],
)
def test_as_many_batches_are_checked_at_once_as_keep_the_slots_busy(
    limits: Limits, slowed: Slowed, at_once: int
) -> None:
    ready = Ready("stockx:acme", limits, OPEN, [job(f"{number}", NOON) for number in range(7)], Usage(slowed=slowed))
    assert poller._at_once(ready) == at_once


@pytest.mark.parametrize(
    ("counts", "room", "most", "sizes"),
    [
        # Nothing limits what is checked at once: a batch each.
        ([7], OPEN, 99, [2, 2, 2, 1]),
        ([7], OPEN, 3, [2, 1]),
        ([7], OPEN._replace(checks=4), 99, [2, 2]),
        ([7], OPEN._replace(checks=4, paced=0), 99, [2, 2]),
        ([7], OPEN._replace(calls=3), 99, [2, 1]),
        ([3, 2], OPEN, 99, [2, 2, 1]),
    ],
)
def test_a_look_checks_batches_of_each_budget_and_the_longest_due_begin(
    counts: Sequence[int], room: Room, most: int, sizes: Sequence[int]
) -> None:
    ready = {
        f"stockx:{place}": Ready(
            f"stockx:{place}",
            Limits(),
            room,
            [job(f"{place}-{number}", NOON - 10 * number - place, f"stockx:{place}") for number in range(count)],
        )
        for place, count in enumerate(counts)
    }
    round_ = Round(Snapshot(NOON, Config(engine=Engine(batch=2)), Accounts(lambda *_: {})))
    shares = list(poller._shares(round_, ready, most).values())
    assert sorted((len(part) for _, part in shares), reverse=True) == sizes
    firsts = [part[0].due_at for _, part in shares]
    assert firsts == sorted(firsts)
    assert all(one.account == each.budget for each, part in shares for one in part)


def test_batches_that_the_slots_do_not_keep_busy_run_one_after_the_other() -> None:
    jobs = [job(f"{number}", NOON - number) for number in range(7)]
    round_ = Round(Snapshot(NOON, Config(engine=Engine(batch=2)), Accounts(lambda *_: {})))
    for pace, sizes in ((1_000, [7]), (20, [4, 3])):
        ready = Ready("stockx:acme", Limits(interval_ms=pace, tolerance_ms=0), OPEN, jobs)
        shares = poller._shares(round_, {"stockx:acme": ready}, 99)
        assert [len(part) for _, part in shares.values()] == sizes


@pytest.mark.parametrize(
    ("due", "again"),
    [
        ([], None),
        ([5_000], 5_000),
        ([5_000, 3_000, 9_000], 3_000),
        # Who is due and has no seat asks again in a second.
        ([0, 5_000], 1_000),
        ([-9_000], 1_000),
        ([300, 0], 300),
        ([2 * MINUTE], MINUTE + 1),
    ],
)
def test_a_run_looks_again_when_the_next_is_due_or_a_seat_may_be_free(due: list[int], again: int | None) -> None:
    """Or when its time is over."""
    run = _PunctualRun(Context(VirtualClock(NOON), Config()), NOON + MINUTE + CALL_MS, lambda *_: None, "stockx")
    ready = Ready("stockx:acme", Limits(), OPEN)
    waiting = [_Coming(ready, job(f"{number}", NOON + at)) for number, at in enumerate(due)]
    assert run._wait_for(waiting, NOON) == (None if again is None else NOON + again)
    assert SECOND == 1_000


def seated(
    due: Sequence[_Coming], running: Sequence[_Share], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> list[_Share]:
    """Who of `due` is seated beside `running`, where there are seats for all that are wanted."""

    def take(
        service: str, most: int, accounts: Sequence[str], now: int, until: int, _: seats.TakenSeats
    ) -> dict[int, str]:
        assert (service, most, now, until) == ("stockx", at_once, NOON, NOON + MINUTE)
        return {place: f"s{place}" for place in range(len(accounts))}

    monkeypatch.setattr(seats, "take", take)
    config = Config(limits={"stockx": Limits(by_account=True, at_once=at_once)})
    run = _PunctualRun(Context(VirtualClock(NOON), config), NOON + MINUTE, lambda *_: None, "stockx")
    return run.seat(due, running, NOON)


@pytest.mark.parametrize(
    ("at_once", "slowed", "running", "seats_"),
    [(4, 0, 0, 4), (4, 0, 3, 1), (4, 0, 4, 0), (4, 9, 0, 2), (4, 9, 1, 1), (4, 9, 2, 0), (5, 9, 0, 2), (1, 9, 0, 1)],
)
def test_a_budget_has_as_many_seats_as_there_are_and_half_of_them_where_it_is_slow(
    at_once: int, slowed: int, running: int, seats_: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = Ready("stockx:acme", Limits(), OPEN, usage=Usage(slowed=Slowed(slowed, 1 if slowed else 0)))
    at_it = [_Share(ready, [_Coming(ready, job(f"r{number}", NOON))], ["s9"]) for number in range(running)]
    due = [_Coming(ready, job(f"{number}", NOON)) for number in range(6)]
    shares = seated(due, at_it, at_once, monkeypatch)
    assert sum(len(share.jobs) for share in shares) == sum(len(share.seats) for share in shares) == seats_
    assert len(shares) == (seats_ > 0), "those of one account run in one batch"


def test_who_sits_already_has_its_turn_after_those_who_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each account runs in a batch of its own."""
    ready = {name: Ready(f"stockx:{name}", Limits(), OPEN) for name in ("acme", "zeta")}
    due = [_Coming(ready[name], job(f"{name}{number}", NOON, f"stockx:{name}")) for name in ready for number in (1, 2)]
    at_it = [_Share(ready["acme"], [_Coming(ready["acme"], job("r", NOON))], ["s9"])]
    assert seated([], at_it, 9, monkeypatch) == []
    shares = seated(due, at_it, 9, monkeypatch)
    told = {share.ready.budget: (len(share.jobs), share.seats) for share in shares}
    assert told["stockx:zeta"][1][0] == "s0", "it has none yet"
    assert {budget: many for budget, (many, _) in told.items()} == {"stockx:acme": 2, "stockx:zeta": 2}
    assert sorted(name for _, names in told.values() for name in names) == ["s0", "s1", "s2", "s3"]
