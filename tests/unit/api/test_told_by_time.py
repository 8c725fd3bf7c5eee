"""What time alone brings: from jobs that die, and from a day that is over, to a tenant's mail and its webhooks."""

import json
from typing import Any

import pytest

from sluice.catalog import table as catalog
from sluice.catalog.table import Product
from sluice.feed import bus_events
from sluice.marketplaces import skus
from sluice.notifications import mailer, receive, routine, table
from sluice.platform import aws
from sluice.platform.clock import DAY, HOUR, MINUTE, iso
from sluice.platform.config import live
from sluice.platform.config.document import parse
from sluice.platform.context import Context
from sluice.prices.table import Price
from sluice.webhooks import sender
from sluice.webhooks.deliveries import Delivery
from tests.support.http import call
from tests.unit.api.conftest import Cloud
from tests.unit.api.test_actions import kill
from tests.unit.api.test_operator import NOON, Work, work  # noqa: F401 - the fixture

BASE = "/v1/notifications"
OPS = "ops@acme.example"
TOLD = ["failures.high", "summary.daily"]
RATE = {"percent": 20, "jobs": 10}
SUMMARY = {"hour": 13, "zone": "Europe/Berlin"}  # noon of UTC


class Mail:
    """acme's mail and webhook, and the notifier. events: what was put on the bus."""

    def __init__(self, work: Work) -> None:  # noqa: F811
        self.work = work
        self.events = list[dict[str, Any]]()

    def put_event(self, kind: str, detail: dict[str, Any]) -> None:
        """The bus hands an event on to the notifier and to who sends webhooks."""
        event = {"id": "e", "source": "sluice", "detail-type": kind, "detail": json.loads(json.dumps(detail))}
        self.events.append(event)
        assert receive.work({"1": json.dumps(event)}, self.work.clock) == []
        sender.fan_out(bus_events.event(event), self.work.clock.time)

    def wants(self, **wanted: Any) -> None:
        """acme says what it wants to be told."""
        body = {"mail": {"address": OPS, "eventTypes": TOLD}, **wanted}
        assert call("PUT", BASE, body=body).status == 200
        self.work.cloud.mailbox.confirm(OPS)

    def passes(self, ms: int) -> list[str]:
        """Time passes, and the notifier's next runs come; what was mailed of it."""
        self.work.clock.time += ms
        self.work.count()
        before = len(self.work.cloud.mailbox.sent)
        routine.run(Context(self.work.clock, self.work.config))
        self.work.clock.time += 10 * MINUTE
        mailer.send_due(self.work.clock)
        return [text for _, _, text in self.work.cloud.mailbox.sent[before:]]

    def jobs(self, succeeded: int, dead: int) -> None:
        """So many jobs of acme end."""
        if dead:
            kill(self.work, dead)
        if succeeded:
            name = f"S-{self.work.clock.time}-"
            self.work.cloud.enqueue("acme", *(f"{name}{one}" for one in range(succeeded)))
        while found := self.work.claim():
            for job in found:
                self.work.complete(job)


@pytest.fixture
def mail(work: Work, monkeypatch: pytest.MonkeyPatch) -> Mail:  # noqa: F811
    made = Mail(work)
    monkeypatch.setattr(aws, "put_event", made.put_event)
    monkeypatch.setattr(aws, "encrypt", lambda text, context: text.encode())
    hook = {"url": "https://hooks.example.com/sluice", "eventTypes": TOLD}
    assert call("PUT", "/v1/webhooks/main", body=hook).status == 200
    return made


def test_a_rate_above_the_threshold_is_mailed_once_until_it_is_over(mail: Mail) -> None:
    mail.wants(failureRate=RATE)
    mail.jobs(20, 4)
    assert mail.passes(MINUTE) == []
    mail.jobs(0, 12)  # the four that died before are asked for again, and die again
    [text] = mail.passes(15 * MINUTE)
    assert "died since 2026-11-22T11:00:00.000Z (16 of 36; you wanted to know above 20 %)" in text
    assert "market.refresh at stockx: 16 of 36" in text
    assert call("GET", BASE).json["failureRate"] == {**RATE, "failing": True}
    mail.jobs(0, 5)
    assert mail.passes(15 * MINUTE) == []
    # Two hours later all is well, and then it begins again.
    mail.work.clock.time += 2 * HOUR
    mail.jobs(20, 0)
    assert mail.passes(15 * MINUTE) == []
    assert call("GET", BASE).json["failureRate"]["failing"] is False
    mail.jobs(0, 15)
    assert len(mail.passes(15 * MINUTE)) == 1
    assert [one.event_type for one in Delivery.query("acme/main")] == ["failures.high"] * 2


def test_of_few_jobs_nothing_is_said_and_of_another_tenants_never(mail: Mail) -> None:
    mail.wants(failureRate=RATE)
    mail.jobs(0, 9)
    assert mail.passes(MINUTE) == []
    mail.jobs(0, 30)
    globex = {"mail": {"address": "desk@globex.example", "eventTypes": TOLD}, "failureRate": RATE}
    assert call("PUT", BASE, body=globex, tenant="globex").status == 200
    mail.work.cloud.mailbox.confirm("desk@globex.example")
    mail.passes(15 * MINUTE)
    assert [address for address, _, _ in mail.work.cloud.mailbox.sent] == [OPS]


def test_who_wants_no_rate_is_told_none(mail: Mail) -> None:
    mail.wants()
    mail.jobs(0, 30)
    assert mail.passes(15 * MINUTE) == []
    assert mail.events == []


def own(cloud: Cloud, ask: str, sku: str = "DD1391-100") -> None:
    """acme owns a pair, for which so much is asked."""
    item = {"sku": sku, "size": "10", "sizeSystem": "us", "marketplaces": ["stockx"]}
    assert call("POST", "/v1/inventory", body={"items": [item]}).status == 202
    sizes: Any = {"variants": [["v-10", "us", {"us": "10"}]], "marketplace": "stockx"}
    Product(catalog.key("stockx", sku), product_id=sku, name=sku, updated_at=NOON, checked_at=NOON, **sizes).save()
    cloud.price(skus.key(sku))
    set_ask(sku, ask)


def set_ask(sku: str, ask: str) -> None:
    Price(skus.key(sku), "stockx:us-10:USD").update([Price.ask.set(ask)])


def test_a_day_is_summed_up_at_its_hour_with_what_changed_since_the_last(mail: Mail) -> None:
    work_ = mail.work
    own(work_.cloud, "150")
    own(work_.cloud, "90", "DZ5485-612")
    mail.wants(summary=SUMMARY)
    assert call("GET", BASE).json["summary"] == {**SUMMARY, "nextAt": iso(NOON + DAY)}, "the first is the next one"
    mail.jobs(3, 2)  # and the refreshes of what acme owns die with them
    assert mail.passes(23 * HOUR) == []
    [text] = mail.passes(HOUR)
    assert "Your day 2026-11-23: 2026-11-22T12:00:00.000Z to 2026-11-23T12:00:00.000Z." in text
    assert "market.refresh at stockx: 3 succeeded, 4 died" in text
    assert "compared from the next summary on" in text
    assert mail.passes(HOUR) == [], "once a day"
    set_ask("DD1391-100", "120")
    [text] = mail.passes(22 * HOUR + 30 * MINUTE)
    assert "  DD1391-100 10 at stockx: 150 -> 120 USD (-20.0 %)" in text
    assert "DZ5485" not in text
    [first, second] = Delivery.query("acme/main")
    assert json.loads(second.body)["data"]["prices"][0]["before"] == "150"
    assert json.loads(first.body)["data"]["prices"] is None


def test_a_summary_says_what_waits_and_why_and_which_quotas_are_used(mail: Mail) -> None:
    mail.wants(summary=SUMMARY)
    mail.work.clock.time += DAY - HOUR
    mail.work.cloud.enqueue("acme", *(f"W-{one}" for one in range(150)))
    mail.work.claim()
    [text] = mail.passes(HOUR - MINUTE // 2 + MINUTE)
    assert "What waits:\n  market.refresh at stockx: " in text
    assert "Quotas:\n" in text
    assert " of 100 calls" in text


def test_a_summary_tells_of_the_windows_that_the_budgets_show(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that rolls too, which no hour and no day stands for."""
    windows = [{"calls": 200, "seconds": 10}, {"calls": 5_000, "per": "day"}]
    mail.work.config = parse(json.dumps({"limits": {"stockx": {"windows": windows}}}))
    monkeypatch.setattr(live, "current", lambda: mail.work.config)
    mail.wants(summary=SUMMARY)
    mail.work.clock.time += DAY - HOUR
    mail.work.cloud.enqueue("acme", "W-1", "W-2")
    mail.work.claim()
    [text] = mail.passes(HOUR)
    shown = [
        {"service": one["service"], **window}
        for one in call("GET", "/v1/operator/budgets").json["budgets"]
        for window in one["windows"]
    ]
    told = mail.events[-1]["detail"]["quotas"]
    assert [(one["window"], one["limit"]) for one in told] == [("10 s", 200), ("day", 5_000)]
    assert [one | {"opensAt": None} for one in told] == [one | {"opensAt": None} for one in shown]
    assert "stockx, in any 10 s: " in text


def test_a_run_that_dies_after_it_told_makes_no_second_mail(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before nor after it has kept the prices for the next day."""
    mail.wants(summary=SUMMARY)
    for day, step in enumerate(("keep_baseline", "note_summary"), start=1):
        mail.work.clock.time = NOON + day * DAY
        with monkeypatch.context() as dying:
            dying.setattr(table, step, lambda *_: 1 // 0)
            assert len(mail.passes(0)) == 1
        assert mail.passes(MINUTE) == []
        assert mail.passes(MINUTE) == []
    assert len(mail.events) == 3, "only a run that kept nothing tells again"
    assert len({event["detail"]["id"] for event in mail.events}) == 2


def test_one_tenant_that_cannot_be_looked_at_stops_no_other(mail: Mail, monkeypatch: pytest.MonkeyPatch) -> None:
    mail.wants(summary=SUMMARY)
    first = {"summary": {"hour": 12}}
    assert call("PUT", BASE, body=first, tenant="aaa").status == 200
    broken = table.baseline

    def baseline(tenant: str) -> table.Row | None:
        if tenant == "aaa":
            raise ZeroDivisionError
        return broken(tenant)

    monkeypatch.setattr(table, "baseline", baseline)
    assert len(mail.passes(DAY)) == 1


def test_what_is_changed_while_a_summary_is_made_stays_as_it_was_changed(mail: Mail) -> None:
    mail.wants(summary=SUMMARY)
    found = table.wants("acme")
    assert found
    mail.wants()
    table.note_failing(found, failing=True, now=NOON)
    after = table.wants("acme")
    assert after
    assert after.failing is None
    assert after.summary is None


def test_an_hour_that_is_moved_tells_no_day_twice(mail: Mail) -> None:
    mail.wants(summary=SUMMARY)
    assert len(mail.passes(DAY)) == 1
    mail.wants(summary={"hour": 14, "zone": "UTC"})
    assert mail.passes(2 * HOUR) == []
    assert len(mail.passes(DAY)) == 1
