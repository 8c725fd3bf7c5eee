"""The routes of promotions as a client sees them, and what bad input gets."""

import json
from typing import Any

import pytest

from sluice.jobs.model.job import Job
from sluice.jobs.queue import tally
from sluice.jobs.queue.enqueue import enqueue_many
from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.http.errors import TimedOut
from sluice.platform import tables
from sluice.platform.clock import MINUTE
from sluice.platform.config import document
from sluice.platform.http import routing
from tests.support.ads import CREDENTIALS, LISTING, NOON, Seller, refuse
from tests.support.http import Answer, call
from tests.support.store import Store
from tests.support.stream import changes
from tests.unit.api.document import conforms

PROMOTIONS = "/v1/promotions"


@pytest.fixture(autouse=True)
def _the_sellers_time(seller: Seller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "clock", seller.clock)


def post(body: Any, **caller: Any) -> Answer:
    answer = call("POST", PROMOTIONS, body=body, **caller)
    conforms(f"POST {PROMOTIONS}", answer)
    return answer


def row(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"listingId": str(int(LISTING) + number), "adRate": 5.5} | more


def show(job_id: str) -> Any:
    answer = call("GET", f"{PROMOTIONS}/{job_id}")
    conforms(f"GET {PROMOTIONS}/{{promotion_id}}", answer)
    return answer.json["job"]


def listed(**query: Any) -> Any:
    answer = call("GET", PROMOTIONS, query=query)
    conforms(f"GET {PROMOTIONS}", answer)
    return answer.json


def test_a_promotion_from_request_to_ad(seller: Seller) -> None:
    answer = post(row())
    assert (answer.status, answer.json["success"]) == (202, True)
    assert show(answer.json["jobId"]) == {
        "id": f"promotion.create:ebay:acme:{LISTING}",
        "userId": "someone@acme",
        "listingId": LISTING,
        "adRate": 5.5,
        "campaignId": None,
        "adId": None,
        "attempts": 0,
        "maxAttempts": 5,
        "nextRetryAt": "2026-11-22T12:01:00.000Z",
        "createdAt": "2026-11-22T12:00:00.000Z",
        "lastError": None,
        "status": "pending",
    }
    seller.market.known_at[LISTING] = NOON + 2 * MINUTE
    seller.minutes(2)
    waiting = show(answer.json["jobId"])
    assert (waiting["status"], waiting["attempts"], waiting["nextRetryAt"]) == (
        "pending",
        1,
        "2026-11-22T12:03:00.000Z",
    )
    assert waiting["lastError"]["code"] == "35048"
    seller.minutes(2)
    done = show(answer.json["jobId"])
    assert (done["status"], done["campaignId"], done["adId"]) == ("succeeded", "1001", "3002")
    assert (done["attempts"], done["nextRetryAt"], done["lastError"]) == (2, None, None)


def test_a_batch(seller: Seller) -> None:
    answer = post({"batch": [row(number) for number in range(500)]}).json
    assert (answer["success"], answer["count"], len(set(answer["jobIds"]))) == (True, 500, 500)
    assert show(answer["jobIds"][499])["nextRetryAt"] == "2026-11-22T12:42:35.000Z"
    again = post({"batch": [row(0, adRate=7), row(500)]}).json
    assert again["message"].startswith("1 promotions are new; 1 were there already")
    tally.follow(changes("jobs"))
    assert listed()["stats"]["total"] == 501


@pytest.mark.parametrize("rate", [2, 2.0, "2", "2.0", 5.5, "5.5", 100, "100.0", 1e2])
def test_rates_that_are_taken(rate: object) -> None:
    assert post(row(adRate=rate)).status == 202


@pytest.mark.parametrize(
    "rate",
    [
        1.9,
        100.1,
        "5.25",
        5.25,
        "NaN",
        "Infinity",
        "",
        "5,5",
        " 5",
        "\N{ARABIC-INDIC DIGIT FIVE}",
        -5,
        0,
        1e300,
        10**30,
        True,
        None,
        [5],
        {},
        "x" * 9,
    ],
)
def test_a_rate_that_ebay_would_not_take_is_refused(tables: Store, rate: object) -> None:
    before = tables.items("jobs")
    for body, field in ((row(adRate=rate), "adRate"), ({"batch": [row(), row(1, adRate=rate)]}, "batch[1].adRate")):
        answer = post(body)
        assert (answer.status, list(answer.fields)) == (400, [field])
    assert tables.items("jobs") == before == []


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_is_refused(word: str) -> None:
    answer = call("POST", PROMOTIONS, body=json.dumps(row()).replace("5.5", word))
    assert answer.status == 400
    assert word.strip("-") in answer.text


@pytest.mark.parametrize(
    "listing",
    [
        "",
        "12a",
        "\N{ARABIC-INDIC DIGIT FIVE}",
        "-1",
        "0",
        f"0{LISTING}",
        "1" * 20,
        110551234567,
        None,
        "11055 1234567",
    ],
)
def test_a_listing_that_is_not_digits_is_refused(listing: object) -> None:
    answer = post(row(listingId=listing))
    assert (answer.status, list(answer.fields)) == (400, ["listingId"])
    answer = post({"batch": [row(), row(listingId=listing)]})
    assert (answer.status, list(answer.fields)) == (400, ["batch[1].listingId"])
    assert list(Job.scan()) == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["listingId", "adRate"]),
        ({"listingId": LISTING}, ["adRate"]),
        ({"adRate": 5}, ["listingId"]),
        ({"batch": []}, ["batch"]),
        ({"batch": [row(number) for number in range(501)]}, ["batch"]),
        ({"batch": {}}, ["batch"]),
        ({"batch": [row()], "listingId": LISTING, "adRate": 5}, ["listingId", "adRate"]),
        ({"batch": [row(), row(1), row(0)]}, ["batch[2].listingId"]),
        ({"batch": [row(number, campaignId=str(number)) for number in range(1, 7)]}, ["batch"]),
        ({**row(), "colour": "red"}, ["colour"]),
        ({"batch": [{**row(), "colour": "red"}]}, ["batch[0].colour"]),
        ({**row(), "campaignId": "1 or 1"}, ["campaignId"]),
    ],
)
def test_what_else_is_refused(body: Any, fields: list[str]) -> None:
    answer = post(body)
    assert (answer.status, list(answer.fields)) == (400, fields)
    assert list(Job.scan()) == []


def test_anothers_campaign_is_refused_by_row_and_nothing_is_taken(seller: Seller) -> None:
    body = {"batch": [row(0, campaignId="1001"), row(1, campaignId="6666"), row(2, campaignId="6666"), row(3)]}
    answer = post(body)
    assert answer.status == 400
    assert list(answer.fields) == ["batch[1].campaignId", "batch[2].campaignId"]
    assert "is not one of your campaigns" in answer.fields["batch[1].campaignId"]
    assert list(Job.scan()) == []
    assert [name for name, _ in seller.market.calls] == ["campaign", "campaign"], "each is asked about once"


def test_a_campaign_that_has_ended_is_refused(seller: Seller) -> None:
    seller.market.end("1001")
    answer = post(row(campaignId="1001"))
    assert "takes no ads" in answer.fields["campaignId"]


def test_a_campaign_that_cannot_be_asked_about_now_is_left_to_the_job(seller: Seller) -> None:
    seller.market.trouble["campaign"] = [refuse(TimedOut("no answer in time"))]
    answer = post(row(campaignId="6666"))
    assert answer.status == 202
    seller.minutes(2)
    job = show(answer.json["jobId"])
    assert (job["status"], job["attempts"], job["lastError"]["code"]) == ("failed", 1, "35045")


def test_an_account_that_cannot_advertise_is_told_what_to_do(seller: Seller) -> None:
    answer = post(row(), tenant="globex")
    assert (answer.status, list(answer.fields)) == (400, ["account"])
    assert "PUT /v1/accounts/ebay" in answer.fields["account"]
    prices_only = {name: CREDENTIALS[name] for name in ("client_id", "client_secret")}
    accounts.connect("ebay", "globex", prices_only, seller.clock.time)
    assert "refresh_token" in post(row(), tenant="globex").fields["account"]


def test_what_could_not_be_stored_is_named_and_the_rest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_is_lost(specs: Any, now: int, _: object) -> Any:
        done = enqueue_many([specs[0], specs[2]], now)
        return [done[0], tables.Contention("locked"), done[1]]

    monkeypatch.setattr("sluice.jobs.ask.enqueue_many", one_is_lost)
    answer = post({"batch": [row(number) for number in range(3)]})
    assert (answer.status, list(answer.fields), len(answer.json["jobIds"])) == (503, ["batch[1]"], 2)


def test_the_list_is_filtered_paged_and_counted(seller: Seller) -> None:
    seller.config = document.Config()
    jobs = post({"batch": [row(number) for number in range(5)]}).json["jobIds"]
    seller.market.known_at[str(int(LISTING) + 1)] = NOON + 1000 * MINUTE
    call("DELETE", f"{PROMOTIONS}/{jobs[4]}")
    seller.minutes(1)
    seller.clock.time = NOON + 70_000
    tally.follow(changes("jobs"))
    answer = listed()
    assert answer["stats"] == {"total": 4, "ready": 2, "pending": 1, "succeeded": 1, "failed": 0}
    assert [one["id"] for one in answer["promotions"]] == jobs
    assert [one["id"] for one in listed(status="ready")["promotions"]] == jobs[1:3]
    assert [one["id"] for one in listed(status="cancelled")["promotions"]] == jobs[4:]
    assert [one["id"] for one in listed(listingId=LISTING)["promotions"]] == jobs[:1]
    seen, cursor = [], None
    while True:
        page = listed(limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [one["id"] for one in page["promotions"]]
        post(row(900 + len(seen)))  # what comes in front of the pages moves none of them
        if (cursor := page["next"]) is None:
            break
    assert seen == jobs
    refused = call("GET", PROMOTIONS, query={"cursor": "abc"})
    assert (refused.status, list(refused.fields)) == (400, ["cursor"])


def test_cancelling(seller: Seller) -> None:
    job_id = post(row()).json["jobId"]
    answer = call("DELETE", f"{PROMOTIONS}/{job_id}")
    conforms(f"DELETE {PROMOTIONS}/{{promotion_id}}", answer)
    assert answer.json == {"success": True, "jobId": job_id, "message": "no ad will be placed"}
    again = call("DELETE", f"{PROMOTIONS}/{job_id}")
    assert (again.status, again.json["error"]["code"]) == (409, "final")
    running = post(row(1)).json["jobId"]
    job = Job.get(running)
    job.state = "leased"
    job.save()
    answer = call("DELETE", f"{PROMOTIONS}/{running}")
    assert (answer.status, answer.json["error"]["code"]) == (409, "running")
    assert call("DELETE", f"{PROMOTIONS}/promotion.create:ebay:acme:1").status == 404


def test_the_jobs_of_other_kinds_are_no_promotions(seller: Seller) -> None:
    job_id = post(row()).json["jobId"]
    job = Job.get(job_id)
    job.kind = "market.refresh"
    job.save()
    assert call("GET", f"{PROMOTIONS}/{job_id}").status == 404
