"""The job `page.check`: one check of a product, and everything that is written after it.

```
 claim (the engine's lease) ─► due still? ─► note the check (check_at = now + interval) ─► fetch, read
   ─► trackers are told ─► product, prices, check, saved page        one conditional write says whose check it was
```
The note is written before the shop is asked: a worker that is killed has checked the page, as far as the interval is
concerned.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import kinds
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.model.run import Run
from sluice.pages import check, facts, fetch, table, told
from sluice.pages.check import CheckResult, PageRequest
from sluice.pages.facts import FactChange, PageFacts
from sluice.pages.fetch import PageClient
from sluice.pages.kinds import CHECK
from sluice.pages.reading import UNCHANGED, ReadOutcome
from sluice.pages.table import PageCheck, PricePoint, Product, SavedPage, Tracker
from sluice.platform import tables
from sluice.platform.clock import DAY, MINUTE, iso, ttl
from sluice.platform.observe import count, logger
from sluice.platform.settings import settings

# A page that nobody could read for so long is told.
UNREADABLE_MS = DAY
SAVED_MS = 7 * DAY
_GOOD = (ReadOutcome.PRODUCT, UNCHANGED)


class NotChecked(Failure):
    """The page could not be fetched; another try may."""

    code = "not_checked"


class CheckedMeanwhile(Failure):
    """Somebody else has checked the product meanwhile."""

    code = "taken"


def run(run: Run) -> dict[str, Any]:
    """Check the product of the job, if it is due still. The result says what came of it."""
    return CheckRun(run, fetch.shared()).run()


@dataclass
class CheckRun:
    """One run of the job."""

    job: Run
    client: PageClient

    def run(self) -> dict[str, Any]:
        """See `run`. One at a time of those that run together: a host is never asked for two pages at once."""
        with self.job.turn("host"):
            return self._run()

    def _run(self) -> dict[str, Any]:
        product = table.find(self.job.payload["product"])
        if product is None or not product.trackers:
            return {"status": "skipped", "reason": "nobody tracks it any more"}
        if product.check_at > self.job.clock.now():
            return {"status": "skipped", "reason": "it was checked a moment ago"}
        self.job.calls.take()
        started = self.job.clock.now()
        product = self._note(product, started)
        try:
            found = self._check(product)
        except Failure:
            # The host takes no requests just now: the job comes back when it does, and must find the product due.
            self._set(product, [Product.check_at.set(self.job.clock.now())])
            raise
        return self._ended(product, found, started)

    def _check(self, product: Product) -> CheckResult:
        first = threading.Event()

        def take() -> None:
            if first.is_set():
                self.job.calls.take()
            first.set()  # the first request is the one that was taken before the note

        asked = PageRequest(product.url, product.etag, product.modified)
        calls = self.job.calls
        return check.check(asked, self.client, self.job.clock, take, calls.close, local=settings().on_a_laptop)

    def _note(self, product: Product, now: int) -> Product:
        """The product, with the check noted."""
        actions: list[Update] = [
            Product.check_at.set(now + self._interval_ms),
            Product.version.set(product.version + 1),
        ]
        return self._set(product, actions, token=Product.check_token)

    def _ended(self, product: Product, found: CheckResult, started: int) -> dict[str, Any]:
        now = self.job.clock.now()
        known, changes = self._known(product.facts, found, now)
        good = found.status in _GOOD
        unreadable = "" if good else self._unreadable(product, found, now)
        told_of = told.tell(product, changes, unreadable, now, known=known.variants) if good or unreadable else 0
        self._store_prices(product, changes)
        again = found.passing and self.job.job.attempts < kinds.most_attempts(CHECK.name, self.job.config)
        self._set(product, self._after(product, found, known, now, again=again))
        if found.reading and found.reading.canonical not in ("", product.canonical):
            for tracker in table.trackers_of(product.product):
                self._link(tracker, found.reading.canonical)
        if not good and found.text:
            self._save_page(product, found, now)
        self._record(product, found, started, now, again=again)
        count("PageChecks")
        if found.pause:
            self.job.calls.refused(found.pause.until, found.pause.reason, named=found.pause.named)
        else:
            self.job.calls.answered()
        if again:
            raise NotChecked(found.about, code=found.code, retry_at=found.pause.until if found.pause else None)
        about = {"status": found.status, "product": product.product, "alerts": told_of}
        return about | ({"error": found.code, "about": found.about} if found.code else {})

    def _known(self, before: PageFacts, found: CheckResult, now: int) -> tuple[PageFacts, Sequence[FactChange]]:
        if found.status == UNCHANGED:
            return facts.repeat(before, now)
        return facts.read(before, found.reading, now) if found.reading else (before, [])

    def _unreadable(self, product: Product, found: CheckResult, now: int) -> str:
        since = product.good_at or product.created_at
        return (found.about or found.status) if now - since >= UNREADABLE_MS else ""

    def _after(self, product: Product, found: CheckResult, known: PageFacts, now: int, *, again: bool) -> list[Update]:
        """What is written of the check: when the next one may be, and what is known."""
        good = found.status in _GOOD
        confirm = good and known.unsettled and not product.confirming
        check_at = product.check_at
        if again:
            check_at = now
        elif confirm:
            check_at = now + self.job.config.pages.confirm_minutes * MINUTE
        if found.pause:
            check_at = max(check_at, found.pause.until)
        actions = [
            Product.check_at.set(check_at),
            Product.checked_at.set(now),
            Product.outcome.set(found.status),
            Product.seen.set((found.about or "as it was")[:400]),
            Product.confirming.set(confirm),
            *(_set_or_remove(Product.etag, found.etag), _set_or_remove(Product.modified, found.modified)),
        ]
        if good:
            actions += [Product.known.set(table.pack(facts.to_json(known))), Product.good_at.set(now)]
        if found.reading and found.reading.canonical:
            actions.append(Product.canonical.set(found.reading.canonical))
        return actions

    def _set(self, product: Product, actions: list[Update], token: UnicodeAttribute | None = None) -> Product:
        """Write what this check knows, unless another has begun since."""
        own = Product.version == product.version
        try:
            return tables.update(Product, (product.product,), actions, own, token=token)
        except tables.ConditionFailed as lost:
            raise CheckedMeanwhile("somebody else checks this product") from lost

    def _link(self, tracker: Tracker, canonical: str) -> None:
        """Tell a tracker of the page's own link, unless it is gone."""
        with suppress(tables.ConditionFailed):
            key, there = (tracker.tenant, tracker.product), Tracker.tenant.exists()
            tables.update(Tracker, key, [Tracker.canonical.set(canonical)], there)

    def _store_prices(self, product: Product, changes: Sequence[FactChange]) -> None:
        keep_ms = self.job.config.pages.price_retention_days * DAY
        for variant, at in {change.variant.id: (change.variant, change.at) for change in changes}.values():
            price, stock = variant.price.confirmed, variant.stock.confirmed
            tables.put(
                PricePoint(
                    table.variant_key(product.product, variant.id),
                    iso(at),
                    amount=str(price.amount) if price else None,
                    currency=price.currency if price else None,
                    availability="gone" if variant.gone else str(stock) if stock else None,
                    expires_at=ttl(at + keep_ms),
                )
            )

    def _save_page(self, product: Product, found: CheckResult, now: int) -> None:
        page, whole = table.pack_text(found.text, table.SAVED_BYTES)
        ends = ttl(now + SAVED_MS)
        tables.put(
            SavedPage(product.product, saved_at=now, page=page, whole=whole, outcome=str(found.status), expires_at=ends)
        )

    def _record(self, product: Product, found: CheckResult, started: int, now: int, *, again: bool) -> None:
        """The entry of `check_runs`."""
        began = iso(started)
        logger.info("page check", extra={"product": product.product, "status": found.status, "ms": now - started})
        tables.put(
            PageCheck(
                product.product,
                f"{began}#{uuid4().hex[:8]}",
                day=began[:10],
                ms=now - started,
                url=product.url,
                status=str(found.status),
                ended_at=now,
                error=found.code,
                about=found.about[:400] or None,
                run=self.job.payload.get("run"),
                again=again or None,
                metadata=found.metadata,
                expires_at=ttl(now + self.job.config.pages.check_retention_days * DAY),
            )
        )

    @property
    def _interval_ms(self) -> int:
        return self.job.config.pages.min_check_interval_minutes * MINUTE


def _set_or_remove(attribute: Any, value: str | None) -> Update:
    action: Update = attribute.set(value[:1_000]) if value else attribute.remove()
    return action
