"""The metrics: each publish is counted once by what came of it, and every name is in the documentation."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from local.sandbox.ebay.inventory.faults import RefuseListing
from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Window
from sluice.jobs.run import records
from sluice.listings.ebay import metrics, reconciler
from sluice.marketplaces.accounts import table as accounts
from sluice.platform import observe
from sluice.platform.config.services import EBAY_INVENTORY
from sluice.platform.context import Context
from tests.support.ebay_seller import ACCOUNT, SKU, TENANT, EbaySeller
from tests.support.ebay_wanted import record

DOCUMENT = Path(__file__).parents[3] / "docs" / "ebay_listings.md"


def counted() -> Counter[str]:
    """The counters of this process, since they were last asked for."""
    found = {name: sum(one["Value"]) for name, one in observe.metrics.metric_set.items()}
    observe.metrics.clear_metrics()
    return Counter({name: round(value) for name, value in found.items() if "duration" not in name})


def apart(capsys: pytest.CaptureFixture[str], name: str) -> list[dict[str, object]]:
    """What was told of one metric apart from the others, with its dimensions."""
    observe.tell()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return [line for line in lines if name in line]


def test_a_publish_is_counted_and_one_with_nothing_to_do_is_skipped(seller: EbaySeller) -> None:
    seller.put(record())
    seller.settle()
    names = set(observe.metrics.metric_set)
    assert {"duration.publish_ms", "duration.snapshot_ms"} <= names
    assert observe.metrics.metric_set["duration.publish_ms"]["Unit"] == "Milliseconds"
    found = counted()
    assert (found["queue.dequeue"], found["publish.attempt"], found["publish.success"]) == (1, 1, 1)
    assert (found["snapshot.created"], found["publish.failure"], found["publish.idempotent_skip"]) == (1, 0, 0)
    seller.put(record())
    seller.settle()
    found = counted()
    assert (found["publish.attempt"], found["publish.idempotent_skip"], found["publish.success"]) == (1, 1, 0)


def test_the_same_state_once_more_is_a_reference(seller: EbaySeller) -> None:
    for amount in ("245", "200", "245"):
        seller.put(record(amount=amount))
        seller.settle()
    found = counted()
    assert (found["snapshot.created"], found["snapshot.dedup"], found["publish.success"]) == (2, 1, 3)


def test_what_ebay_refuses_for_good_is_permanent_and_a_dead_letter(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25005, call="publish"))
    seller.put(record())
    seller.settle()
    found = counted()
    assert (found["publish.failure"], found["publish.permanent_failure"], found["publish.dead_letter"]) == (1, 1, 1)
    assert (found["publish.retry_scheduled"], found["publish.success"]) == (0, 0)
    noted = records.notes()
    assert noted[metrics.ERROR]["code"] == "25005"
    assert metrics.SUCCESS not in noted


def test_six_attempts_are_five_retries_and_a_dead_letter(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25001, call="publish"))
    seller.put(record())
    seller.settle()
    found = counted()
    assert (found["publish.attempt"], found["publish.failure"], found["publish.retry_scheduled"]) == (6, 6, 5)
    assert (found["publish.dead_letter"], found["publish.permanent_failure"]) == (1, 0)


def test_what_only_waits_is_neither_retried_nor_dead(seller: EbaySeller) -> None:
    seller.sandbox.faults.set(RefuseListing(error_id=25026, call="publish"))
    seller.put(record())
    seller.later(31)
    seller.tick()
    found = counted()
    assert found["publish.attempt"] >= 1
    assert (found["publish.retry_scheduled"], found["publish.dead_letter"]) == (0, 0)
    assert found["publish.failure"] == found["publish.attempt"]


def test_calls_are_told_by_call_and_result_and_drift_by_class(
    seller: EbaySeller, capsys: pytest.CaptureFixture[str]
) -> None:
    seller.put(record(quantity=5))
    seller.settle()
    told = {(one["call"], one["result"]): one["adapter.calls"] for one in apart(capsys, "adapter.calls")}
    assert told["PUT /sell/inventory/v1/inventory_item/{sku}", "ok"] == [1.0]
    seller.sandbox.ebay.sell(TENANT, SKU, 2)
    seller.later(60)
    reconciler.run(Context(seller.clock, seller.config))
    assert apart(capsys, "drift.detected") == []
    seller.tick()
    assert "duration.reconcile_ms" in observe.metrics.metric_set
    [drift] = apart(capsys, "drift.detected")
    assert (drift["class"], drift["drift.detected"]) == ("sale", [1.0])


def test_the_reconciler_tells_what_is_left_and_when_the_last_of_each_was(
    seller: EbaySeller, capsys: pytest.CaptureFixture[str]
) -> None:
    seller.put(record(quantity=5))
    seller.settle()
    published_at = records.notes()[metrics.SUCCESS]["at"]
    seller.later(60)
    budget, limits = accounts.budget_of(ACCOUNT, EBAY_INVENTORY), seller.config.limits[EBAY_INVENTORY]
    assert ledger.reserve_calls(budget, limits, Window.of(budget, seller.clock.time), 10_000)
    capsys.readouterr()
    reconciler.run(Context(seller.clock, seller.config))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    told = {name: line[name][0] for line in lines for name in metrics.NAMES if name in line}
    assert told["adapter.remaining_calls"] == 1_990_000
    assert told["last.publish_success"] == published_at // 1_000
    assert told["last.reconcile"] == seller.clock.time // 1_000
    assert "last.publish_error" not in told
    noted = records.notes()[metrics.RECONCILE]
    assert (noted["remaining"], noted["limit"]) == (told["adapter.remaining_calls"], 2_000_000)


def test_every_name_is_documented_with_its_meaning() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("## Metrics\n")[1].split("\n## ")[0]
    assert dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", section, re.M)) == dict(metrics.NAMES)


def test_every_name_that_is_counted_is_known_and_every_known_one_is_counted() -> None:
    """The source is read, so that a name that is spelled otherwise somewhere is found."""
    package = Path(metrics.__file__).parents[2]
    text = "\n".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py") if path.name != "metrics.py")
    text += Path(metrics.__file__).read_text(encoding="utf-8").partition("def published")[2]
    dotted = r"(?:publish|queue|snapshot|drift|adapter|duration|last|audit|report)\.[a-z_]+"
    used = set(re.findall(rf'(?:count|tally|gauge|measured|milliseconds)\(\s*"({dotted})"', text))
    used |= {name for pair in re.findall(rf'count\("({dotted})" if .* else "({dotted})"\)', text) for name in pair}
    assert used | set(metrics.LAST.values()) == set(metrics.NAMES)
