"""One run of `listing.publish`, of jobs of one account: eBay is made equal to each record.

```
 each job ─► read ─► plan ┬ price and quantity alone ─► 25 in a call; a row that fails is tried alone
                          ├ more ────────────────────► one call after the other
                          └ nothing ─────────────────► done
```
Each record stands alone: what becomes of it is its own job's end.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sluice.jobs.model.outcomes import Failure, HandlerResult
from sluice.jobs.model.run import Run
from sluice.listings.ebay import attempt as attempts
from sluice.listings.ebay import (
    categories,
    comparing,
    endings,
    group_attempt,
    group_steps,
    known,
    locations,
    log_rows,
    metrics,
    moving,
    policies,
    promoting,
    publishers,
    same_seller,
    sellers,
    steps,
    table,
)
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import Attempt
from sluice.listings.ebay.desired import Status
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.facts import Facts
from sluice.listings.ebay.group_attempt import GroupAttempt
from sluice.listings.ebay.plan import Step, plan
from sluice.marketplaces.http.errors import MarketplaceFailure, NotFound
from sluice.marketplaces.publishing import MOST_PRICES, PriceResult, Publisher
from sluice.platform.observe import count


@dataclass
class _Publishing:
    """One record's way. end: its job's, once it is known."""

    run: Run
    publisher: Publisher
    attempt: Attempt | None = None
    end: HandlerResult | Exception | None = None

    def step(self, work: Callable[[], HandlerResult | None]) -> None:
        """Do `work`, whose outcome, or failure, is the end; None when there is more to do."""
        try:
            self.end = work()
        except Exception as error:  # noqa: BLE001 - this record's alone
            self.end = error
            if self.attempt and isinstance(error, Failure):
                self._keep(self.attempt, error)

    def _keep(self, attempt: Attempt, failure: Failure) -> None:
        if isinstance(failure, attempts.AttemptSuperseded) or getattr(failure, "logged", False):
            return
        try:
            self._check(attempt, failure)
            attempts.failed(attempt, failure)
        except Exception as error:  # noqa: BLE001 - the failure itself must not get lost behind its log
            failure.__context__ = error

    def _check(self, attempt: Attempt, failure: Failure) -> None:
        """A refusal may say more of the listing than of the change: it is read, and what it shows is stored."""
        if attempt.live and endings.is_refusal(failure):
            self.read_again(attempt)

    def read_again(self, attempt: Attempt) -> None:
        """The listing may not be as it is known: read it, and store what it shows."""
        record = attempt.record
        comparing.read_again(self.run, self.publisher, record)
        attempt.record = table.find(record.tenant, record.sku) or record

    def told(self) -> HandlerResult | Exception:
        """The end, which is known by now."""
        assert self.end is not None  # noqa: S101 - each way leads to one
        return self.end


def run(runs: Sequence[Run]) -> list[HandlerResult | Exception]:
    """Publish the records of some jobs of one account; what became of each.

    A result is `{"outcome": "published" | "unchanged" | "gone" | "in_group", "steps", "version", "listing_id"}`.
    """
    first = runs[0]
    began = first.clock.now()
    count("queue.dequeue", len(runs))
    publisher = publishers.open_for(first.job.account, first.calls, first.clock)
    locations.keep_fresh(first)
    pause, facts = sellers.paused(first.job.account, began), Facts(first.job.account)
    ways = [_Publishing(run, publisher) for run in runs]
    for way in ways:
        if way.run.payload["owner"].endswith(table.GROUPS):
            way.step(partial(_group, way, publisher, pause, facts))
        else:
            way.step(partial(_begin, way, pause, facts))
    quick = [way for way in ways if way.end is None and way.attempt and way.attempt.plan.is_quick]
    by_language: dict[str, list[_Publishing]] = defaultdict(list)
    for way in quick:
        assert way.attempt  # noqa: S101 - for the type checker
        by_language[way.attempt.want.language].append(way)
    for together in by_language.values():
        for start in range(0, len(together), MOST_PRICES):
            _set_prices(publisher, together[start : start + MOST_PRICES])
    for way in ways:
        if way.end is None:
            way.step(partial(_publish, way, publisher))
    ends = [way.told() for way in ways]
    metrics.published(runs, ends, began)
    return ends


def _begin(way: _Publishing, pause: tuple[int, str] | None, facts: Facts) -> HandlerResult | None:
    """Read the record and plan. The end where there is nothing to do."""
    run, now = way.run, way.run.clock.now()
    count("publish.attempt")
    record = table.find(run.payload["owner"], run.payload["sku"])
    if record is None:
        return _nothing("gone")
    if record.group:
        return _nothing("in_group")  # it has joined one since: the group's job publishes it
    want, there = record.wanted, known.of_record(record, now)
    attempt = way.attempt = attempts.begin(run, record, want, there)
    # Who only takes a listing down needs no policies.
    attempt.policies = (
        there.policies or attempts.NO_POLICIES if want.status is Status.ENDED else policies.ids(run, record, facts)
    )
    planned = attempt.plan = plan(want, attempt.policies, there)
    if planned.waits and not planned.steps:
        raise endings.no_revisions(planned.waits, record, now)
    if still := moving.holders(record.owner, [record]):
        raise endings.StillThere(record.sku, still[record.sku])
    if Step.PUBLISH in planned.steps:
        if there.ended_by_others:
            raise endings.ended(record.sku)
        same_seller.unless_taken(facts, record)
        categories.unless_unfit(facts.category(want.marketplace, want.category), want)
        if pause:
            raise endings.paused(pause)
    if planned.steps:
        return None
    if record.is_published:
        count("publish.idempotent_skip")
        attempts.forget_error(record)
        return {"outcome": "unchanged", "steps": [], "version": record.version, "listing_id": record.listing_id}
    attempts.note(attempt)
    promoting.ask(attempt)
    return attempts.done(attempt, Echo.unpacked(attempt.record.echo), "publish")


def _nothing(outcome: str) -> HandlerResult:
    return {"outcome": outcome, "steps": [], "version": 0, "listing_id": None}


def _group(way: _Publishing, publisher: Publisher, pause: tuple[int, str] | None, facts: Facts) -> HandlerResult:
    """A group's whole way: its members are one listing."""
    run, now = way.run, way.run.clock.now()
    count("publish.attempt")
    record = table.find(run.payload["owner"], run.payload["sku"])
    if record is None:
        return _nothing("gone")
    attempt: GroupAttempt | None = None
    try:
        attempt = group_attempt.begin(run, record, facts)
        if Step.PUBLISH in attempt.calls and not attempt.live and pause:
            raise endings.paused(pause)
        group_steps.take(attempt, publisher)
        result = group_attempt.write(attempt, publisher)
        if waiting := sorted({one for member in attempt.members for one in member.plan.waits}):
            raise endings.no_revisions(waiting, attempt.record, now)
        if still := next(iter(attempt.waiting.items()), None):
            raise endings.StillThere(*still)
    except Failure as failure:
        told = endings.told(run, record.marketplace, failure)
        if attempt and attempt.live and endings.is_refusal(failure):
            for one in attempt.open:
                comparing.read_again(run, publisher, one.record)
        group_attempt.failed(run, record, attempt, told)
        raise told from None
    count("publish.success" if attempt.steps else "publish.idempotent_skip")
    return result


def _set_prices(publisher: Publisher, ways: Sequence[_Publishing]) -> None:
    """Price and quantity of all of `ways` in one call. A row that fails is tried alone, once."""
    for way in ways:
        way.step(partial(_note, way))
    open_ = [way for way in ways if way.end is None]
    if not open_:
        return
    results = _asked(publisher, open_)
    if isinstance(results, Failure):
        for way in open_:
            way.step(partial(_raise, way, results))
        return
    for way, result in zip(open_, results, strict=True):
        error = result.error
        alone = len(open_) > 1 and error is not None and error.status is not None and not isinstance(error, NotFound)
        if alone:
            again = _asked(publisher, [way])
            result = PriceResult(again) if isinstance(again, MarketplaceFailure) else result
            if isinstance(again, list):
                [result] = again
        way.step(partial(_priced, way, result))


def _asked(publisher: Publisher, ways: Sequence[_Publishing]) -> list[PriceResult] | Failure:
    """One call; or what holds it up for all."""
    made = [way.attempt for way in ways if way.attempt]
    try:
        return publisher.speaking(made[0].want.language).set_prices([steps.price_row(one) for one in made])
    except Failure as failure:
        return failure


def _raise(way: _Publishing, failure: Failure) -> HandlerResult:
    assert way.attempt  # noqa: S101 - for the type checker
    way.attempt.called(Step.PRICES, failure)
    raise failure


def _note(way: _Publishing) -> None:
    assert way.attempt  # noqa: S101 - for the type checker
    attempts.note(way.attempt)


def _priced(way: _Publishing, result: PriceResult) -> HandlerResult:
    """What became of one row."""
    attempt = way.attempt
    assert attempt  # noqa: S101 - for the type checker
    attempt.called(Step.PRICES, result.error)
    attempt.warnings += result.warnings
    if isinstance(result.error, NotFound):
        raise endings.gone(attempt, result.error)
    if result.error:
        raise endings.told(way.run, attempt.want.marketplace, result.error)
    before = Echo.unpacked(attempt.record.echo)
    quantity = attempt.plan.sets_quantity
    echo = before and echoes.of_prices(before, attempt.plan.sends, attempt.policies, quantity=quantity)
    promoting.ask(attempt)
    return _finished(attempt, echo)


def _publish(way: _Publishing, publisher: Publisher) -> HandlerResult:
    """One record's calls, one after the other, and a look at what came of them."""
    attempt = way.attempt
    assert attempt  # noqa: S101 - for the type checker
    if Step.CHECK in attempt.plan.steps:
        with log_rows.logging(attempt.calls, Step.CHECK):
            # Before the note, which says that the listing is in doubt.
            if not steps.is_there(attempt, publisher):
                way.read_again(attempt)
                raise endings.ended(attempt.record.sku)
    attempts.note(attempt)
    try:
        steps.take(attempt, publisher)
    except NotFound as failure:
        raise endings.gone(attempt, failure) from None
    except MarketplaceFailure as failure:
        raise endings.told(way.run, attempt.want.marketplace, failure) from None
    echo = steps.read_back(attempt, publisher, published=Step.PUBLISH in attempt.plan.steps)
    promoting.ask(attempt)
    return _finished(attempt, echo)


def _finished(attempt: Attempt, echo: Echo | None) -> HandlerResult:
    """Write what was published. Where a part had to wait for the next day, the job comes back then."""
    if Step.PUBLISH in attempt.plan.steps:
        sellers.watch(attempt.run.job.account, attempt.run.clock.now())
    result = attempts.done(attempt, echo, attempt.run.payload.get("event", "publish"))
    count("publish.success")
    if attempt.plan.waits:
        later = endings.no_revisions(attempt.plan.waits, attempt.record, attempt.run.clock.now())
        later.logged = True
        raise later
    return result
