"""Conditional writes whose answer is lost: what is done, and what their callers must hear. See test_lost_answers.py."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import pytest
from pynamodb.expressions.operand import Path

from sluice.catalog import enrichment_table, lookup
from sluice.catalog import table as catalog
from sluice.catalog.enrichment_table import Enrichment
from sluice.catalog.table import Product
from sluice.dashboard import sessions
from sluice.inventory import table as items
from sluice.inventory.csv_rows import CsvRow
from sluice.inventory.import_api import KIND
from sluice.inventory.rules import Draft, Raw
from sluice.inventory.sheet import Sheet
from sluice.jobs.budgets import handed_out, ledger, refusals, slots
from sluice.jobs.budgets.blocks import Hand
from sluice.jobs.budgets.slots import Seen, reserve_slots, return_slots
from sluice.jobs.dispatch import transfers
from sluice.jobs.dispatch.snapshot import Accounts, Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.model.run import Run
from sluice.jobs.queue import hasten, lanes, sweeps, tally, unfinished, unreadable
from sluice.jobs.queue import recounts as recounts_of_allowances
from sluice.jobs.queue.enqueue import enqueue
from sluice.jobs.queue.together import enqueue_with
from sluice.marketplaces import registry
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Account
from sluice.operator import actions, configuring, counts, recounts
from sluice.operator.actions import Action
from sluice.operator.configuring import Who
from sluice.pages import alerts, facts, handler, request, schedule, table, told, urls
from sluice.pages.alerts import Watch
from sluice.pages.facts import PageFacts
from sluice.pages.reading import Availability, Money, Reading, ReadOutcome, ReadVariant
from sluice.pages.table import Tracker
from sluice.platform import aws, tables, usage
from sluice.platform.clock import DAY
from sluice.platform.config import pause_table
from sluice.platform.config.document import Config
from sluice.platform.config.limits import CallWindow, Limits, by_clock
from sluice.platform.config.pauses import Pause
from sluice.platform.config.tenants import Allowances
from sluice.platform.context import Context
from sluice.platform.http.auth import Caller
from sluice.platform.http.errors import TooMany
from sluice.platform.imports import table as imports
from sluice.platform.imports.chunks import Chunk
from sluice.webhooks import deliveries
from tests.support.clock import VirtualClock
from tests.support.work import spec

NOON = 1_795_348_800_000
CONFIG = Config()
LIMITS = Limits(by_clock(10), interval_ms=600, by_account=True)
ROLLING = Limits((CallWindow(9, seconds=10),))
URL = "https://shop.example/p/boot"
PAGE = urls.product_id(URL)


@dataclass(frozen=True)
class Case:
    """before: what is made before, given to the write. write: what is done. told: what its caller must hear of it."""

    write: Callable[[Any], object]
    told: Callable[[Any], object] = lambda answer: answer
    before: Callable[[], Any] = lambda: None


MINE = Pause("stockx:acme", "maintenance", "me", NOON, None, deployment=False)


def paused(_: object = None) -> object:
    pause_table.put(MINE, NOON)
    return pause_table.read(consistent=True).by_name


def resumed(_: object) -> object:
    pause_table.remove(MINE.name, deployment=False)
    return pause_table.read(consistent=True).by_name


def connected() -> Account:
    names = ("api_key", "client_id", "client_secret", "refresh_token")
    return accounts.connect("stockx", "acme", dict.fromkeys(names, "x"), NOON)


def connected_of_old() -> Account:
    """An account that was connected before applications were noted."""
    connected()
    tables.update(Account, ("stockx:acme",), [Account.application.remove()])
    found = accounts.find("stockx:acme")
    assert found
    return found


def store_token(account: Account) -> object:
    """As `access_tokens` does: who is refused takes over the token that stands there."""
    with suppress(tables.ConditionFailed):
        accounts.store_token("stockx:acme", account.token_version, "token", NOON + DAY, NOON, None)
    found = accounts.find("stockx:acme")
    return found and (found.token_version, found.token_expires_at)


def account(_: object = None) -> object:
    """What an account says, but for what is made by chance."""
    found = accounts.find("stockx:acme")
    return found and (found.status, found.token_version, found.application, found.verified_at, found.refreshing_until)


# ── the catalog and prices ──


def product(sku: str = "DD1391-100", marketplace: str = "alias", **more: Any) -> Product:
    values: dict[str, Any] = {"marketplace": marketplace, "product_id": "p", "name": "A shoe", "variants": []}
    found = Product(catalog.key(marketplace, sku), **values, updated_at=1, checked_at=0, **more)
    found.save()
    return found


def of_product(_: object = None) -> object:
    return [(one.product, one.image, one.checked_at, one.expires_at, one.problems) for one in Product.scan()]


def step(number: int) -> Enrichment:
    return Enrichment(
        "acme", number=number, started_at=NOON, before=NOON, marketplace="stockx", window=[], no_account={}
    )


def store_step(_: object) -> int:
    """As `enrichment.advance` does: who is refused reads the step that stands there."""
    with suppress(tables.ConditionFailed):
        enrichment_table.store(step(0))
    found = enrichment_table.load("acme")
    assert found
    return int(found.number)


# ── the inventory ──

DRAFT = Draft("DD1391-100", "10", "us", None, "100.00", None, None)
CHUNK = Chunk(KIND, "acme", "", 0, NOON, (DRAFT,))


def begin_import(_: object = None) -> Chunk:
    sheet = Sheet("line")
    sheet.add(CsvRow(1, Raw("DD1391-100", "10")))
    return CHUNK._replace(import_id=imports.begin(KIND, "acme", b"a sheet", sheet, NOON, DAY).import_id)


def finished(chunk: Chunk) -> tuple[bool, object]:
    first = imports.finish(chunk, {"created": 1}, NOON)
    found = imports.find(KIND, "acme", chunk.import_id)
    return first, found and (found.created, found.pending)


# ── the engine ──


def waiting() -> Job:
    enqueue(spec(), NOON)
    enqueue(spec(tenant="globex"), NOON)
    return Job.get(spec().job_id)


def broken_item() -> None:
    enqueue(spec(), NOON)
    tables.update(Job, (spec().job_id,), [Path("payload").remove()])


def marked() -> lanes.Lane:
    lanes.mark("a#1#0", NOON)
    [lane] = lanes.active()
    return lane


def refused(_: object) -> object:
    until = refusals.refuse("stockx:acme", LIMITS, refusals.RefusedCall(NOON + 5_000, "429"), NOON)
    return until, ledger.read("stockx:acme", NOON)


def taken_of_rings(hand: Hand, seen: Seen) -> tuple[Hand, Seen]:
    seen, tickets = slots.take("stockx:acme", ROLLING, hand, 2, NOON, seen, NOON + DAY, 0, slots.BACKGROUND)
    hand.take(tickets)
    hand.made(NOON)
    hand.passed()
    return hand, seen


def rolled(_: object) -> list[int]:
    held = Hand(), slots.see("stockx:acme", ROLLING, NOON)
    for _ in range(3):
        held = taken_of_rings(*held)
    return sorted(held[0].own)


def counted_by_operator(_: object) -> object:
    for _ in range(2):
        counts._add_once(("acme", "now"), [("queued", 1)], "batch", None)
    return counts.now("acme"), [one.to_dynamodb_dict().get("queued") for one in counts.Counts.scan()]


def action() -> Action:
    made = Action("acme", "2026-11-22T12:00:00.000Z#000000000000", state=actions.RUNNING, pages=0, created_at=NOON)
    actions.create(made)
    return made


def begun_page(one: Action) -> Action:
    return actions.begin_page(one, [("acme", "a job")], None, NOON)


def charged(_: object) -> object:
    allowed = Allowances(requests_per_minute=3, mails_per_hour=3, connections_per_hour=3)
    return [
        *_answers(lambda: usage.charge("acme", 2, NOON, allowed)),
        *_answers(lambda: usage.charge_mail("acme", NOON, allowed)),
        *_answers(lambda: usage.charge_connection("acme", NOON, allowed)),
    ]


def _answers(charge: Callable[[], None]) -> list[str]:
    """To four requests of which three are allowed."""
    answers = list[str]()
    for _ in range(4):
        try:
            charge()
            answers.append("taken")
        except TooMany as full:
            answers.append(str(full))
    return answers


def counted(_: object) -> object:
    tally._add_once("acme", {"n:test.work:unfinished": 1}, ["e1"])
    tally._add_once("acme", {"n:test.work:unfinished": 1}, ["e1"])
    return usage.counters("acme", tally.PERIOD)


def discard(_: object) -> object:
    reason = unreadable.discard(spec().job_id, NOON, CONFIG)
    return bool(reason), Job.get(spec().job_id).state


# ── pages ──


def reading(stock: Availability) -> Reading:
    variant = ReadVariant("42", price=Money(Decimal(100), "EUR"), availability=stock)
    return Reading(ReadOutcome.PRODUCT, "shopify", variants=(variant,), complete=True)


def known(*looks: Reading) -> tuple[PageFacts, Any]:
    """What looks one after the other, each twice, tell, and the changes of the last."""
    found, changes = PageFacts(), list[Any]()
    for at, look in enumerate(one for one in looks for _ in range(2)):
        found, changes = facts.read(found, look, at)
    return found, changes


def tracked(_: object = None) -> Tracker:
    return request.track(URL, None, Watch(), "acme", NOON)


def followed() -> Tracker:
    """A tracker of a page that is known, and out of stock."""
    tracked()
    before, _ = known(reading(Availability.OUT))
    table.Product(PAGE).update([table.Product.known.set(table.pack(facts.to_json(before)))])
    arms = alerts.arms_to_json(alerts.begin(Watch(), before))
    Tracker("acme", PAGE).update([Tracker.arms.set(arms)])
    return tracker()


def tracker() -> Tracker:
    found = table.find_tracker("acme", PAGE)
    assert found
    return found


def tell(_: object) -> object:
    """An alert, as told: once, on the bus and at the tracker."""
    sent = list[Any]()
    found = table.find(PAGE)
    assert found
    _, changes = known(reading(Availability.OUT), reading(Availability.IN))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws, "put_events", lambda entries: sent.extend(kind for kind, _ in entries))
        number = told.tell(found, changes, "", NOON, known=[one.variant.id for one in changes])
    after = tracker()
    return number, sent, [one["kind"] for one in after.alerts or ()], after.outbox, after.version


def noted(_: object) -> object:
    """A check begins: it is the only one."""
    found = table.find(PAGE)
    assert found
    run = Run(Job("page.check"), NoCalls(), Context(VirtualClock(NOON), CONFIG))
    after = handler.CheckRun(run, cast("Any", None))._note(found, NOON)
    return after.version, after.check_at


class NoCalls:
    """Calls that nobody counts."""

    def take(self) -> None: ...
    def close(self, until: int, reason: str) -> None: ...
    def refused(self, until: int, reason: str, *, named: bool) -> int:
        return until

    def answered(self) -> None: ...
    def remaining(self, calls: int) -> None: ...


def run_schedule(_: object) -> object:
    first = schedule._take("one", NOON, CONFIG, only_if_due=True)
    second = schedule._take("two", NOON, CONFIG, only_if_due=True)
    schedule._release("one", {}, NOON + 1)
    return first is not None, second is not None, schedule.status(NOON + 1, CONFIG)


def put_off(_: object) -> object:
    found = table.find(PAGE)
    assert found
    schedule._put_off(found, NOON + DAY)
    after = table.find(PAGE)
    return after and after.check_at


def relabelled(_: object) -> object:
    found = request.change("acme", PAGE, lambda _: "boots", lambda watch: watch, NOON + 1)
    return found and (found.label, found.version)


def linked(_: object) -> object:
    handler.CheckRun(cast("Any", None), cast("Any", None))._link(tracker(), "https://shop.example/boot")
    return tracker().canonical


CASES: dict[str, Case] = {
    "take a sign-in": Case(
        lambda state: sessions.take_sign_in(state, NOON) is not None,
        before=lambda: sessions.begin_sign_in("/dashboard", NOON)[0],
    ),
    "note that somebody was seen": Case(
        lambda session_id: sessions.find(session_id, NOON + sessions.NOTED_EACH_MS) is not None,
        before=lambda: sessions.create(Caller("acme", frozenset({"user"}), "ada"), NOON),
    ),
    "settle a product": Case(lambda one: lookup.settle(one, NOON), of_product, product),
    "retire a product": Case(lambda one: lookup.retire(one.product, NOON), of_product, product),
    "give a picture": Case(
        lambda _: lookup._tell_others(registry.get("alias"), "DD1391-100", "https://i.example/1.png"),
        of_product,
        lambda: product(marketplace="stockx"),
    ),
    "note that there is no product": Case(
        lambda _: catalog.note_problem("stockx", "CP9654", "product_unknown", "none", NOON), of_product
    ),
    "note it of a known product": Case(
        lambda _: catalog.note_problem("alias", "DD1391-100", "product_unknown", "none", NOON), of_product, product
    ),
    "make a step of an enrichment": Case(store_step),
    "begin an import": Case(begin_import, lambda chunk: chunk.import_id),
    "finish a chunk": Case(finished, before=begin_import),
    "mark an item as asked for": Case(
        lambda one: items.mark_asked(one, ["stockx"], NOON + 1),
        lambda _: [one.asked for one in items.Item.scan()],
        lambda: items.put("acme", DRAFT, NOON),
    ),
    "put an item unless it is newer": Case(
        lambda _: items.put("acme", DRAFT, NOON, unless_newer=True), lambda one: (one.cost, one.updated_at)
    ),
    "refuse": Case(refused),
    "recover": Case(
        lambda _: refusals.recover("stockx:acme", LIMITS, ledger.read("stockx:acme", NOON).slowed, 100),
        lambda _: ledger.read("stockx:acme", NOON).slowed,
        lambda: refused(None),
    ),
    "note what a tick has seen of a lane": Case(
        lambda lane: lanes.note(lane, NOON, None), lambda _: [lane.held_since for lane in lanes.active()], marked
    ),
    "go over to another asker": Case(
        lambda job: transfers._transfer(job, "globex", Snapshot(NOON, CONFIG, Accounts(lambda *_: {})), "other", "why"),
        lambda done: (done, Job.get(spec().job_id).account),
        waiting,
    ),
    "end what waits for a broken account": Case(
        lambda job: transfers._abandon(job, NOON, CONFIG), lambda done: (done, Job.get(spec().job_id).state), waiting
    ),
    "enqueue with other writes": Case(
        lambda _: enqueue_with(spec(), NOON, lambda transaction: transaction.save(product("CP9654"))),
        lambda done: (done, of_product()),
    ),
    "discard what cannot be read": Case(discard, before=broken_item),
    "charge an allowance": Case(charged),
    "count jobs": Case(counted),
    "claim a version of the configuration": Case(
        lambda _: configuring._claim(8, Who("me", "one", None, NOON)),
        lambda claim: (claim.entry, claim.subject),
    ),
    "a turn of the counts of jobs": Case(
        lambda _: [
            sweeps.note(recounts_of_allowances.COUNTERS, unfinished.Recount.decode(None), None) for _ in range(2)
        ]
    ),
    "a turn of the operator's counts": Case(
        lambda _: [sweeps.note(recounts.COUNTERS, unfinished.Recount.decode(None), None) for _ in range(2)]
    ),
    "put the operator's counters right": Case(
        lambda _: recounts._move("acme", {"n:market.refresh:stockx:queued": 3}),
        lambda _: (counts.raw("acme"), counts.raw(counts.ALL)),
    ),
    "pause work": Case(paused),
    "resume work": Case(resumed, before=paused),
    "count jobs for the operator": Case(counted_by_operator),
    "raise a job": Case(
        lambda _: hasten.raise_to(spec().job_id, "acme", keys.MANUAL, NOON, CONFIG),
        lambda done: (done, Job.get(spec().job_id).priority),
        lambda: enqueue(spec(), NOON),
    ),
    "begin a page of an action": Case(begun_page, lambda one: one.page, action),
    "end a page of an action": Case(
        lambda one: actions.end_page(one, {"done": 1}, [], NOON),
        lambda one: (one.pages, one.outcomes, one.state),
        lambda: begun_page(action()),
    ),
    "ask an action to stop": Case(
        lambda one: actions.ask_to_stop(one, "me", NOON), lambda one: one and one.stop_by, action
    ),
    "stop an action": Case(lambda one: actions.stop(one, NOON), lambda one: one.state, action),
    "disconnect": Case(lambda _: accounts.disconnect("stockx:acme", NOON), before=connected),
    "note an application": Case(
        lambda one: accounts.record_application(one, {"client_id": "x"}), account, connected_of_old
    ),
    "verify an account": Case(lambda one: accounts.verify("stockx:acme", one.token_version, NOON), account, connected),
    "hold a refresh back": Case(
        lambda one: accounts.hold_refresh("stockx:acme", one.token_version, NOON + 9), account, connected
    ),
    "store a token": Case(store_token, before=connected),
    "put slots off": Case(
        lambda taken: slots.put_off("stockx:acme", taken, 2, NOON + DAY, NOON + DAY),
        before=lambda: reserve_slots("stockx:acme", LIMITS, 2, NOON),
    ),
    "return slots": Case(
        lambda slots: return_slots("stockx:acme", slots, 2),
        # Sent once: better lost than done twice. Nobody hears of it either way.
        before=lambda: reserve_slots("stockx:acme", LIMITS, 2, NOON),
    ),
    "take calls of the rings": Case(rolled, lambda numbers: (numbers, ledger.read("stockx:acme", NOON).rings.taken)),
    "leave calls of the rings": Case(
        # Sent once, as slots are returned.
        lambda held: slots.leave("stockx:acme", ROLLING, held[0], held[1], NOON),
        before=lambda: taken_of_rings(Hand(), slots.see("stockx:acme", ROLLING, NOON)),
    ),
    "take manual calls back": Case(
        # Sent once, as slots are returned.
        lambda _: handed_out.retract("stockx:acme", 2, LIMITS.pace),
        before=lambda: handed_out.admit("stockx:acme", LIMITS, 5, NOON, manual=True),
    ),
    "admit until": Case(
        lambda _: handed_out.admit_until("stockx:acme", NOON + 5),
        lambda _: ledger.read("stockx:acme", NOON).admitted_until,
    ),
    "track a page": Case(tracked, lambda one: (one.version, [page.trackers for page in table.Product.scan()])),
    "track a page no longer": Case(
        lambda _: request.untrack("acme", PAGE, NOON),
        lambda done: (done, [(page.trackers, page.watch) for page in table.Product.scan()]),
        tracked,
    ),
    "change a tracker": Case(relabelled, before=tracked),
    "tell a tracker": Case(tell, before=followed),
    "tell a tracker of the page's link": Case(linked, before=tracked),
    "begin a check": Case(noted, before=tracked),
    "run the page scheduler": Case(run_schedule),
    "put a page off": Case(put_off, before=tracked),
    "create a delivery": Case(
        lambda _: deliveries.create("acme/1", NOON, "m", "job.dead", "{}", NOON),
        lambda name: (name, len(list(deliveries.Delivery.scan()))),
    ),
}
