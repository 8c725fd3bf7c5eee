"""What whoever runs the checks sees and does."""

from typing import Any

import pytest

from sluice.pages import operator_api
from sluice.pages.table import PageCheck
from sluice.platform.clock import DAY, MINUTE
from tests.support.http import Answer, call
from tests.support.shop import URL, Desk, page, unfetched
from tests.unit.api.document import conforms

CHECKS = "/v1/operator/checks"


def get(what: str, **query: Any) -> Any:
    answer = call("GET", f"{CHECKS}/{what}", query=query)
    conforms(f"GET {CHECKS}/{what}", answer)
    assert answer.status == 200, answer.text
    return answer.json


def run_now(**caller: Any) -> Answer:
    answer = call("POST", f"{CHECKS}/run-now", **caller)
    conforms(f"POST {CHECKS}/run-now", answer)
    return answer


def test_the_last_checks_newest_first(desk: Desk) -> None:
    good, bad = desk.track(), desk.track(f"{URL}2")
    desk.shops.replies |= {URL: page(), f"{URL}2": (410, {}, "")}
    desk.check()
    desk.check()
    found = get("recent")
    starts = [one["startedAt"] for one in found["checks"]]
    assert starts == sorted(starts, reverse=True)
    assert {one["product"] for one in found["checks"]} == {good, bad}
    assert all(one["run"] for one in found["checks"])
    assert [one["status"] for one in get("recent", product=bad)["checks"]] == ["gone", "gone"]
    assert {one["product"] for one in get("recent", status="product")["checks"]} == {good}
    assert len(get("recent", limit=1)["checks"]) == 1
    assert found["scheduler"]["enabled"] is True


@pytest.mark.parametrize(
    ("what", "query", "field"),
    [
        ("recent", {"limit": 201}, "limit"),
        ("recent", {"limit": 0}, "limit"),
        ("recent", {"status": "fine"}, "status"),
        ("recent", {"product": "x"}, "product"),
        ("slow", {"limit": 101}, "limit"),
        ("slow", {"min_duration_ms": -1}, "min_duration_ms"),
        ("slow", {"min_duration_ms": "x"}, "min_duration_ms"),
        ("stats", {"limit": 1}, "limit"),
    ],
)
def test_a_bad_query_is_refused_by_its_field(desk: Desk, what: str, query: dict[str, Any], field: str) -> None:
    answer = call("GET", f"{CHECKS}/{what}", query=query)
    assert (answer.status, list(answer.fields)) == (400, [field])


def slow(desk: Desk, ms: int) -> Any:
    def answer(_: object) -> str:
        desk.clock.take(ms)
        return page()

    return answer


def test_the_slowest_checks_of_the_last_day(desk: Desk) -> None:
    for number, ms in enumerate((100, 9_000, 3_000)):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = slow(desk, ms)
    desk.check()
    times = [one["durationMs"] for one in get("slow")["checks"]]
    assert times == sorted(times, reverse=True)
    assert times[0] >= 9_000
    assert len(get("slow", min_duration_ms=3_000)["checks"]) == 2
    assert len(get("slow", limit=1)["checks"]) == 1
    desk.clock.time += 3 * DAY
    assert get("slow")["checks"] == []


def test_how_checks_went(desk: Desk) -> None:
    desk.track()
    desk.track(f"{URL}2")
    desk.shops.replies |= {URL: page(), f"{URL}2": unfetched("redirects", passing=False)}
    desk.check()
    desk.clock.time += 2 * DAY
    desk.check()
    found = get("stats")
    overall, day = found["overall"], found["last24Hours"]
    assert (overall["checks"], day["checks"], overall["products"]) == (4, 2, 2)
    assert (day["successful"], day["failed"], day["successRate"]) == (1, 1, 50.0)
    assert overall["statuses"] == {"product": 2, "failed": 2}
    assert (overall["errors"], overall["sources"]) == ({"redirects": 2}, {"json-ld": 2})
    assert overall["durations"]["longest"] >= overall["durations"]["median"] >= 0
    assert found["truncated"] is False


def test_without_checks_there_are_no_rates(desk: Desk) -> None:
    found = get("stats")["overall"]
    assert (found["checks"], found["successRate"], found["durations"]["p95"]) == (0, None, None)


def test_a_run_by_hand_asks_for_what_is_due_and_tells_the_scheduler(desk: Desk) -> None:
    own = desk.track()
    desk.shops.replies[URL] = page()
    answer = run_now()
    assert (answer.status, answer.json["products"], answer.json["waiting"]) == (200, [own], 0)
    assert answer.json["scheduler"]["lastRunAt"] == "2026-11-22T12:00:00.000Z"
    assert answer.json["scheduler"]["nextRunAt"] == "2026-11-22T12:30:00.000Z"
    assert desk.woken == [{"run": answer.json["run"]}]
    assert run_now().json["waiting"] == 1
    desk.work()
    [check] = get("recent")["checks"]
    assert check["run"] == answer.json["run"]
    desk.clock.time += MINUTE
    assert run_now().json["products"] == [], "the interval holds for a run by hand too"


@pytest.mark.parametrize("role", ["user", "service"])
def test_others_may_not(desk: Desk, role: str) -> None:
    for what in ("recent", "stats", "slow"):
        assert call("GET", f"{CHECKS}/{what}", roles=role).status == 403
    assert run_now(roles=role).status == 403


def test_an_operator_sees_the_checks_of_its_tenants_pages(desk: Desk) -> None:
    desk.track()
    desk.track("https://secret.example/p/1", tenant="globex")
    desk.shops.replies |= {URL: page(), "https://secret.example/p/1": page()}
    desk.check()
    assert len(list(PageCheck.scan())) == 2
    assert [one["url"] for one in get("recent")["checks"]] == [URL]
    assert [one["url"] for one in get("slow")["checks"]] == [URL]
    assert get("stats")["overall"]["checks"] == 1


def test_who_begins_a_run_is_told_of_its_own_pages_alone(desk: Desk) -> None:
    """The id of a page is made of its address: who is told that one is checked knows that somebody tracks it."""
    own = desk.track()
    desk.track("https://secret.example/p/1", tenant="globex")
    desk.shops.replies |= {URL: page(), "https://secret.example/p/1": page()}
    first, again = run_now().json, run_now().json
    assert (first["products"], again["waiting"]) == ([own], 1)
    desk.work()
    assert len(list(PageCheck.scan())) == 2, "the run was for all"


def test_pages_of_checks_lead_on_over_those_of_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    own = [desk.track(f"{URL}{number}") for number in range(3)]
    for number in range(40):
        desk.track(f"https://s{number}.example/p/1", tenant="globex")
        desk.shops.replies[f"https://s{number}.example/p/1"] = page()
    for number in range(3):
        desk.shops.replies[f"{URL}{number}"] = page()
        desk.check()
    found: list[Any] = []
    cursor: dict[str, Any] = {}
    pages = 0
    while True:
        pages += 1
        answer = get("recent", limit=2, **cursor)
        assert len(answer["checks"]) <= 2
        found += answer["checks"]
        if answer["next"] is None:
            break
        cursor = {"cursor": answer["next"]}
    assert pages > 3
    stored = [one for one in PageCheck.scan() if one.product in own]
    assert sorted(one["startedAt"] for one in found) == sorted(one.at.partition("#")[0] for one in stored)
    assert [one["startedAt"] for one in found] == sorted((one["startedAt"] for one in found), reverse=True)


def test_what_was_not_looked_through_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_api, "MOST_READ", 4)
    for number in range(3):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = page()
    desk.check()
    assert (get("stats")["truncated"], get("stats")["readSince"]) == (False, None)
    desk.clock.time += DAY
    desk.check()
    found = get("stats")
    assert (found["truncated"], found["overall"]["checks"]) == (True, 4)
    assert found["readSince"] == min(one.at for one in sorted(PageCheck.scan(), key=lambda one: one.at)[-4:])[:24]
    for number in range(30):
        desk.track(f"https://s{number}.example/p/1", tenant="globex")
        desk.shops.replies[f"https://s{number}.example/p/1"] = slow(desk, 3_000)
    assert get("slow", limit=3)["truncated"] is False
    desk.clock.time += (
        MINUTE  # ours are not due yet: all threads have one clock, and what others take would be ours too
    )
    desk.schedule()
    desk.work(600)  # for the same reason all of them take three minutes, more than a run has
    assert get("slow", limit=3)["truncated"] is True


@pytest.mark.parametrize(
    "cursor", ["", "x", "2026-11-22", "2026-11-22T12:00:00.000Z", "2026-11-22T12:00:00.000Z#\u00e9"]
)
def test_a_cursor_that_is_none_of_ours_is_refused(desk: Desk, cursor: str) -> None:
    answer = call("GET", f"{CHECKS}/recent", query={"cursor": cursor})
    assert (answer.status, list(answer.fields)) == (400, ["cursor"])
