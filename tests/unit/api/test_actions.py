"""What operators do: on one, on many, on all that match; each thing once, whatever happens to whoever does it."""

import json
import os
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pynamodb.expressions.operand import Path

from sluice.jobs.model import keys
from sluice.jobs.model.dead_letters import DeadLetter
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue import cancel, finish, hasten, recounts, tally
from sluice.jobs.queue.cancel import Cancelled
from sluice.operator import acting, actions, counts, handler, work_run
from sluice.operator.actions import Action
from sluice.platform import tables, usage
from sluice.platform.clock import HOUR, MINUTE, SECOND, iso
from sluice.platform.config.document import Config, parse
from sluice.platform.config.limits import Limits
from sluice.platform.config.services import LIMITS
from sluice.platform.context import Context
from tests.support.http import Answer, call
from tests.support.patience import SECONDS
from tests.unit.api.conftest import Cloud
from tests.unit.api.document import conforms
from tests.unit.api.test_operator import NOON, Work, work  # noqa: F401 - the fixture

BASE = "/v1/operator/actions"
# Each seller's calls are counted for itself.
OWN_BUDGETS = Config(limits={**LIMITS, "stockx": Limits(by_account=True)})


def act(action: str, *, tenant: str = "acme", roles: str = "operator", **body: Any) -> Answer:
    answer = call("POST", BASE, body={"action": action, **body}, tenant=tenant, roles=roles)
    conforms(f"POST {BASE}", answer)
    return answer


def do(action: str, **body: Any) -> Any:
    answer = act(action, dryRun=False, **body)
    assert answer.status == 200, answer.text
    return answer.json["action"]


def shown(entry: str) -> Any:
    answer = call("GET", f"{BASE}/{entry.replace('#', '%23')}")
    conforms(f"GET {BASE}/{{action_id}}", answer)
    return answer.json


def run_worker(work: Work) -> work_run.WorkAnswer:  # noqa: F811
    return work_run.run(Context(work.clock, work.config), work.clock.time + 120 * SECOND)


def states() -> Mapping[str, int]:
    return Counter(job.state for job in Job.scan() if job.kind != "operator.action")


def kill(work: Work, number: int, priority: str = "background") -> None:  # noqa: F811
    """Have so many jobs of acme died."""
    work.config = OWN_BUDGETS
    work.cloud.enqueue("acme", *(f"D-{one}" for one in range(number)), priority=priority)
    while found := work.claim():
        for job in found:
            work.bury(job)


def test_a_dry_run_counts_and_shows_and_does_nothing(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(30)))
    before = work.cloud.content()
    answer = act("cancel", filter={"state": "queued"}).json
    assert answer["dryRun"] is True
    assert (answer["counted"]["matched"], answer["counted"]["atLeast"], answer["action"]) == (30, False, None)
    assert len(answer["counted"]["sample"]) == 10
    assert work.cloud.content() == before


def test_one_job_is_cancelled_at_once_and_noted(work: Work) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    done = do("cancel", jobIds=[job_id], reason="wrong size")
    assert (done["state"], done["outcomes"]) == ("finished", {"done": 1})
    assert (done["subject"], done["roles"], done["requestId"]) == ("someone@acme", "operator", "JKJaXmPLvHcESHA=")
    assert (done["reason"], done["whose"], done["target"]) == ("wrong size", "acme", {"ids": [job_id]})
    [change] = done["changes"]
    assert (change["before"]["state"], change["after"]) == ("queued", {"state": "cancelled"})
    assert Job.get(job_id).state == "cancelled"
    assert call("GET", BASE).json["actions"] == [done]


def test_everything_that_matches_is_done_by_the_worker(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(250)))
    work.cloud.enqueue("acme", *(f"B-{number}" for number in range(50)))
    begun = do("cancel", filter={"sku": "a-"})
    assert (begun["state"], begun["outcomes"]) == ("running", {})
    assert ("operator-worker", {"action": begun["actionId"]}) in work.cloud.invoked
    run_worker(work)
    done = shown(begun["actionId"])
    assert (done["state"], done["outcomes"]) == ("finished", {"done": 250})
    assert len(done["changes"]) == actions.MOST_TOLD
    assert states() == {"cancelled": 250, "queued": 50}


def test_a_retry_ends_a_backoff_and_leaves_what_runs(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1", "A-2")
    waits, runs = work.claim()
    finish.fail(waits, Failure("no", code="unavailable", retry_at=NOON + HOUR), NOON, work.config, chance=0)
    assert work.claim() == []
    done = do("retry", jobIds=[waits.job_id, runs.job_id])
    assert done["outcomes"] == {"done": 1, "running": 1}
    assert [job.job_id for job in work.claim()] == [waits.job_id]


def test_reset_jobs_begin_anew_the_dead_by_their_letters(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1", "A-2", "A-3")
    failed, dies, _ = work.claim()
    finish.fail(failed, Failure("no", code="unavailable", retry_at=NOON + HOUR), NOON, work.config, chance=0)
    work.bury(dies)
    jobs = [job.job_id for job in Job.scan() if job.kind == "market.refresh"]
    done = do("reset", jobIds=jobs)
    assert done["outcomes"] == {"done": 2, "running": 1}
    for job_id in (failed.job_id, dies.job_id):
        job = Job.get(job_id)
        assert (job.state, job.attempts) == ("queued", 0), job_id
        assert (job.due_at or 0) <= NOON
    assert [entry["event"] for entry in Job.get(failed.job_id).history or []][-1] == "reset"
    [letter] = DeadLetter.scan()
    assert (letter.replayed_at, letter.replayed_by) == (NOON, f"someone@acme ({done['actionId']})")
    assert do("reset", jobIds=[failed.job_id])["outcomes"] == {"already": 1}


def test_everything_that_failed_is_reset_by_the_worker(work: Work) -> None:  # noqa: F811
    kill(work, 120)
    entry = do("reset", filter={"state": "dead"})["actionId"]
    run_worker(work)
    assert (shown(entry)["outcomes"], states()) == ({"done": 120}, {"queued": 120})


def test_an_action_on_more_than_one_action_does_is_refused_with_what_to_do(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work.cloud.enqueue("acme", "A-1")
    work.count()
    name = "n:market.refresh:stockx:queued"
    tables.update(counts.Counts, (counts.TENANTS, "acme"), [Path([name]).set(200_000)])
    before = work.cloud.content()
    answer = act("cancel", filter={"state": "queued"}, dryRun=False)
    assert (answer.status, answer.json["error"]["code"]) == (409, "too_many_match")
    assert (
        "matches about 200000 jobs, and one action does 100000 at most; name a kind" in answer.json["error"]["message"]
    )
    assert work.cloud.content() == before
    assert act("cancel", filter={"state": "queued", "kind": "catalog.enrich"}, dryRun=False).status == 200


def test_an_action_ends_at_the_most_that_one_does(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(acting, "MOST_THINGS", 200)
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(250)))
    entry = do("cancel", filter={"sku": "a"})["actionId"]
    run_worker(work)
    assert (shown(entry)["state"], shown(entry)["outcomes"]) == ("stopped", {"done": 200})
    assert shown(entry)["stoppedBy"] == "the limit of 200 for one action; act again on what is left"


def test_raised_jobs_go_first(work: Work) -> None:  # noqa: F811
    [job_id, other] = work.cloud.enqueue("acme", "A-1", "A-2", priority="background")
    assert do("raise", jobIds=[job_id], priority="manual")["outcomes"] == {"done": 1}
    assert (Job.get(job_id).priority, Job.get(other).priority) == (keys.MANUAL, keys.BACKGROUND)
    assert work.claim()[0].job_id == job_id


def test_nobody_hurries_what_another_tenant_pays_for(work: Work) -> None:  # noqa: F811
    work.cloud.connect("globex")
    [job_id] = work.cloud.enqueue("acme", "SHARED", priority="background")
    work.cloud.enqueue("globex", "SHARED", priority="background")
    body = {"action": "raise", "jobIds": [job_id], "priority": "manual", "dryRun": False}
    answer = call("POST", BASE, body=body, tenant="globex")
    assert answer.json["action"]["outcomes"] == {"shared": 1}
    assert Job.get(job_id).priority == keys.BACKGROUND
    # What it takes back is its own wish: acme's stays.
    body = {"action": "cancel", "jobIds": [job_id], "dryRun": False}
    assert call("POST", BASE, body=body, tenant="globex").json["action"]["outcomes"] == {"done": 1}
    assert (Job.get(job_id).state, Job.get(job_id).tenants) == ("queued", {"acme"})


def test_platform_acts_on_everybodys_work_and_each_tenant_sees_what_was_done_to_it(work: Work) -> None:  # noqa: F811
    work.cloud.connect("globex")
    for name in ("acme", "globex"):
        work.cloud.enqueue(name, *(f"{name}-{number}" for number in range(40)))
    work.count()
    caller = {"tenant": "operations", "roles": "platform"}
    everybody = {"action": "cancel", "filter": {"state": "queued"}, "dryRun": False}
    assert call("POST", BASE, body=everybody, **caller).json["action"]["whose"] is None
    run_worker(work)
    assert states() == {"cancelled": 80}
    one = {"action": "raise", "filter": {"kind": "market.refresh"}, "tenant": "acme", "dryRun": False}
    entry = call("POST", BASE, body=one, **caller).json["action"]["actionId"]
    assert [row["actionId"] for row in call("GET", BASE).json["actions"]] == [entry]
    assert len(call("GET", BASE, **caller).json["actions"]) == 2
    assert call("GET", BASE, tenant="globex").json["actions"] == []
    refused = call("POST", BASE, body=one, tenant="globex")
    assert refused.status == 403


@pytest.mark.parametrize("word", ["replay", "acknowledge"])
def test_dead_letters_are_replayed_or_acknowledged_once(work: Work, word: str) -> None:  # noqa: F811
    kill(work, 120)
    assert act(word, filter={"code": "gone"}).json["counted"]["matched"] == 120
    entries = [do(word, filter={"code": "gone"})["actionId"] for _ in range(2)]
    run_worker(work)
    outcomes = Counter[str]()
    for entry in entries:
        assert shown(entry)["state"] == "finished"
        outcomes.update(shown(entry)["outcomes"])
    assert outcomes["done"] == 120
    assert states() == ({"queued": 120} if word == "replay" else {"dead": 120})
    letters = list(DeadLetter.scan())
    assert all((letter.replayed_by or letter.acknowledged_by or "").startswith("someone@acme") for letter in letters)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("word", ["cancel", "replay"])
@pytest.mark.parametrize("at", [0, 1, 57, 99, 100, 150])
def test_an_action_whose_worker_is_killed_goes_on_and_does_each_once(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    at: int,
) -> None:
    work.config = OWN_BUDGETS
    if word == "replay":
        work.cloud.filled("230 that died", lambda: kill(work, 230))
        entry = do("replay", filter={"code": "gone"})["actionId"]
    else:
        skus = [f"A-{number}" for number in range(230)]
        work.cloud.filled("230 that wait", lambda: work.cloud.enqueue("acme", *skus))
        entry = do("cancel", filter={"state": "queued"})["actionId"]
    action, left, real = actions.find("acme", entry), [at], acting._do
    assert action

    def dies(*args: Any, again: bool) -> acting.Did:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return real(*args, again=again)

    monkeypatch.setattr(acting, "_do", dies)
    monkeypatch.setattr(acting, "THREADS", 1)

    def go_on(action: Action) -> None:
        while True:
            action = acting.do_page(action, NOON, work.config)

    with pytest.raises(Killed):
        go_on(action)
    monkeypatch.setattr(acting, "_do", real)
    run_worker(work)
    done = shown(entry)
    assert (done["state"], done["pages"]) == ("finished", 3)
    assert states() == ({"queued": 230} if word == "replay" else {"cancelled": 230})
    assert done["outcomes"] == {"done": 230}
    if word == "replay":
        assert sum(one.replayed_at is not None for one in DeadLetter.scan()) == 230


def test_an_action_on_many_that_is_killed_again_and_again_does_each_once(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With SLUICE_MANY_JOBS=10000 it is as many as the issue asks for; that takes a few minutes."""
    number = int(os.environ.get("SLUICE_MANY_JOBS", "400"))
    monkeypatch.setattr(tally, "unfinished", lambda *_: 0)
    for start in range(0, number, 50):
        work.cloud.enqueue("acme", *(f"A-{one}" for one in range(start, min(number, start + 50))))
    entry, real, seen = do("cancel", filter={"state": "queued"})["actionId"], acting._do, Counter[str]()
    kills = [number // 5, number // 2 + 1, number - 3]
    lock = threading.Lock()

    def dies(action: Action, tenant: str, key: str, *args: Any, **more: Any) -> acting.Did:
        with lock:
            seen["looked at"] += 1
            if kills and seen["looked at"] >= kills[0]:
                kills.pop(0)
                raise Killed
        return real(action, tenant, key, *args, **more)

    monkeypatch.setattr(acting, "_do", dies)
    cancelled, take_back = Counter[str](), cancel.cancel

    def noted(job_id: str, *args: Any) -> Cancelled:
        answer = take_back(job_id, *args)
        with lock:
            cancelled[job_id] += answer is Cancelled.CANCELLED
        return answer

    monkeypatch.setattr(cancel, "cancel", noted)

    def go_on() -> None:
        action = actions.find("acme", entry)
        while action:
            action = acting.do_page(action, NOON, work.config)

    for _ in range(3):
        with pytest.raises(Killed):
            go_on()
    assert not kills
    while shown(entry)["state"] == "running":
        run_worker(work)
        work.clock.time += MINUTE
    done = shown(entry)
    assert (done["state"], done["outcomes"], done["pages"]) == ("finished", {"done": number}, -(-number // acting.PAGE))
    assert states() == {"cancelled": number}
    # What a page that was killed had done is looked at once more, and done no second time.
    assert number <= seen["looked at"] <= number + 3 * acting.PAGE
    assert (len(cancelled), set(cancelled.values())) == (number, {1})


def test_of_two_that_do_the_same_page_one_writes_it_down(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(60)))
    action = actions.find("acme", do("cancel", filter={"state": "queued"})["actionId"])
    assert action
    barrier = threading.Barrier(4, timeout=SECONDS)

    def page(_: int) -> str:
        barrier.wait()
        try:
            acting.do_page(action, NOON, work.config)
        except tables.ConditionFailed:
            return "late"
        return "written"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(page, range(4))) == ["late", "late", "late", "written"]
    assert states() == {"cancelled": 60}


def test_an_action_stops_before_its_next_page(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(250)))
    entry = do("cancel", filter={"state": "queued"})["actionId"]
    action = actions.find("acme", entry)
    assert action
    acting.do_page(action, NOON, work.config)
    stopping = call("POST", f"{BASE}/{entry.replace('#', '%23')}/stop")
    assert (stopping.status, stopping.json["state"]) == (200, "running")
    run_worker(work)
    assert (shown(entry)["state"], shown(entry)["outcomes"]) == ("stopped", {"done": 100})
    assert shown(entry)["stoppedBy"]
    assert states() == {"cancelled": 100, "queued": 150}
    again = call("POST", f"{BASE}/{entry.replace('#', '%23')}/stop")
    assert (again.status, again.json["error"]["code"]) == (409, "over")


def test_a_wish_to_stop_during_a_page_is_not_lost(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(250)))
    entry = do("cancel", filter={"state": "queued"})["actionId"]
    match = acting.match

    def stop_first(*args: Any) -> acting.Matched:
        action = actions.find("acme", entry)
        assert action
        actions.ask_to_stop(action, "ann", NOON)
        return match(*args)

    monkeypatch.setattr(acting, "match", stop_first)
    run_worker(work)
    assert (shown(entry)["state"], shown(entry)["outcomes"]) == ("stopped", {"done": 100})


def test_an_action_that_takes_longer_than_a_run_goes_on_in_the_next(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(250)))
    entry = do("cancel", filter={"state": "queued"})["actionId"]
    monkeypatch.setattr(handler, "RUN_MS", -1)
    run_worker(work)
    job = Job.get(shown_job(entry))
    assert (job.state, job.attempts, (job.error or {})["code"]) == ("queued", 0, "goes_on")
    monkeypatch.undo()
    work.clock.time += MINUTE


def shown_job(entry: str) -> str:
    action = actions.find("acme", entry)
    assert action
    return action.job_id or ""


def test_a_replay_waits_for_room(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    kill(work, 30)
    entry = do("replay", filter={"code": "gone"})["actionId"]
    monkeypatch.setattr(tally, "unfinished", lambda *_: 20_000)
    run_worker(work)
    assert (shown(entry)["state"], shown(entry)["outcomes"]) == ("running", {})
    monkeypatch.undo()
    assert states() == {"dead": 30}


def test_an_action_that_waits_for_room_has_its_tenants_jobs_counted(work: Work) -> None:  # noqa: F811
    """The stream has lost how they ended, and nobody else asks for anything."""
    kill(work, 30)
    entry = do("replay", filter={"code": "gone"})["actionId"]
    usage.add("acme", tally.PERIOD, {"n:market.refresh:unfinished": 20_000})
    run_worker(work)
    assert (shown(entry)["state"], shown(entry)["outcomes"]) == ("running", {})
    assert recounts.wanted(Config(), work.clock.time) == 1
    work.clock.time += MINUTE
    run_worker(work)
    assert (shown(entry)["outcomes"], states()) == ({"done": 30}, {"queued": 30})


def test_what_a_filter_has_done_anew_is_counted_for_its_tenant_page_by_page(
    work: Work,  # noqa: F811
) -> None:
    """Else an operator of a tenant has done by one filter what the hour's allowance refuses it as requests."""
    kill(work, 150)
    entry = do("replay", filter={"code": "gone"})["actionId"]
    before = usage.counters("acme", iso(NOON)[:13])["items"]
    work.config = parse(json.dumps({"tenants": {"allowances": {"items_per_hour": before + 120}}}))
    run_worker(work)
    done = shown(entry)
    assert (done["state"], done["outcomes"], states()) == ("running", {"done": 100}, {"queued": 100, "dead": 50})
    assert usage.counters("acme", iso(NOON)[:13])["items"] == before + 100
    work.clock.time += HOUR
    run_worker(work)
    assert (shown(entry)["outcomes"], states()) == ({"done": 150}, {"queued": 150})


def test_what_was_given_up_is_told(work: Work) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(30)))
    entry = do("cancel", filter={"state": "queued"})["actionId"]
    job = Job.get(shown_job(entry))
    job.state = "dead"
    job.save()
    assert shown(entry)["state"] == "failed"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"action": "delete", "jobIds": ["x"]}, "action"),
    ({"action": "cancel"}, "filter"),
    ({"action": "cancel", "filter": {}}, "filter"),
    ({"action": "replay", "filter": {}}, "filter"),
    ({"action": "cancel", "filter": {"state": "queued"}, "jobIds": ["x"]}, "filter"),
    ({"action": "cancel", "letterIds": ["x"]}, "letterIds"),
    ({"action": "replay", "jobIds": ["x"]}, "jobIds"),
    ({"action": "cancel", "jobIds": []}, "jobIds"),
    ({"action": "cancel", "jobIds": ["x"] * 501}, "jobIds"),
    ({"action": "cancel", "jobIds": ["x" * 1_401]}, "jobIds[0]"),
    ({"action": "cancel", "jobIds": ["x" * 1_400] * 60}, "jobIds"),
    ({"action": "acknowledge", "letterIds": ["\U0001f45f" * 1_400] * 5}, "letterIds"),
    ({"action": "cancel", "filter": {"state": "done"}}, "filter.state"),
    ({"action": "cancel", "filter": {"colour": "red"}}, "filter.colour"),
    ({"action": "cancel", "filter": {"from": "yesterday"}}, "from"),
    ({"action": "replay", "filter": {"sku": "A"}}, "filter.sku"),
    ({"action": "raise", "jobIds": ["x"], "priority": "background"}, "priority"),
    ({"action": "cancel", "jobIds": ["x"], "reason": "a\nb"}, "reason"),
    ({"action": "cancel", "jobIds": ["x"], "tenant": "ACME"}, "tenant"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_action_is_refused_and_changes_nothing(work: Work, body: dict[str, Any], field: str) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1")
    before = work.cloud.content()
    answer = call("POST", BASE, body={"dryRun": False, **body})
    assert (answer.status, list(answer.fields)) == (400, [field]), answer.text
    assert work.cloud.content() == before


@pytest.mark.parametrize("word", ["cancel", "acknowledge"])
def test_as_many_and_as_long_ids_as_may_be_named_fit_into_one_item(work: Work, word: str) -> None:  # noqa: F811
    """What is named is kept with what is done of it, and what became of it."""
    name = "letterIds" if word in acting.ON_LETTERS else "jobIds"
    entry = do(word, **{name: [f"{number}".rjust(1_395, "x") for number in range(57)]})["actionId"]
    run_worker(work)
    assert shown(entry)["outcomes"] == {"unknown": 57}


def test_what_is_another_tenants_is_not_there(work: Work) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    for word in acting.ON_JOBS:
        body = {"action": word, "jobIds": [job_id], "dryRun": False}
        assert call("POST", BASE, body=body, tenant="globex").json["action"]["outcomes"] == {"unknown": 1}
    assert states() == {"queued": 1}


def test_what_is_not_there_is_not_done(work: Work) -> None:  # noqa: F811
    done = do("cancel", jobIds=["market.refresh:stockx:NO:us-10:USD"])
    assert (done["state"], done["outcomes"]) == ("finished", {"unknown": 1})
    assert [(one["id"], one["outcome"]) for one in done["changes"]] == [
        ("market.refresh:stockx:NO:us-10:USD", "unknown")
    ]
    path = f"{BASE}/{iso(NOON)}%23{'0' * 12}"
    assert call("GET", path).status == 404


def test_a_claim_and_a_hurry_at_once_leave_one_of_both(work: Work) -> None:  # noqa: F811
    """Real conditional writes: a job that a worker has just taken is not moved under its feet."""
    for number in range(20):
        [job_id] = work.cloud.enqueue("acme", f"R-{number}", priority="background")
        barrier, answers = threading.Barrier(2), list[Any]()

        def hurry(job_id: str = job_id, barrier: threading.Barrier = barrier, answers: list[Any] = answers) -> None:
            barrier.wait()
            answers.append(hasten.raise_to(job_id, "acme", keys.MANUAL, NOON, work.config))

        thread = threading.Thread(target=hurry)
        thread.start()
        barrier.wait()
        claimed = [job for job in work.claim() if job.job_id == job_id]
        thread.join()
        job = Job.get(job_id)
        if answers == ["done"] and claimed:
            assert (job.state, job.priority) == ("leased", keys.MANUAL)
        elif claimed:
            assert (job.state, job.lane) == ("leased", keys.leased_lane(job_id))
        else:
            assert (answers, job.state, job.priority) == (["done"], "queued", keys.MANUAL)


def test_the_log_is_listed_page_by_page(work: Work) -> None:  # noqa: F811
    for number in range(5):
        [job_id] = work.cloud.enqueue("acme", f"A-{number}")
        do("cancel", jobIds=[job_id])
        work.clock.time += SECOND
    rows, cursor = [], None
    while True:
        page = call("GET", BASE, query={"limit": 2, **({"cursor": cursor} if cursor else {})}).json
        rows += [row["createdAt"] for row in page["actions"]]
        if not (cursor := page["next"]):
            break
    assert rows == sorted(rows, reverse=True)
    assert len(rows) == 5


def test_an_action_whose_pointer_alone_was_written_is_passed_over(work: Work, acme: Cloud) -> None:  # noqa: F811
    Action("#all", f"{iso(NOON)}#{'0' * 12}", of="acme").save()
    assert call("GET", BASE, tenant="operations", roles="platform").json["actions"] == []


def test_what_an_api_that_is_gone_has_left_is_done_a_minute_later(
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    job_ids = work.cloud.enqueue("acme", "A-1", "A-2")
    do_page = acting.do_page
    monkeypatch.setattr(acting, "do_page", lambda *_: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        do("cancel", jobIds=job_ids)
    monkeypatch.setattr(acting, "do_page", do_page)
    assert states() == {"queued": 2}
    work.clock.time += MINUTE
    run_worker(work)
    assert states() == {"cancelled": 2}


def test_platform_has_a_function_run_now_and_it_is_noted(work: Work) -> None:  # noqa: F811
    caller = {"tenant": "operations", "roles": "platform"}
    answer = call("POST", "/v1/operator/run", body={"function": "page-scheduler", "reason": "a new shop"}, **caller)
    conforms("POST /v1/operator/run", answer)
    noted = answer.json
    assert (answer.status, noted["action"], noted["target"]) == (202, "run", {"function": "page-scheduler"})
    assert (noted["subject"], noted["roles"], noted["reason"]) == ("someone@operations", "platform", "a new shop")
    event = {"source": "operator", "action": noted["actionId"]}
    assert work.cloud.invoked == [("sluice-local-page-scheduler", event)]
    assert call("GET", BASE, **caller).json["actions"] == [noted]
    assert call("GET", BASE).json["actions"] == []


@pytest.mark.parametrize("function", ["worker", "../scheduler", ""])
def test_no_other_function_is_run(work: Work, function: str) -> None:  # noqa: F811
    before = work.cloud.content()
    answer = call("POST", "/v1/operator/run", body={"function": function}, roles="platform")
    assert (answer.status, list(answer.fields)) == (400, ["function"])
    assert (work.cloud.content(), work.cloud.invoked) == (before, [])


def note(tenant: str, at: int, number: int = 0, *, action: str = "raise", subject: str = "bob") -> None:
    """Write into the audit log what an operator of `tenant` did at `at`."""
    one = Action(tenant, f"{iso(at)}#{number:012x}", created_at=at, updated_at=at)
    one.state, one.action, one.subject = actions.FINISHED, action, subject
    actions.create(one)


def audit_log(who: str = "acme", roles: str = "operator", **query: str) -> Answer:
    answer = call("GET", BASE, query=query, tenant=who, roles=roles)
    conforms(f"GET {BASE}", answer)
    return answer


def test_whoever_runs_the_deployment_finds_what_others_did_behind_one_tenants_many_actions(
    work: Work,  # noqa: F811
) -> None:
    """A tenant's operator may note 1,200 small actions a minute. What globex did before stands behind all these."""
    note("globex", NOON - HOUR)
    for number in range(40):
        note("acme", NOON + number * SECOND)

    def listed(**query: str) -> list[str]:
        return [one["tenant"] for one in audit_log("ops", "platform", limit="20", **query).json["actions"]]

    assert listed() == ["acme"] * 20
    assert listed(tenant="globex") == ["globex"]
    assert listed(to=iso(NOON)) == ["globex"]
    assert listed(**{"from": iso(NOON + 30 * SECOND)}) == ["acme"] * 10
    assert [one["tenant"] for one in audit_log("globex").json["actions"]] == ["globex"]
    assert call("GET", BASE, query={"tenant": "globex"}, tenant="acme", roles="operator").status == 403


def test_the_audit_log_is_filtered_by_who_and_what_a_page_at_a_time(work: Work) -> None:  # noqa: F811
    for number in range(60):
        who, what = ("ada" if number % 20 == 0 else "bob"), ("cancel" if number == 30 else "raise")
        note("acme", NOON + number // 2 * SECOND, number % 2, subject=who, action=what)

    def walk(**query: str) -> list[str]:
        found, cursor = list[str](), dict[str, str]()
        while True:
            answer = audit_log(limit="2", **query, **cursor).json
            assert len(answer["actions"]) <= 2
            found += [one["subject"] for one in answer["actions"]]
            if answer["next"] is None:
                return found
            cursor = {"cursor": answer["next"]}

    assert walk(subject="ada") == ["ada"] * 3
    assert walk(action="cancel") == ["bob"]
    assert walk(subject="ada", action="cancel") == []
    assert len(walk()) == 60
    assert walk(**{"from": "0001-01-01T00:00:00Z", "to": "1970-01-01T00:00:01Z"}) == []
    assert len(walk(to="9999-12-31T23:59:59Z")) == 60
    later = audit_log(limit="2").json["next"]
    behind = audit_log(limit="2", cursor=later, **{"from": iso(NOON + MINUTE)})
    assert (behind.status, behind.json["actions"]) == (200, []), "a cursor of another period is no fault of ours"
    assert len(audit_log(limit="2", cursor=later, to=iso(NOON + SECOND)).json["actions"]) == 2
