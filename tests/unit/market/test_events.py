"""Events on the bus are what docs/events.md says."""

import re
from types import NoneType
from typing import Any

import pytest

from local.cloud.cloud import ROOT
from local.sandbox.faults import ExpiredToken
from sluice.jobs.queue import starts
from sluice.jobs.run.messages import decode
from sluice.platform.clock import MINUTE, iso
from tests.support.http import call
from tests.unit.market.world import Json, World, item

DOCUMENT = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
TYPES: dict[str, tuple[type, ...]] = {
    "number": (int,),
    "text": (str,),
    "text or null": (str, NoneType),
    "list of text": (list,),
    "list": (list,),
    "object or null": (dict, type(None)),
}


def documented() -> dict[str, dict[str, tuple[type, ...]]]:
    """The fields of each detail type, as the document's tables have them."""
    tables: dict[str, dict[str, tuple[type, ...]]] = {}
    for section in DOCUMENT.split("\n## ")[1:]:
        title = section.splitlines()[0]
        rows = re.findall(r"^\| `(\w+)` \| ([\w ]+?) \|", section, re.MULTILINE)
        for kind in re.findall(r"`([\w.]+)`", title):
            tables[kind] = {name: TYPES[described] for name, described in rows}
    return tables


def conforms(kind: str, detail: Json) -> None:
    fields = documented()[kind]
    assert list(detail) == list(fields)
    assert {name for name, value in detail.items() if not isinstance(value, fields[name])} == set()


def test_a_job_that_succeeded(acme: World) -> None:
    acme.connect("bolt")
    acme.enqueue(item(), tenant="bolt")
    [job] = acme.finish(item())
    [(kind, detail)] = acme.bus.events
    conforms(kind, detail)
    assert kind == "job.succeeded"
    assert detail == {
        "version": 1,
        "id": detail["id"],
        "jobId": job["jobId"],
        "kind": "market.refresh",
        "priority": "hot",
        "state": "succeeded",
        "account": "stockx:bolt",
        "tenants": ["acme", "bolt"],
        "tenant": "*",
        "attempts": 1,
        "result": {"price": "stockx:us-10:USD", "ask": job["result"]["ask"], "bid": job["result"]["bid"]}
        | {"observed_at": job["result"]["observedAt"]},
        "error": None,
        "at": iso(acme.clock.now()),
    }


def test_every_event_names_the_tenant_in_whose_turn_it_stands() -> None:
    """The rules that put events into queues name it; an event without it might never arrive."""
    assert [kind for kind, fields in documented().items() if fields.get("tenant") != (str,)] == []


def test_a_job_that_is_dead(acme: World) -> None:
    acme.finish(item("ZZ0000-000"))
    [(kind, detail)] = acme.bus.events
    conforms(kind, detail)
    assert (detail["tenants"], detail["tenant"]) == (["acme"], "acme")
    assert (kind, detail["state"], detail["result"]) == ("job.dead", "dead", None)
    assert detail["error"]["code"] == "product_unknown"


def test_a_job_whose_workers_all_died(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    for _ in range(6):
        acme.tick()
        while acme.bus.work:  # each of its workers dies right after it has begun
            starts.start(decode(acme.bus.work.popleft().body).jobs[0], acme.clock.now())
        acme.clock.time += 6 * MINUTE
    job = acme.job(job_id)
    assert (job["state"], job["attempts"], job["error"]["code"]) == ("dead", 5, "lease_expired")
    [(kind, detail)] = acme.bus.events
    conforms(kind, detail)
    assert kind == "job.dead"
    assert len(acme.letters()) == 1


def test_an_account_that_is_broken(acme: World) -> None:
    acme.sandbox.faults.set(ExpiredToken(path="/v2/*"))
    acme.finish(item())
    [(kind, detail)] = acme.bus.events
    conforms(kind, detail)
    assert (kind, detail["status"]) == ("account.broken", "BROKEN")


def test_jobs_that_are_not_over_have_no_event(acme: World) -> None:
    acme.pause("stockx")
    acme.finish(item())
    assert acme.bus.events == []


def test_a_job_that_was_cancelled(acme: World) -> None:
    [job_id] = acme.enqueue(item())
    assert call("DELETE", f"/v1/jobs/{job_id}").status == 200
    [(kind, detail)] = acme.bus.events
    conforms(kind, detail)
    assert (kind, detail["state"], detail["tenants"]) == ("job.cancelled", "cancelled", ["acme"])


@pytest.mark.parametrize("kind", ["job.succeeded", "job.dead", "job.cancelled", "account.broken"])
def test_the_document_has_a_table_for(kind: str) -> None:
    fields: dict[str, Any] = documented()[kind]
    assert fields.keys() >= {"version", "account", "at"}
