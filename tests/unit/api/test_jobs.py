"""GET /v1/jobs, GET and DELETE /v1/jobs/{job_id}."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from sluice.jobs.budgets import ledger
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import CannotSucceed, Failure
from sluice.jobs.queue import claim, finish
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts.table import Status
from sluice.platform.clock import HOUR, MINUTE, SECOND, iso
from sluice.platform.config.document import Config
from sluice.platform.http import paging, routing
from tests.support.http import call, event, send
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms

ONE = "GET /v1/jobs/{job_id}"


def jobs(**query: Any) -> Any:
    answer = call("GET", "/v1/jobs", query=query)
    conforms("GET /v1/jobs", answer)
    assert answer.status == 200, answer.text
    return answer.json


def job(job_id: str) -> Any:
    answer = call("GET", f"/v1/jobs/{quote(job_id, safe='')}")
    conforms(ONE, answer)
    assert answer.status == 200, answer.text
    return answer.json


def run(cloud: Cloud, job_id: str, ago: int = 0) -> Job:
    """Claim the job, as the scheduler does."""
    claimed = claim.claim(Candidate.of(Job.get(job_id)), cloud.now - ago + MINUTE, 5 * MINUTE)
    assert claimed
    return claimed


def skus(page: Any) -> list[str]:
    return [one["payload"]["sku"] for one in page["jobs"]]


def test_jobs_are_listed_newest_request_first(acme: Cloud) -> None:
    acme.enqueue("acme", "A-1", "A-2")
    acme.enqueue("acme", "B-1")
    assert skus(jobs()) == ["B-1", "A-1", "A-2"]


def test_a_job_asked_for_twice_is_listed_once(acme: Cloud) -> None:
    acme.enqueue("acme", "A-1", "A-2")
    acme.enqueue("acme", "A-2")
    assert skus(jobs()) == ["A-2", "A-1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_hold_every_job_once_and_end(acme: Cloud, limit: int) -> None:
    for letter in "ABC":
        acme.enqueue("acme", *(f"{letter}-{number}" for number in range(3)))
    found: list[str] = []
    cursor = None
    for _ in range(20):
        page = jobs(limit=limit, **({"cursor": cursor} if cursor else {}))
        assert len(page["jobs"]) <= limit
        found += skus(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert found == [f"{letter}-{number}" for letter in "CBA" for number in range(3)]


def test_filters_narrow_the_list_and_work_over_pages(acme: Cloud) -> None:
    acme.enqueue("acme", *(f"DD-{number}" for number in range(5)), *(f"BB-{number}" for number in range(5)))
    cancelled = acme.enqueue("acme", "DD-9")
    call("DELETE", f"/v1/jobs/{cancelled[0]}")
    assert skus(jobs(state="cancelled")) == ["DD-9"]
    assert skus(jobs(sku="dd-", state="queued")) == [f"DD-{number}" for number in range(5)]
    assert skus(jobs(kind="market.refresh", marketplace="stockx", sku="BB-4")) == ["BB-4"]
    assert skus(jobs(kind="listing.create")) == []
    first = jobs(sku="BB", limit=2)
    assert skus(first) + skus(jobs(sku="BB", limit=2, cursor=first["next"])) == ["BB-0", "BB-1", "BB-2", "BB-3"]


def test_a_filter_that_matches_little_answers_before_it_has_read_everything(
    acme: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "TIMES", 0)
    monkeypatch.setattr(paging, "LEAST", 4)
    [wanted, *_] = acme.enqueue("acme", "Z-1", *(f"A-{number}" for number in range(5)))
    acme.enqueue("acme", *(f"B-{number}" for number in range(5)))
    assert call("DELETE", f"/v1/jobs/{wanted}").status == 200
    found: list[str] = []
    cursor, pages = None, 0
    while cursor or not pages:
        page = jobs(state="cancelled", **({"cursor": cursor} if cursor else {}))
        found, cursor, pages = found + skus(page), page["next"], pages + 1
    assert (found, pages) == (["Z-1"], 3)


def cursor_of(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd", -1),
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd", 501),
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd", True),
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd", 1.5),
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd"),
        cursor_of("acme", "2026-11-22T05:00:00.000Z#0123abcd", 0, 0),
        cursor_of("acme", "9999", 0),
        cursor_of("acme", ["2026-11-22T05:00:00.000Z#0123abcd"], 0),
        cursor_of("globex", "2026-11-22T05:00:00.000Z#0123abcd", 0),
        base64.urlsafe_b64encode(b'{"tenant": "acme"}').decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 150).decode(),
        "ä",
        "=",
    ],
)
def test_a_cursor_that_was_not_given_is_refused(acme: Cloud, cursor: str) -> None:
    answer = call("GET", "/v1/jobs", query={"cursor": cursor})
    assert (answer.status, list(answer.fields)) == (400, ["cursor"])


def test_a_cursor_to_a_request_that_is_gone_goes_on_with_the_next(acme: Cloud) -> None:
    acme.enqueue("acme", "A-1")
    gone = cursor_of("acme", "2999-01-01T00:00:00.000Z#0123abcd", 3)
    assert skus(jobs(cursor=gone)) == ["A-1"]


def test_a_waiting_job_is_shown_whole(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100", priority="hot")
    shown = job(job_id)
    assert shown["jobId"] == job_id
    assert (shown["state"], shown["priority"], shown["attempts"], shown["maxAttempts"]) == ("queued", "hot", 0, 5)
    assert shown["payload"] == {"sku": "DD1391-100", "size": "10", "sizeSystem": "us", "currency": "USD"}
    assert (shown["result"], shown["error"], shown["history"]) == (None, None, [])
    assert shown["wait"]["reason"] == "ready"


def test_attempts_are_shown_with_their_errors(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    failed = Failure("the marketplace answered 503", code="unavailable")
    finish.fail(run(acme, job_id), failed, acme.now, Config(), chance=0.99)
    shown = job(job_id)
    [entry] = shown["history"]
    assert (entry["event"], entry["attempt"], entry["code"]) == ("retry", 1, "unavailable")
    assert shown["error"]["message"] == "the marketplace answered 503"
    assert shown["wait"]["reason"] == "not_due"
    assert shown["wait"]["until"] == shown["dueAt"]


def test_repeated_snoozes_are_one_entry(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    for _ in range(3):
        finish.snooze(run(acme, job_id), Failure("full", code="budget_empty"), acme.now, acme.now, Config())
    [entry] = job(job_id)["history"]
    assert (entry["event"], entry["times"], entry["last"][-1]) == ("snooze", 3, "Z")


def test_a_dead_job_shows_why(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    finish.fail(
        run(acme, job_id), CannotSucceed("no such product", code="product_unknown"), acme.now, Config(), chance=0
    )
    shown = job(job_id)
    assert (shown["state"], shown["dueAt"], shown["wait"]["reason"]) == ("dead", None, "final")
    assert shown["error"]["code"] == "product_unknown"


def test_a_finished_job_shows_its_result(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    finish.complete(run(acme, job_id), {"ask": "150", "observed_at": "2026-11-22T05:00:00.000Z"}, acme.now, Config())
    assert job(job_id)["result"] == {"ask": "150", "observedAt": "2026-11-22T05:00:00.000Z"}


def test_a_running_job_says_so(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    run(acme, job_id)
    assert job(job_id)["wait"]["reason"] == "running"


def test_a_closed_budget_says_until_when(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    ledger.close("stockx:acme", acme.now + HOUR, "429")
    wait = job(job_id)["wait"]
    assert (wait["reason"], wait["until"] is not None) == ("closed", True)


def test_a_broken_account_says_what_to_do(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    accounts.mark("stockx:acme", Status.BROKEN, "refused", acme.now, token_version=1)
    assert "connect it again" in job(job_id)["wait"]["message"]


def test_a_job_of_a_kind_that_is_gone_is_still_shown(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    stored = Job.get(job_id)
    stored.kind, stored.priority = "market.forgotten", 175
    stored.save()
    shown = job(job_id)
    assert (shown["maxAttempts"], shown["priority"]) == (None, "175")


ODD = "market.refresh:stockx:A%2FB%23C%26%28D%29:us-10%20.5:USD"


@pytest.mark.parametrize(
    "path",
    [
        ODD,
        quote(ODD, safe=""),
        quote(ODD, safe=":"),
        quote(ODD, safe=":%"),
    ],
)
@pytest.mark.parametrize("gateway", ["decodes", "leaves as it is", "gives the raw path only"])
def test_a_job_is_found_however_its_id_was_escaped(acme: Cloud, path: str, gateway: str) -> None:
    assert acme.enqueue("acme", "a/b#c&(d)", size="10 .5") == [ODD]
    request = event("GET", f"/v1/jobs/{path}")
    if gateway != "decodes":
        request |= {"rawPath": f"/v1/jobs/{path}", "pathParameters": {"job_id": path}}
    if gateway == "gives the raw path only":
        del request["pathParameters"]
    answer = send(request, "functions/api")
    assert (answer.status, answer.json.get("jobId")) == (200, ODD), answer.text


def test_an_id_that_is_escaped_as_a_path_segment_should_be_is_never_mistaken(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "a:b/c")
    assert job(job_id)["jobId"] == job_id == "market.refresh:stockx:A%3AB%2FC:us-10:USD"


def test_a_queued_job_is_cancelled_and_leaves_the_queue(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    answer = call("DELETE", f"/v1/jobs/{job_id}")
    assert (answer.status, answer.json) == (200, {"jobId": job_id, "outcome": "cancelled"})
    assert Job.get(job_id).lane is None
    again = call("DELETE", f"/v1/jobs/{job_id}")
    assert (again.status, again.json["error"]["code"]) == (409, "final")
    conforms("DELETE /v1/jobs/{job_id}", again)


def test_a_running_job_is_not_cancelled(acme: Cloud) -> None:
    [job_id] = acme.enqueue("acme", "DD1391-100")
    run(acme, job_id)
    before = acme.content()
    answer = call("DELETE", f"/v1/jobs/{job_id}")
    assert (answer.status, answer.json["error"]["code"]) == (409, "running")
    assert acme.content() == before


@pytest.mark.parametrize("limit", [1, 100])
def test_times_narrow_the_list_to_what_was_asked_for_then(
    acme: Cloud, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """From is included, to is not, over pages as on one."""
    start = acme.now - acme.now % SECOND
    for place, sku in enumerate(("A-1", "A-2", "A-3", "A-4")):
        at = start + place * MINUTE
        monkeypatch.setattr(routing.clock, "now", lambda at=at: at)
        acme.enqueue("acme", sku)

    def listed(**period: str) -> list[str]:
        query, skus = {**period, "limit": str(limit)}, list[str]()
        while True:
            answer = call("GET", "/v1/jobs", query=query)
            assert answer.status == 200, answer.text
            skus += [job["payload"]["sku"] for job in answer.json["jobs"]]
            if answer.json["next"] is None:
                return skus
            query["cursor"] = answer.json["next"]

    second, fourth = iso(start + MINUTE), iso(start + 3 * MINUTE)
    assert listed(**{"from": second}) == ["A-4", "A-3", "A-2"]
    assert listed(to=fourth) == ["A-3", "A-2", "A-1"]
    assert listed(**{"from": second, "to": fourth}) == ["A-3", "A-2"]
    assert listed(to=iso(start - MINUTE)) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2026-11-22"}, "to"),
        ({"from": "2026-11-22T12:00:00Z", "to": "2026-11-22T12:00:00Z"}, "to"),
        ({"since": "2026-11-22T12:00:00Z"}, "since"),
    ],
)
def test_a_time_that_is_none_and_an_unknown_filter_are_refused_by_name(
    acme: Cloud, query: dict[str, str], field: str
) -> None:
    answer = call("GET", "/v1/jobs", query=query)
    assert (answer.status, [*answer.fields]) == (400, [field])
