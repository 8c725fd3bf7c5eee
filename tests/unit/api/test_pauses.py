"""Operators pause work and resume it: whose it is, who may, what a waiting job says, and what the audit log keeps."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.jobs.model import keys
from sluice.operator import pauses_api
from sluice.platform.clock import HOUR, MINUTE, iso
from sluice.platform.config import live, pause_table, pauses
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import Pause, Pauses
from tests.support.http import Answer, call
from tests.unit.api.document import conforms
from tests.unit.api.test_operator import NOON, Work, work  # noqa: F401 - the fixture

BASE = "/v1/operator/pauses"
PLATFORM = {"tenant": "operations", "roles": "platform"}


@pytest.fixture(autouse=True)
def in_force(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:  # noqa: F811
    """Functions read the pauses as they do when deployed, but for the seconds in between."""

    def current() -> Config:
        work.config = replace(work.config, pauses=pause_table.read())
        return work.config

    monkeypatch.setattr(live, "current", current)


def pause(name: str, **request: Any) -> Answer:
    more = {field: request.pop(field) for field in ("until", "reason") if field in request}
    answer = call("POST", BASE, body={"name": name, "reason": "maintenance", **more}, **request)
    conforms(f"POST {BASE}", answer)
    return answer


def resume(name: str, **request: Any) -> Answer:
    answer = call("DELETE", f"{BASE}/{name}", **request)
    conforms(f"DELETE {BASE}/{{pause}}", answer)
    return answer


def stand(**request: Any) -> list[str]:
    answer = call("GET", BASE, **request)
    conforms(f"GET {BASE}", answer)
    return [one["name"] for one in answer.json["pauses"]]


def wait(job_id: str) -> Any:
    return call("GET", f"/v1/jobs/{job_id}").json["wait"]


def admitted(work: Work) -> list[str]:  # noqa: F811
    live.current()
    return [job.job_id for job in work.claim()]


@pytest.mark.parametrize("name", ["stockx", "market.refresh", "market.refresh:stockx", "stockx:acme", "tenant:acme"])
def test_paused_work_waits_says_who_and_why_and_goes_on_when_it_is_resumed(work: Work, name: str) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    done = pause(name, **PLATFORM)
    assert (done.status, done.json["before"]) == (200, None)
    assert admitted(work) == []
    waits = wait(job_id)
    assert (waits["reason"], waits["until"]) == ("paused", None)
    assert waits["message"] == f"an operator (someone@operations) has paused {name}: maintenance"
    assert stand() == stand(**PLATFORM) == [name]
    assert resume(name, **PLATFORM).json["before"]["reason"] == "maintenance"
    assert admitted(work) == [job_id]
    assert stand(**PLATFORM) == []


@pytest.mark.parametrize("name", ["alias", "market.refresh:ebay", "page.check", "stockx:globex", "tenant:globex"])
def test_a_pause_of_something_else_holds_nothing(work: Work, name: str) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    assert pause(name, **PLATFORM).status == 200
    assert admitted(work) == [job_id]


def test_a_pause_ends_by_itself(work: Work) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    assert pause("stockx:acme", until=iso(NOON + HOUR)).json["pause"]["until"] == iso(NOON + HOUR)
    assert admitted(work) == []
    waits = wait(job_id)
    assert (waits["until"], waits["message"].split(" has ")[1]) == (
        iso(NOON + HOUR),
        f"paused stockx:acme until {iso(NOON + HOUR)}: maintenance",
    )
    work.clock.time += HOUR
    assert admitted(work) == [job_id]
    assert stand() == []


def test_what_operators_do_to_paused_work_is_done(work: Work) -> None:  # noqa: F811
    jobs = work.cloud.enqueue("acme", *(f"A-{number}" for number in range(30)))
    pause("tenant:acme")
    body = {"action": "cancel", "jobIds": jobs, "dryRun": False}
    entry = call("POST", "/v1/operator/actions", body=body).json["action"]["actionId"]
    from sluice.operator import work_run
    from sluice.platform.context import Context

    work_run.run(Context(work.clock, live.current()), NOON + 2 * MINUTE)
    shown = call("GET", f"/v1/operator/actions/{entry.replace('#', '%23')}").json
    assert (shown["state"], shown["outcomes"]) == ("finished", {"done": 30})


def test_a_stored_pause_of_what_operators_do_holds_nothing(work: Work) -> None:  # noqa: F811
    """Such a name is refused; one that was stored before, or by hand, must not keep anybody from acting."""
    pause_table.put(Pause("operator.action"), NOON)
    jobs = work.cloud.enqueue("acme", *(f"A-{number}" for number in range(30)))
    body = {"action": "cancel", "jobIds": jobs, "dryRun": False}
    entry = call("POST", "/v1/operator/actions", body=body).json["action"]["actionId"]
    from sluice.operator import work_run
    from sluice.platform.context import Context

    work_run.run(Context(work.clock, live.current()), NOON + 2 * MINUTE)
    shown = call("GET", f"/v1/operator/actions/{entry.replace('#', '%23')}").json
    assert (shown["state"], shown["outcomes"]) == ("finished", {"done": 30})


def test_each_change_is_in_the_audit_log_with_what_was_before_and_after(work: Work) -> None:  # noqa: F811
    pause("stockx:acme", reason="one")
    pause("stockx:acme", reason="two", until=iso(NOON + HOUR))
    resume("stockx:acme")
    log = call("GET", "/v1/operator/actions").json["actions"]
    assert sorted(entry["action"] for entry in log) == ["pause", "pause", "resume"]
    [first] = [entry for entry in log if entry["reason"] == "one"]
    [second] = [entry for entry in log if entry["reason"] == "two"]
    [third] = [entry for entry in log if entry["action"] == "resume"]
    assert (first["subject"], first["roles"], first["whose"]) == ("someone@acme", "operator", "acme")
    assert (first["requestId"], first["target"]) == ("JKJaXmPLvHcESHA=", {"pause": "stockx:acme"})
    assert first["changes"][0]["before"]["pause"] is None
    assert second["changes"][0]["before"]["pause"] == first["changes"][0]["after"]["pause"]
    assert third["changes"][0]["before"]["pause"]["until"] == iso(NOON + HOUR)
    assert third["changes"][0]["after"] == {"pause": None}


def test_a_tenants_operator_pauses_its_own_work_alone(work: Work) -> None:  # noqa: F811
    for name in ("stockx", "market.refresh", "market.refresh:stockx", "stockx:globex", "tenant:globex"):
        before = work.cloud.content()
        assert pause(name).status == 403, name
        assert work.cloud.content() == before
    assert pause("ebay-marketing:acme").json["pause"]["platform"] is False
    assert resume("ebay-marketing:acme", tenant="globex").status == 404
    assert stand(tenant="globex") == []
    assert resume("ebay-marketing:acme", **PLATFORM).status == 200


def test_a_tenant_cannot_resume_what_the_deployment_has_paused(work: Work) -> None:  # noqa: F811
    for name in ("stockx:acme", "tenant:acme", "stockx"):
        assert pause(name, **PLATFORM).status == 200
        assert resume(name).status == 403
    assert pause("stockx:acme", until=iso(NOON + MINUTE)).status == 403
    assert set(stand()) == {"stockx:acme", "tenant:acme", "stockx"}


def test_a_tenant_that_lost_the_race_to_the_deployment_changes_nothing(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pause("stockx:acme", **PLATFORM)
    monkeypatch.setattr(pause_table, "read", lambda **_: Pauses())
    assert pause("stockx:acme", reason="mine").status == 403
    mine = Pause("stockx:acme", "mine", "me", NOON, None, deployment=False)
    monkeypatch.setattr(pause_table, "read", lambda **_: Pauses.of([mine]))
    assert resume("stockx:acme").status == 403
    monkeypatch.undo()
    assert pause_table.read().by_name["stockx:acme"].reason == "maintenance"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": "stokx"}, "name"),
    ({"name": "stockx:"}, "name"),
    ({"name": "amazon:acme"}, "name"),
    ({"name": "market.refreshed"}, "name"),
    ({"name": "market.refresh:amazon"}, "name"),
    ({"name": "operator"}, "name"),
    ({"name": "operator:acme"}, "name"),
    ({"name": "operator.action"}, "name"),
    ({"name": ""}, "name"),
    ({"reason": ""}, "reason"),
    ({"reason": None}, "reason"),
    ({"until": iso(NOON)}, "until"),
    ({"until": iso(NOON - HOUR)}, "until"),
    ({"until": "tomorrow"}, "until"),
    ({"unless": "x"}, "unless"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_pause_is_refused_and_changes_nothing(work: Work, body: dict[str, Any], field: str) -> None:  # noqa: F811
    before = work.cloud.content()
    answer = call("POST", BASE, body={"name": "stockx", "reason": "why", **body}, **PLATFORM)
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert work.cloud.content() == before


def test_there_are_so_many_pauses_at_most(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(pauses_api, "MOST", 1)
    assert pause("stockx:acme").status == 200
    assert pause("ebay:acme").json["error"]["code"] == "too_many"
    assert pause("stockx:acme", reason="longer").status == 200


def test_what_is_not_paused_is_not_resumed(work: Work) -> None:  # noqa: F811
    assert resume("stockx:acme").status == resume("stockx", **PLATFORM).status == 404


NAMES = ("stockx", "ebay", "ebay-marketing", "market.refresh", "market.refresh:ebay", "ebay:acme", "tenant:acme")


@given(st.sets(st.sampled_from(NAMES)), st.sampled_from(["stockx:acme", "ebay:acme", "ebay:bolt"]), st.booleans())
def test_work_waits_if_and_only_if_a_name_of_its_own_is_paused(names: set[str], account: str, market: bool) -> None:
    marketplace, tenant = keys.marketplace_of(account), keys.tenant_of(account)
    kind = "market.refresh" if market else "promotion.create"
    own = {marketplace, account, f"tenant:{tenant}", kind, f"{kind}:{marketplace}"}
    found = Pauses.of(map(Pause, names)).holding(pauses.holds_of(marketplace, marketplace, tenant, kind), NOON)
    assert (found is not None) == bool(names & own)


def test_a_pause_whose_request_died_is_not_told_to_be_going_on_for_ever(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is noted before it is done, so the note is there; and nobody goes on with it."""

    def die(*_: object) -> None:
        raise RuntimeError("the function is gone")

    monkeypatch.setattr(pause_table, "put", die)
    assert pause("stockx:acme").status == 500

    def state() -> str:
        [one] = call("GET", "/v1/operator/actions").json["actions"]
        return str(one["state"])

    assert state() == "running"
    work.clock.time += MINUTE + 1
    assert state() == "failed"
