"""Calls that a marketplace counts apart have a budget of their own, which their jobs are charged to."""

from dataclasses import replace

import pytest

from sluice.jobs.budgets.windows import Usage
from sluice.jobs.dispatch.explain import Gate, Reason, held
from sluice.jobs.model import keys, kinds
from sluice.jobs.model.kinds import JobKind
from sluice.jobs.queue.enqueue import Result, enqueue
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import Pause, Pauses
from tests.support.work import spec

NOW = 1_795_348_800_000
ADS = JobKind("test.ads", f"{__name__}:none", frozenset({"ebay"}), service="ebay-marketing")
SPEC = replace(spec(), job_id="test.ads:1", kind=ADS.name, account="ebay:acme", budget="ebay-marketing")


@pytest.fixture
def _ads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(kinds._KINDS, ADS.name, ADS)


@pytest.mark.parametrize(
    ("service", "by_account", "budget"),
    [
        ("", False, "ebay"),
        ("", True, "ebay:acme"),
        ("ebay-ads", False, "ebay-ads"),
        ("ebay-ads", True, "ebay-ads:acme"),
    ],
)
def test_what_a_call_is_charged_to(service: str, by_account: bool, budget: str) -> None:
    assert keys.budget("ebay:acme", by_account=by_account, service=service) == budget
    assert keys.service_of(budget) == (service or "ebay")
    assert keys.lane_budget(keys.lane(budget, "ebay:acme", keys.HOT, "job", 1)) == budget


@pytest.mark.parametrize(
    ("stored", "application", "charged", "spoken"),
    [
        ("ebay", "3f9c", "ebay:app.3f9c", "ebay (this application)"),
        ("ebay-marketing", "3f9c", "ebay-marketing:app.3f9c", "ebay-marketing (this application)"),
        ("ebay", None, "ebay", "ebay"),
        ("stockx:acme", "3f9c", "stockx:acme", "stockx:acme"),
        ("stockx:acme", None, "stockx:acme", "stockx:acme"),
    ],
)
def test_an_application_is_charged_where_the_job_names_no_account(
    stored: str, application: str | None, charged: str, spoken: str
) -> None:
    budget = keys.charged_to(stored, application)
    assert (budget, keys.spoken(budget)) == (charged, spoken)
    assert keys.service_of(budget) == keys.service_of(stored)
    assert keys.application_of(budget) == (application if charged != stored else None)


def test_every_service_has_limits_of_its_own() -> None:
    assert Config().limits["ebay-marketing"].per_day == 10_000
    assert Config().limits["ebay-marketing"].pace > 0


@pytest.mark.usefixtures("_ads")
def test_a_job_is_charged_to_its_kinds_service(store: object) -> None:
    assert enqueue(SPEC, NOW).result is Result.CREATED


@pytest.mark.usefixtures("_ads")
@pytest.mark.parametrize("budget", ["ebay", "stockx:acme", "ebay-other"])
def test_a_job_that_would_use_up_anothers_calls_is_refused(budget: str, store: object) -> None:
    with pytest.raises(ValueError, match="charged to ebay-marketing"):
        enqueue(replace(SPEC, budget=budget), NOW)


@pytest.mark.parametrize("paused", ["ebay", "ebay-marketing"])
def test_pausing_a_marketplace_pauses_its_services(paused: str) -> None:
    config = Config(pauses=Pauses.of([Pause(paused)]))
    wait = held(Gate("ebay:acme", "ACTIVE", "ebay-marketing", Usage()), "promotion.create", config, NOW)
    assert wait is not None
    assert (wait.reason, wait.message) == (Reason.PAUSED, f"an operator has paused {paused}")


def test_pausing_a_service_leaves_the_rest_of_its_marketplace() -> None:
    config = Config(pauses=Pauses.of([Pause("ebay-marketing")]))
    assert held(Gate("ebay:acme", "ACTIVE", "ebay", Usage()), "market.refresh", config, NOW) is None
