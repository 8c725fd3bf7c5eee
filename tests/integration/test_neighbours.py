"""Three tenants on the deployed stack, one of them hostile for the whole run: nothing of the others' is lost or taken.

How long things take is measured by `bench.neighbours`; here is counted what must hold however slow the machine is.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local import neighbours
from local.laptop import Laptop
from local.neighbours import GOOD, HOSTILE, Run
from sluice_command.api import Api


@pytest.fixture(scope="module")
def stack() -> Iterator[Laptop]:
    configuration = json.dumps(neighbours.CONFIGURATION)
    with Laptop(latency_ms=20, products=neighbours.PRODUCTS, configuration=configuration) as laptop:
        yield laptop


@pytest.fixture(scope="module")
def run(stack: Laptop) -> Run:
    """The whole run, with the hostile tenant in it."""
    return neighbours.play(stack, hostile=True)


@pytest.fixture
def jobs(stack: Laptop, run: Run) -> dict[str, Any]:
    """The good tenants' listings and ads as they are stored: nobody but their tenant can have asked for them."""
    table = stack.cloud.client("dynamodb")
    own = [one.job_id for one in run.asks if one.what != "price"]
    found = [table.get_item(TableName=f"{stack.stack.name}-jobs", Key={"job_id": {"S": one}})["Item"] for one in own]
    return {one["job_id"]["S"]: one for one in found}


def test_the_hostile_one_was_at_it_in_every_way(run: Run) -> None:
    """Else the rest says nothing. Some of what it tries is refused, and some is within its allowance."""
    outcomes = {
        name: {deed.rpartition(": ")[2] for deed in run.deeds if deed.startswith(f"{name}:")} for name in _deeds(run)
    }
    assert outcomes["account"] <= {"400", "429"}
    assert outcomes["deep import"] <= {"400", "429"}
    assert "done" in outcomes["prices"]
    assert "done" in outcomes["prices of others"]
    assert "done" in outcomes["page"]
    assert {"429"} & set().union(*outcomes.values()), "it never met an allowance"


def _deeds(run: Run) -> set[str]:
    return {deed.rpartition(": ")[0] for deed in run.deeds}


def test_all_that_the_others_asked_for_was_taken_and_has_arrived(run: Run) -> None:
    assert run.refused == []
    assert len(run.asks) == len(GOOD) * 3 * neighbours.ROUNDS
    assert run.missing() == []
    assert {event.type for events in run.events.values() for event in events.values()} == {"job.succeeded"}


def test_no_event_of_another_reaches_a_receiver(run: Run) -> None:
    for tenant, events in run.events.items():
        asked = {one.job_id for one in run.asks if one.tenant == tenant}
        assert events.keys() == asked
    assert not set(run.events["acme"]) & set(run.events["globex"])


def test_the_others_work_is_charged_to_themselves_and_stays_with_them(jobs: dict[str, Any], run: Run) -> None:
    owner = {one.job_id: one.tenant for one in run.asks}
    for job_id, job in jobs.items():
        tenant = job["tenant"]["S"]
        assert tenant == owner[job_id]
        assert job["account"]["S"].partition(":")[2] == tenant
        events = [entry["event"] for entry in json.loads(job.get("history", {"S": "[]"})["S"])]
        assert not {"transfer", "abandon", "bury"} & set(events)


def test_the_marketplaces_were_asked_for_the_others_on_their_own_accounts_alone(stack: Laptop, run: Run) -> None:
    """Made-up styles are the hostile one's: nobody else's account has searched for them, nor was any refused for it."""
    calls = stack.sandbox.requests()
    of_others = [one for one in calls if one.account in GOOD]
    assert of_others
    assert not [one for one in of_others if "NO-" in one.query.get("query", "")]
    assert not [one for one in of_others if one.status == 429]
    assert [one for one in calls if one.account == HOSTILE and one.status == 429], "it had no 429 of its own"


def test_the_others_accounts_and_budgets_are_open(stack: Laptop, run: Run) -> None:
    for tenant in GOOD:
        api: Api = stack.api(tenant)
        for account in api.get("/v1/accounts")["accounts"]:
            assert {grant["status"] for grant in account["grants"]} == {"ACTIVE"}
        assert api.get("/v1/dead-letters")["deadLetters"] == []
    rows = stack.cloud.client("dynamodb").scan(TableName=f"{stack.stack.name}-budgets")["Items"]
    closed = {row["budget"]["S"] for row in rows if "closed_until" in row}
    assert closed, "its own budgets were closed"
    assert not {f"stockx:{tenant}" for tenant in GOOD} & closed


def test_the_hostile_one_sees_nothing_of_the_others(stack: Laptop, run: Run) -> None:
    api: Api = stack.api(HOSTILE)
    own = {one.job_id for one in run.asks if one.what != "price"}
    seen = json.dumps([api.get("/v1/jobs", limit=100), api.get("/v1/stockx/listings"), api.get("/v1/promotions")])
    assert not [job_id for job_id in own if job_id in seen]
    assert not [tenant for tenant in GOOD if tenant in seen]
