"""What `make chaos` says at its end is worth something: each promise that is broken is seen, and what is not over is
told so that a stranger knows what it is, why it waits, and since when.
"""

import itertools
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.chaos import calm
from local.chaos.load import Ask
from local.chaos.record import broken
from local.chaos.trouble import Trouble
from local.laptop import Laptop
from sluice_command.errors import NotNow

ASKS = (
    Ask("acme", "price", "DD1391-100", "price-1"),
    Ask("acme", "listing", "100", "create-1", "l-1"),
    Ask("acme", "change", "101", "update-1", "l-1"),
    Ask("acme", "ad", "110", "ad-1"),
    Ask("acme", "record", "CHAOS-1", "publish-1"),
)


class Seller:
    """The API of a tenant, in part. jobs: by id. letters: pages of the dead letters' jobs."""

    def __init__(self) -> None:
        self.jobs = {ask.job_id: _job("succeeded") for ask in ASKS}
        self.letters: list[list[str]] = [[]]
        self.record = "live"

    def job(self, job_id: str) -> dict[str, Any]:
        return self.jobs[job_id]

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        if path == "/v1/dead-letters":
            place = int(query["cursor"] or 0)
            more = str(place + 1) if place + 1 < len(self.letters) else None
            return {"deadLetters": [{"jobId": one} for one in self.letters[place]], "next": more}
        return {"state": self.record}


class World:
    """A laptop after a run in which nothing was lost, to be spoiled."""

    def __init__(self) -> None:
        self.seller, self.stack = Seller(), SimpleNamespace(name="s")
        self.listings = [_listing("100", "101")]
        self.ads = [SimpleNamespace(listing_id="110")]
        self.live, self.ever = ["CHAOS-1"], ["CHAOS-1"]
        self.jobs: list[dict[str, Any]] = [{"state": {"S": "succeeded"}}]
        self.sandbox = SimpleNamespace(listings=self._of(lambda: self.listings), ads=self._of(lambda: self.ads))
        self.sandbox.ebay_shop = lambda tenant: SimpleNamespace(
            live_of=lambda sku: [one for one in self.live if one == sku and tenant == "acme"],
            listings=self.ever if tenant == "acme" else [],
        )
        scan = SimpleNamespace(paginate=lambda TableName: [{"Items": self.jobs}])  # noqa: N803 - boto3's
        self.cloud = SimpleNamespace(client=lambda _: SimpleNamespace(get_paginator=lambda _: scan))

    @contextmanager
    def api(self, tenant: str) -> Any:
        yield self.seller

    def broken(self) -> list[str]:
        return broken(cast(Laptop, self), ASKS)

    @staticmethod
    def _of(found: Callable[[], Sequence[Any]]) -> Callable[[str], Sequence[Any]]:
        return lambda tenant: found() if tenant == "acme" else []


class Hours:
    """A clock of which each pause is an hour."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, _: float) -> None:
        self.now += 3_600


def _job(state: str, **more: Any) -> dict[str, Any]:
    reason = "final" if state in ("succeeded", "dead", "cancelled") else "due"
    return {"state": state, "wait": {"reason": reason, "message": "it is due"}, **more}


def _listing(amount: str, now: str, status: str = "ACTIVE", *, exists: bool = True) -> Any:
    operations = [SimpleNamespace(change=SimpleNamespace(amount=amount))]
    return SimpleNamespace(exists=exists, operations=operations, amount=now, status=status)


def test_nothing_is_broken_where_all_is_as_it_was_asked_for() -> None:
    assert World().broken() == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda w: w.seller.jobs.update({"price-1": _job("queued")}), "price of DD1391-100 (job price-1) is queued"),
        (lambda w: w.seller.jobs.update({"ad-1": _job("cancelled")}), "ad of eBay listing 110 (job ad-1) is cancelled"),
        (lambda w: w.seller.jobs.update({"price-1": _job("dead")}), "is dead, and no letter says why"),
        (lambda w: setattr(w.seller, "record", "failed"), "acme's eBay record CHAOS-1 (job publish-1) is failed"),
        (lambda w: setattr(w, "listings", []), "StockX listing at 100 (job create-1) has 0 listings at StockX"),
        (lambda w: w.listings.append(_listing("100", "100")), "has 2 listings at StockX"),
        (lambda w: setattr(w, "listings", [_listing("100", "100")]), "to 101 (job update-1) has 0 listings offered"),
        (lambda w: w.listings.append(_listing("7", "7")), "acme asked for 1 listings, and StockX has made {'100': 1"),
        (lambda w: setattr(w, "ads", []), "ad of eBay listing 110 (job ad-1) has 0 ads"),
        (lambda w: w.ads.append(SimpleNamespace(listing_id="110")), "has 2 ads"),
        (lambda w: w.live.clear(), "eBay record CHAOS-1 (job publish-1) has 0 listings at eBay"),
        (lambda w: w.live.append("CHAOS-1"), "has 2 listings at eBay"),
        (lambda w: w.ever.append("CHAOS-2"), "acme has 2 listings at eBay for 1 records"),
        (lambda w: w.jobs.append({"state": {"S": "queued"}}), "a job stands where nobody looks"),
        (lambda w: w.jobs.append({"state": {"S": "dead"}, "lane": {"S": "x"}}), "a job stands where nobody looks"),
    ],
)
def test_each_broken_promise_is_told(spoil: Callable[[World], object], said: str) -> None:
    world = World()
    spoil(world)
    assert [sentence for sentence in world.broken() if said in sentence]


def test_what_died_with_a_letter_is_told_and_was_perhaps_not_done() -> None:
    """However many letters there are: they come in pages."""
    world = World()
    world.seller.jobs["ad-1"] = _job("dead")
    world.seller.letters = [["other"], ["ad-1"]]
    world.ads.clear()
    assert world.broken() == []


def test_what_is_not_over_is_told_with_what_it_is_why_and_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calm, "time", Hours(1_795_348_860.0))  # 12:01:00
    leased = _job(
        "leased",
        kind="promotion.create",
        attempts=2,
        maxAttempts=8,
        updatedAt="2026-11-22T12:00:42.000Z",
        dueAt="2026-11-22T12:01:12.000Z",
        error={"code": "timed_out", "message": "eBay did not answer"},
    )
    world, ad = World(), Ask("acme", "ad", "110", "ad-1", asked_at=1_795_348_830.0)
    world.seller.jobs["ad-1"] = leased
    assert list(calm.unfinished(cast(Laptop, world), [*ASKS[:2], ad])) == [
        "acme's ad of eBay listing 110 (job ad-1), asked for 30 s ago: promotion.create is leased, 2 of 8 attempts "
        "used, last written 18 s ago, due in 12 s: it is due; last error timed_out: eBay did not answer"
    ]


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("live", None),
        ("failed", None),
        ("waiting", "the record is waiting; listing.publish is queued, 0 of any number"),
    ],
)
def test_a_record_is_over_when_it_is_live_or_given_up(record: str, told: str | None) -> None:
    seller, queued = Seller(), {"kind": "listing.publish", "attempts": 0, "maxAttempts": None, "error": None}
    seller.record = record
    seller.jobs["publish-1"] = _job("queued", updatedAt="2026-11-22T12:00:42.000Z", dueAt=None, **queued)
    found = calm.standing(cast(Any, seller), ASKS[4])
    assert found is None if told is None else str(found).startswith(told)


def test_of_a_cloud_that_does_not_answer_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(job_id: str) -> Any:
        raise NotNow("nothing answers")

    seller = Seller()
    monkeypatch.setattr(seller, "job", refuse)
    assert calm.standing(cast(Any, seller), ASKS[0]) == "not known (nothing answers)"


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> World:
    """A job that is queued, on a machine where hours pass between two looks."""
    monkeypatch.setattr(calm, "time", Hours())
    world, none = World(), {"kind": "market.refresh", "attempts": 0, "maxAttempts": 8, "error": None, "dueAt": None}
    world.seller.jobs["price-1"] = _job("queued", updatedAt="2026-11-22T12:00:42.000Z", **none)
    return world


def test_what_never_ends_is_told_by_name(waiting: World) -> None:
    said, rounds = list[str](), iter(range(0, 10_000, 50))
    with pytest.raises(calm.NeverOver, match=r"(?s)1 of 5 never did:.*price of DD1391-100 \(job price-1\)"):
        calm.settle(cast(Laptop, waiting), ASKS, lambda: next(rounds), said.append)
    assert said[0] == "calm: 1 of 5 are not over yet"
    assert any("market.refresh is queued" in line for line in said)


def test_a_slow_machine_is_waited_for(waiting: World) -> None:
    """Hours pass, and the schedules come by seldom: that says nothing of what will be."""
    looks, rounds = iter(range(60)), list[int]()

    def few() -> int:
        rounds.append(next(looks))
        if rounds[-1] == 50:
            waiting.seller.jobs["price-1"] = _job("succeeded")
        return rounds[-1]

    calm.settle(cast(Laptop, waiting), ASKS, few, lambda _: None)
    assert rounds[-1] >= 50


class Queues:
    """SQS with one queue. Who receives a message sees it no more."""

    def __init__(self, *bodies: str) -> None:
        self.waiting = [(f"first-{body}", body) for body in bodies]
        self.received: dict[str, str] = {}
        self._ids = itertools.count()

    def list_queues(self) -> Any:
        return {"QueueUrls": ["http://sqs/1/s-work"]}

    def receive_message(self, QueueUrl: str, MaxNumberOfMessages: int) -> Any:  # noqa: N803 - boto3's
        some, self.waiting = self.waiting[:MaxNumberOfMessages], self.waiting[MaxNumberOfMessages:]
        self.received |= dict(some)
        return {"Messages": [{"MessageId": one, "Body": body, "ReceiptHandle": one} for one, body in some]}

    def send_message_batch(self, QueueUrl: str, Entries: Any) -> Any:  # noqa: N803 - boto3's
        assert len(Entries) <= 10
        made = [(f"again-{next(self._ids)}", one["MessageBody"]) for one in Entries]
        self.waiting += made
        return {"Successful": [{"MessageId": one} for one, _ in made]}

    def delete_message_batch(self, QueueUrl: str, Entries: Any) -> None:  # noqa: N803 - boto3's
        for one in Entries:
            del self.received[one["ReceiptHandle"]]


def test_each_message_is_sent_twice_and_no_more_often_however_slowly_it_is_taken() -> None:
    """Else the queues of a slow machine would grow without end, and what fails then would say nothing of Sluice."""
    bodies = [f"m{number}" for number in range(25)]
    queues, stack = Queues(*bodies), SimpleNamespace(name="s")
    laptop = SimpleNamespace(cloud=SimpleNamespace(client=lambda _: queues), stack=stack)
    trouble = Trouble(cast(Laptop, laptop), Random(1), progress=lambda: 0)
    for _ in range(4):
        trouble.send_twice()
        assert sorted(body for _, body in queues.waiting) == sorted(bodies * 2)
        assert queues.received == {}
    assert [body for _, body in queues.waiting] != bodies * 2, "in another order"
    assert trouble.sent == len(bodies)
