"""Any history of requests, lost and late answers, outages, restarts and reconnections: one request never has two live
listings, and what Sluice says of a listing is true, or UNCONFIRMED.

Each reference asks for an amount of its own, so what the marketplace made is known by what it was created for.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import RLock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.sandbox.faults import Disconnect, ExpiredToken, Fault, MalformedJson, ServerError, Throttle
from local.sandbox.outcomes import FailOperation, ListLate, NoResult, StayPending
from local.sandbox.stockx.listings import Change as Set
from local.sandbox.stockx.listings import Listing as RealListing
from sluice.jobs.model.job import Job
from sluice.jobs.model.states import FINAL
from sluice.jobs.queue.cancel import cancel
from sluice.listings.stockx import bulk
from sluice.listings.stockx.bulk import TermsEdit
from sluice.listings.stockx.changes import Action
from sluice.listings.stockx.request import ListingDraft
from sluice.listings.stockx.table import Listing
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.selling import Terms
from sluice.platform.refused import Refused
from tests.support.desk import TENANT, Desk, open_desk
from tests.support.store import Answer, Request, store
from tests.unit.operations.test_recovery import Killed, kill_after

REFERENCES = 3
LISTINGS, BATCHES, ONE = "/v2/selling/listings", "/v2/selling/batch/*", "/v2/selling/listings/*"

# What may go wrong for a while. A list is never later than the 15 minutes for which a lost create is looked for.
FAULTS: dict[str, tuple[Fault, ...]] = {
    "none": (),
    "a create's answer is lost": (Disconnect(method="POST", path="/v2/selling/*", last=1),),
    "a create's answer is no JSON": (MalformedJson(method="POST", path="/v2/selling/*", last=1),),
    "a create does not arrive": (ServerError(method="POST", path="/v2/selling/*", last=1),),
    "answers to changes are lost": (
        Disconnect(method="PATCH", path="*"),
        Disconnect(method="DELETE", path="*", last=1),
    ),
    "changes do not arrive": (ServerError(method="PATCH", path="*"), ServerError(method="PUT", path="*", last=1)),
    "nothing can be checked": (ServerError(method="GET", path="*", status=500),),
    "the token is refused": (ExpiredToken(path="/v2/selling/*"),),
    "too many calls": (Throttle(retry_after_s=60, last=2),),
    "operations fail": (FailOperation(), StayPending(seconds=30)),
    "operations take long": (StayPending(seconds=1_200),),
    "the list is late": (ListLate(seconds=600), Disconnect(method="POST", path="/v2/selling/*", last=1)),
    "items say nothing": (NoResult(), ListLate(seconds=200)),
}
PAUSES = (1, 20, 60, 301, 901, 3_600)
BY_HAND: dict[str, Callable[[Desk, str], object]] = {
    "sold": lambda desk, real: desk.sandbox.stockx.sell(TENANT, real, desk.sandbox.front.now()),
    "deleted": lambda desk, real: _by_hand(desk, real, "DELETE", Set()),
    "repriced": lambda desk, real: _by_hand(desk, real, "UPDATE", Set("77", "USD")),
    "paused": lambda desk, real: _by_hand(desk, real, "DEACTIVATE", Set(active=False)),
}

WHO = st.integers(0, REFERENCES - 1)
REQUESTS = st.one_of(
    st.tuples(st.sampled_from(["create", "create inactive", "cancel"]), WHO),
    st.tuples(st.sampled_from(["update", "deactivate", "activate", "delete"]), WHO),
    st.tuples(st.just("bulk create"), st.integers(1, REFERENCES)),
    st.tuples(st.just("bulk update"), st.integers(201, 205)),
    st.tuples(st.just("bulk delete"), st.just(0)),
)
TROUBLE = st.one_of(
    st.tuples(st.just("faults"), st.sampled_from(["on", "off"])),
    st.tuples(st.just("kill"), st.sampled_from(["POST", "GET", "PATCH", "DELETE"])),
    st.tuples(st.sampled_from(["restart", "reconnect"]), st.just(0)),
    st.tuples(st.just("clock"), st.sampled_from([-60, 0, 60])),
    st.tuples(st.sampled_from(sorted(BY_HAND)), WHO),
)
# How long the world goes on after a step: rounds of a scheduler, a poller and a pause.
ROUNDS = st.lists(st.sampled_from(PAUSES), max_size=3)
STEPS = st.tuples(st.one_of(REQUESTS, TROUBLE), ROUNDS)


def _by_hand(desk: Desk, real: str, kind: str, change: Set) -> object:
    return desk.sandbox.stockx.by_hand(TENANT, real, kind, change, desk.sandbox.front.now())  # type: ignore[arg-type]


def amount(reference: int) -> str:
    return str(100 + reference)


@dataclass
class History:
    """What is going on.

    theme: what goes wrong when `faults` are on. touched: the marketplace's listings that somebody else has changed.
    """

    desk: Desk
    asked: dict[int, str] = field(default_factory=dict)
    theme: str = "none"
    touched: set[str] = field(default_factory=set)
    prices: int = 300

    def do(self, step: str, what: int | str) -> None:
        """One step; a worker may be killed by it."""
        with suppress(Killed, Refused):
            self._do(step, what)
        self.desk.hand_over()

    def _do(self, step: str, what: int | str) -> None:
        desk = self.desk
        match step, what:
            case (("create" | "create inactive"), int(reference)):
                active, terms_ = step == "create", Terms(amount(reference), "USD")
                asked = desk.create(terms_, reference=f"r{reference}", active=active)
                self.asked[reference] = asked.listing_id
            case "bulk create", int(many):
                terms = [(number, Terms(amount(number), "USD")) for number in range(many)]
                drafts = [ListingDraft(desk.variants[0], each, reference=f"r{number}") for number, each in terms]
                for number, done in enumerate(bulk.ask(Action.CREATE, drafts, "stockx", desk.asker())):
                    self.asked[number] = getattr(done, "listing_id", self.asked.get(number, ""))
            case (("bulk update" | "bulk delete"), _):
                action = Action.UPDATE if step == "bulk update" else Action.DELETE
                terms_ = Terms(str(what), "USD") if action is Action.UPDATE else Terms()
                edits = [TermsEdit(listing_id, terms_) for listing_id in self.asked.values() if listing_id]
                if edits:
                    bulk.ask(action, edits, "stockx", desk.asker())
            case (("update" | "deactivate" | "activate" | "delete"), int(reference)) if self.asked.get(reference):
                self.prices += 1
                terms_ = Terms(str(self.prices), "USD") if step == "update" else Terms()
                desk.ask(self.asked[reference], Action(step.upper()), terms_)
            case "cancel", int(reference) if self.asked.get(reference):
                for change in desk.listing(self.asked[reference]).open_changes():
                    cancel(change.job_id, TENANT, desk.clock.time, desk.config)
            case "faults", str(state):
                desk.sandbox.faults.set(*(FAULTS[self.theme] if state == "on" else ()))
            case "round", int(seconds):
                desk.later(seconds)
                desk.tick()
                desk.poll()
            case "kill", str(method):
                kill_after(desk, method, "/v2/selling")
            case (("tick" | "poll" | "tick and poll"), _):
                if "tick" in step:
                    desk.tick()
                if "poll" in step:
                    desk.poll()
            case "clock", int(ahead):
                desk.sandbox.front.ahead_ms = ahead * 1_000
            case "restart", _:
                token_cache.forget()
            case "reconnect", _:
                desk.connect()
            case _, int(reference) if step in BY_HAND and (real := self._live_id(reference)):
                self.touched.add(real)
                BY_HAND[step](desk, real)

    def _live_id(self, reference: int) -> str | None:
        made = [one for one in self.made(reference) if one.status == "ACTIVE" and not one.busy]
        return made[0].listing_id if made else None

    def made(self, reference: int) -> list[RealListing]:
        """What the marketplace has made for this reference."""
        return [one for one in self.desk.real() if one.operations[0].change.amount == amount(reference)]

    def calm(self) -> None:
        """Nothing goes wrong any more, and everything comes to its end."""
        self.desk.wire.after = lambda *_: None
        self.desk.sandbox.faults.set()
        self.desk.connect()
        self.desk.finish(rounds=250)

    def check(self) -> None:
        """What Sluice says is true or UNCONFIRMED, and no request has two live listings."""
        for reference in range(REFERENCES):
            made = self.made(reference)
            live = [one for one in made if one.status in ("ACTIVE", "INACTIVE")]
            assert len(live) <= 1, f"r{reference} has {len(live)} live listings"
            if self.asked.get(reference):
                self._check(self.desk.listing(self.asked[reference]), made, live)

    def _check(self, said: Listing, made: list[RealListing], live: list[RealListing]) -> None:
        if said.open_changes():
            return  # what is under way may be done at the marketplace before Sluice knows
        status, real = said.shown_status, next((one for one in made if one.listing_id == said.marketplace_id), None)
        assert status not in ("PENDING", "UNCONFIRMED"), "nothing is under way, so it must be known"
        if status == "FAILED":
            assert not live, "it is said that nothing was made"
            return
        assert real, f"it is said to be {status}, and is none of the marketplace's"
        if real.listing_id in self.touched:
            assert status in ("ACTIVE", "INACTIVE", real.status, "SOLD" if real.status == "MATCHED" else "")
        elif status == "DELETED":
            assert real.status == "DELETED"
        else:
            assert (status, said.amount) == (real.status, real.amount)


@contextmanager
def history() -> Iterator[History]:
    with store() as tables:
        lock = RLock()

        def one_at_a_time(_: Request, send: Callable[[], Answer]) -> Answer:
            with lock:
                return send()

        tables.around = one_at_a_time
        with open_desk() as desk:
            yield History(desk)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    theme=st.sampled_from(sorted(FAULTS)),
    ahead=st.sampled_from([-60, -15, 0, 15, 60]),
    steps=st.lists(STEPS, min_size=4, max_size=20),
)
def test_whatever_happens_what_is_said_is_true_or_unconfirmed(
    theme: str, ahead: int, steps: list[tuple[tuple[str, int | str], list[int]]]
) -> None:
    with history() as story:
        story.theme, story.desk.sandbox.front.ahead_ms = theme, ahead * 1_000
        story.do("faults", "on")
        for (step, what), rounds in steps:
            story.do(step, what)
            for seconds in rounds:
                story.do("round", seconds)
            story.check()
        story.calm()
        story.check()
        assert {job.state for job in Job.scan()} <= FINAL
        for listing_id in filter(None, story.asked.values()):
            assert not story.desk.listing(listing_id).open_changes()
            assert story.desk.listing(listing_id).shown_status != "UNCONFIRMED"
