"""The routes of dead letters: looking, replaying one and many, acknowledging."""

from typing import Any

import pytest

from sluice.jobs.model.dead_letters import UNREADABLE, DeadLetter
from sluice.jobs.model.job import Job
from sluice.operator import dead_letters
from sluice.platform.clock import MINUTE, SECOND, iso
from sluice.platform.http import paging
from tests.support.http import Answer, call
from tests.support.letters import DIED_AT, write
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms

LIST = ("GET", "/v1/dead-letters")
BULK = ("POST", "/v1/dead-letters/replay")


def ask(route: tuple[str, str], **request: Any) -> Answer:
    answer = call(*route, **request)
    conforms(" ".join(route), answer)
    return answer


def path(letter: DeadLetter, end: str = "") -> str:
    return f"/v1/dead-letters/{dead_letters.public_id(letter.dead_letter)}{end}"


def skus(answer: Answer) -> list[str]:
    return [one["payload"]["sku"] for one in answer.json["deadLetters"]]


@pytest.fixture
def letters(cloud: Cloud) -> list[DeadLetter]:
    """Five letters, a minute apart, the oldest first; and one of somebody else."""
    write("globex", "OTHER")
    unknown = {"code": "product_unknown", "message": "no such style", "at": DIED_AT}
    lost = {"code": "lease_expired", "message": "its worker stopped", "at": DIED_AT}
    return [
        write(sku="A", died_at=DIED_AT),
        write(sku="B", died_at=DIED_AT + MINUTE, error=unknown),
        write(sku="C", died_at=DIED_AT + 2 * MINUTE, kind="listing.update", error=lost),
        write(sku="D", died_at=DIED_AT + 3 * MINUTE, replayed_at=DIED_AT, replayed_by="ann"),
        write(sku="E", died_at=DIED_AT + 4 * MINUTE, acknowledged_at=DIED_AT, acknowledged_by="ann"),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "EDCBA"),
        ({"kind": "listing.update"}, "C"),
        ({"kind": "market.refresh", "code": "unavailable"}, "EDA"),
        ({"code": "product_unknown"}, "B"),
        ({"marketplace": "stockx"}, "EDCBA"),
        ({"status": "open"}, "CBA"),
        ({"status": "replayed"}, "D"),
        ({"status": "acknowledged"}, "E"),
        ({"from": iso(DIED_AT + MINUTE)}, "EDCB"),
        ({"to": iso(DIED_AT + 2 * MINUTE)}, "BA"),
        ({"from": iso(DIED_AT + MINUTE), "to": "2026-11-22T06:02:00+01:00"}, "B"),
        ({"from": iso(DIED_AT + MINUTE).lower(), "to": "2026-11-22t06:02:00+01:00"}, "B"),
        ({"from": "2030-01-01T00:00:00Z"}, ""),
        ({"kind": "promotion.create"}, ""),
    ],
)
def test_letters_are_listed_newest_first_by_what_they_are(
    letters: list[DeadLetter], query: dict[str, str], found: str
) -> None:
    answer = ask(LIST, query=query)
    assert (skus(answer), answer.json["next"]) == (list(found), None)


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
def test_pages_show_each_letter_once(letters: list[DeadLetter], limit: int) -> None:
    seen, query = list[str](), {"limit": limit, "from": iso(DIED_AT)}
    while True:
        answer = ask(LIST, query=query)
        seen += skus(answer)
        if answer.json["next"] is None:
            break
        query["cursor"] = answer.json["next"]
    assert seen == list("EDCBA")


def test_a_page_that_matches_little_reads_only_so_much(
    letters: list[DeadLetter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "TIMES", 0)
    monkeypatch.setattr(paging, "LEAST", 2)
    answer = ask(LIST, query={"code": "product_unknown"})
    assert skus(answer) == []
    assert skus(ask(LIST, query={"code": "product_unknown", "cursor": answer.json["next"]})) == ["B"]


def test_one_letter_shows_its_timeline(letters: list[DeadLetter]) -> None:
    answer = call("GET", path(letters[0]))
    conforms("GET /v1/dead-letters/{letter_id}", answer)
    assert answer.json["history"] == [
        {
            "at": iso(DIED_AT),
            "event": "bury",
            "attempt": 5,
            "code": "unavailable",
            "message": "stockx:acme answered 503",
        }
    ]
    assert answer.json["payload"]["sizeSystem"] == "us"
    assert (answer.json["status"], answer.json["marketplace"], answer.json["priority"]) == ("open", "stockx", "hot")


def test_what_a_letter_says_of_other_sellers_is_not_shown(cloud: Cloud) -> None:
    message = "stockx:globex takes no calls"
    entry = {"at": 1, "event": "snooze", "attempt": 1, "code": "x", "message": message}
    letter = write(error={"code": "x", "message": message, "at": 1}, history=[entry])
    assert "globex" not in call("GET", path(letter)).text


def test_an_item_that_was_no_job_is_not_shown(cloud: Cloud) -> None:
    error = {"code": UNREADABLE, "message": "the item cannot be read", "at": 1}
    letter = write(error=error, payload={"item": {"tenants": {"SS": ["acme", "globex"]}}})
    assert call("GET", path(letter)).json["payload"] == {}
    answer = call("POST", path(letter, "/replay"))
    assert (answer.status, answer.json["error"]["code"]) == (409, "not_replayable")


def test_replaying_one_makes_its_job_and_says_who_did_it(cloud: Cloud) -> None:
    letter = write()
    answer = call("POST", path(letter, "/replay"))
    conforms("POST /v1/dead-letters/{letter_id}/replay", answer)
    assert (answer.status, answer.json["outcome"], answer.json["jobId"]) == (202, "created", letter.job_id)
    shown = call("GET", path(letter)).json
    assert (shown["status"], shown["replayedBy"]) == ("replayed", "someone@acme")
    job = call("GET", f"/v1/jobs/{letter.job_id}").json
    assert (job["state"], job["attempts"]) == ("queued", 0)
    assert [entry["event"] for entry in job["history"]] == ["bury", "replay"]
    assert [one["jobId"] for one in call("GET", "/v1/jobs").json["jobs"]] == [letter.job_id]


def test_replaying_again_is_a_conflict_that_changes_nothing(cloud: Cloud) -> None:
    letter = write()
    call("POST", path(letter, "/replay"))
    before = cloud.content()
    answer = call("POST", path(letter, "/replay"))
    conforms("POST /v1/dead-letters/{letter_id}/replay", answer)
    assert (answer.status, answer.json["error"]["code"]) == (409, "replayed")
    assert "someone@acme" in answer.json["error"]["message"]
    assert cloud.content() == before


def test_replaying_what_waits_already_is_merged(acme: Cloud) -> None:
    letter = write()
    [job_id] = acme.enqueue("acme", "DD1391-100", priority="hot")
    assert job_id == letter.job_id
    assert call("POST", path(letter, "/replay")).json["outcome"] == "merged"


def test_acknowledging_is_noted_once(cloud: Cloud) -> None:
    letter = write()
    answer = call("POST", path(letter, "/acknowledge"))
    conforms("POST /v1/dead-letters/{letter_id}/acknowledge", answer)
    assert (answer.json["status"], answer.json["acknowledgedBy"]) == ("acknowledged", "someone@acme")
    again = call("POST", path(letter, "/acknowledge"))
    conforms("POST /v1/dead-letters/{letter_id}/acknowledge", again)
    assert (again.status, again.json["error"]["code"]) == (409, "not_open")


# ── many ──


@pytest.mark.parametrize("body", [{}, {"dryRun": True}, {"limit": 1}])
def test_a_dry_run_counts_and_does_nothing(cloud: Cloud, letters: list[DeadLetter], body: dict[str, Any]) -> None:
    before = cloud.content()
    told = ask(BULK, body=body).json
    assert (told["dryRun"], told["matched"], told["outcomes"]) == (True, 3, {"replayable": 3})
    assert told["byKind"] == {"listing.update": 1, "market.refresh": 2}
    assert told["byCode"] == {"lease_expired": 1, "product_unknown": 1, "unavailable": 1}
    assert [row["jobId"] for row in told["items"]] == [letter.job_id for letter in reversed(letters[:3])]
    assert cloud.content() == before


def test_a_dry_run_shows_a_sample_and_says_what_would_be_refused(cloud: Cloud) -> None:
    for number in range(12):
        write(sku=f"S{number}", died_at=DIED_AT + number, kind="no.kind" if number == 11 else "market.refresh")
    told = ask(BULK, body={}).json
    assert (told["matched"], len(told["items"])) == (12, 10)
    assert told["outcomes"] == {"refused": 1, "replayable": 11}
    assert told["items"][0]["error"]["code"] == "not_replayable"


def test_a_real_run_replays_what_the_dry_run_counted(letters: list[DeadLetter]) -> None:
    told = ask(BULK, body={"dryRun": False, "code": "unavailable"}).json
    assert (told["matched"], told["outcomes"], told["next"]) == (1, {"created": 1}, None)
    states = {letter.payload["sku"]: dead_letters.status(letter) for letter in DeadLetter.query("acme")}
    assert states == {"A": "replayed", "B": "open", "C": "open", "D": "replayed", "E": "acknowledged"}
    assert ask(BULK, body={"dryRun": False, "code": "unavailable"}).json["matched"] == 0
    assert {job.job_id for job in Job.scan()} == {letters[0].job_id}


def test_a_real_run_is_bounded_and_goes_on_by_its_cursor(cloud: Cloud) -> None:
    for number in range(5):
        write(sku=f"S{number}", died_at=DIED_AT + number * SECOND)
    body: dict[str, Any] = {"dryRun": False, "limit": 2}
    runs = []
    while True:
        told = ask(BULK, body=body).json
        runs.append([row["jobId"].split(":")[2] for row in told["items"]])
        if told["next"] is None:
            break
        body["cursor"] = told["next"]
    assert runs == [["S4", "S3"], ["S2", "S1"], ["S0"]]
    assert {letter.replayed_by for letter in DeadLetter.query("acme")} == {"someone@acme"}


def test_what_dies_again_meanwhile_is_not_replayed_in_a_circle(cloud: Cloud) -> None:
    """Its new letter is newer than all that the run still comes to."""
    write(sku="A", died_at=DIED_AT)
    write(sku="B", died_at=DIED_AT + SECOND)
    first = ask(BULK, body={"dryRun": False, "limit": 1}).json
    write(sku="B", died_at=DIED_AT + MINUTE)
    second = ask(BULK, body={"dryRun": False, "limit": 1, "cursor": first["next"]}).json
    assert ([row["jobId"] for row in second["items"]], second["next"]) == (["market.refresh:stockx:A:us-10:USD"], None)


def test_a_cursor_of_another_tenant_opens_nothing(letters: list[DeadLetter]) -> None:
    cursor = ask(LIST, query={"limit": 1}).json["next"]
    answer = ask(LIST, query={"cursor": cursor}, tenant="globex")
    assert (answer.status, list(answer.fields)) == (400, ["cursor"])
    assert "acme" not in answer.text
