"""`sluice jobs`, `why`, `dead`, `events`, `budgets`, and acting, against the real handlers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.jobs.model.job import Job
from sluice.operator import work_run
from sluice.platform.clock import HOUR, MINUTE, SECOND, SystemClock, iso
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.observe import metrics
from tests.support.command import Shell, in_environment
from tests.support.letters import write
from tests.support.wire import api_of
from tests.unit.api.test_actions import kill, states
from tests.unit.api.test_feed import happens
from tests.unit.api.test_operator import Work, work  # noqa: F401 - the fixture
from tests.unit.webhooks.conftest import NOON, ended
from tests.unit.webhooks.test_bodies import envelope


@pytest.fixture
def shell(work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:  # noqa: F811
    """In whose waiting the stage's operator worker runs."""
    in_environment(monkeypatch, tmp_path)
    monkeypatch.setattr(metrics.provider, "namespace", "Sluice/test")

    def rest(_: float) -> None:
        work.clock.time += MINUTE
        work_run.run(Context(work.clock, work.config), work.clock.time + 120 * SECOND)

    return Shell(api_of("acme"), rest)


# --- looking ---


def test_jobs_are_listed_filtered_and_counted(work: Work, shell: Shell) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(120)))
    work.count()
    assert len(shell.run("jobs").rows) == 50
    assert len(shell.run("jobs", "--limit", "110").rows) == 110, "more than a page holds"
    assert len(shell.run("jobs", "--sku", "a-11").rows) == 11
    assert len(shell.run("jobs", "--text", "A-119").rows) == 1
    assert shell.run("jobs", "--state", "dead").err == "no job matches\n"
    assert json.loads(shell.run("jobs", "--count", "--json").out)["byState"] == {"queued": 120}


def test_why_says_what_a_job_waits_for(work: Work, shell: Shell) -> None:  # noqa: F811
    [job_id] = work.cloud.enqueue("acme", "A-1")
    ran = shell.run("why", job_id)
    said = dict(line.split("\t", 1) for line in ran.out.splitlines()[:3])
    assert (ran.code, said["job"], said["state"]) == (0, job_id, "queued")
    assert said["why"]
    assert (
        shell.run("why", "nobody's").err == 'sluice: there is no job "nobody\'s" of yours; `sluice jobs` lists them\n'
    )


def test_why_a_job_died_is_exit_code_1_with_its_timeline(work: Work, shell: Shell) -> None:  # noqa: F811
    kill(work, 1)
    [job] = Job.scan()
    ran = shell.run("why", job.job_id)
    assert ran.code == 1
    assert "last error\t" in ran.out
    assert [row[1] for row in ran.rows if len(row) == 5][-1] == "bury"


def test_a_dead_letter_is_shown_with_what_it_was_to_do(work: Work, shell: Shell) -> None:  # noqa: F811
    write()
    [[letter, _, job, code, _]] = shell.run("dead").rows
    ran = shell.run("dead", letter)
    assert code == "unavailable"
    assert f"job\t{job}" in ran.out
    assert "DD1391-100" in ran.out
    assert shell.run("dead", "--code", "gone").err == "no dead letter that is open matches\n"


def test_budgets_say_what_is_used_and_by_day(work: Work, shell: Shell) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1")
    work.claim()
    work.count()
    [row] = [row for row in shell.run("budgets").rows if row[0] == "stockx:acme"]
    assert " of 100 a hour" in row[1] or " a " in row[1]
    assert shell.run("budgets", "stockx:acme").rows[0][1].isdigit()


def test_events_are_shown_the_newest_last_and_filtered(work: Work, shell: Shell) -> None:  # noqa: F811
    assert shell.run("events").err == "nothing has happened yet that matches\n"
    error = {"code": "unavailable", "message": "stockx answered 503", "at": NOON}
    happens(ended("dead", error=error, result=None, at=iso(NOON + MINUTE)), envelope("listing.live"))
    happens(envelope("listing.sold"), envelope("account.broken"), envelope("listing.changed"))
    page = envelope("page.unreadable")
    happens({**page, "detail": {**page["detail"], "reason": "challenged"}})
    told = {row[1]: row[2:] for row in shell.run("events").rows}
    assert list(told)[-1] == "job.dead"
    assert told["job.dead"] == ["market.refresh:stockx:DD1391-100:us-10:USD", "stockx answered 503"]
    assert told["account.broken"] == ["stockx", "the marketplace refuses the token"]
    assert told["listing.changed"][1] == "change 2, action UPDATE, reason found, status SOLD, order 12345678-87654321"
    assert told["page.unreadable"] == ["p1", "url https://shop.example/shoe, title A shoe, reason challenged"]
    assert told["listing.live"] == ["l1", "marketplace stockx"]
    assert told["listing.sold"] == ["DZ5485-612-10", "listingId 110551234567, class sale, quantity 2"]
    assert [row[1] for row in shell.run("events", "--type", "listing", "--limit", "1").rows] == ["listing.sold"]
    assert [row[1] for row in shell.run("events", "--since", iso(NOON + 1)).rows] == ["job.dead"]
    ran = shell.run("events", "--type", "job.exploded")
    assert (ran.code, "'job.dead'" in ran.err) == (4, True), "it says which there are"


def test_events_go_on_and_each_is_shown_once(work: Work, shell: Shell) -> None:  # noqa: F811
    happens(ended("dead", id="first"))
    steps = [
        lambda: happens(ended("dead", id="second", at=iso(NOON + MINUTE))),
        lambda: None,
        lambda: happens(ended("dead", id="late", at=iso(NOON + SECOND)), ended("dead", id="second", at=iso(NOON + 60))),
        lambda: happens(*(ended("dead", id=f"many-{one}", at=iso(NOON + HOUR + one)) for one in range(150))),
        lambda: None,
    ]

    def rest(_: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    shell.rest = rest
    ran = shell.run("events", "--follow", "--json")
    told = [json.loads(line)["eventId"] for line in ran.out.splitlines()]
    assert (ran.code, told[:3]) == (130, ["first", "second", "late"])
    assert told[3:] == [f"many-{one}" for one in range(150)]
    assert ran.err.endswith("stopped; your work goes on\n")


def test_who_follows_some_is_not_shown_what_was_left_out_before(work: Work, shell: Shell) -> None:  # noqa: F811
    happens(*(ended("dead", id=f"e{one}", at=iso(NOON + one)) for one in range(5)))
    looks = iter(range(2))

    def rest(_: float) -> None:
        if next(looks):
            raise KeyboardInterrupt
        happens(ended("dead", id="new", at=iso(NOON + 9)))

    shell.rest = rest
    ran = shell.run("events", "--follow", "--json", "--limit", "2")
    assert [json.loads(line)["eventId"] for line in ran.out.splitlines()] == ["e3", "e4", "new"]


# --- acting ---


def test_what_is_named_is_done_at_once(work: Work, shell: Shell) -> None:  # noqa: F811
    first, second = work.cloud.enqueue("acme", "A-1", "A-2")
    ran = shell.run("cancel", first, "--reason", "the sizes were wrong")
    assert (ran.code, ran.out) == (0, "cancel finished: 1 done\n")
    assert states() == {"cancelled": 1, "queued": 1}
    work.clock.time += SECOND
    again = shell.run("raise", second, "--priority", "manual", "--json")
    assert (again.code, json.loads(again.out)["action"]["outcomes"]) == (0, {"done": 1})
    [newest, _] = shell.run("actions").rows
    assert newest[3] == "raise"


def test_what_matches_is_counted_first_and_done_when_a_person_agrees(work: Work, shell: Shell) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(130)))
    refused = shell.run("cancel", "--sku", "A-")
    assert refused.code == 2
    assert "add --yes to do it" in refused.err
    assert "cancel: 130 match, such as" in refused.err
    assert states() == {"queued": 130}
    ran = shell.run("cancel", "--sku", "A-", "--yes")
    assert (ran.code, ran.out) == (0, "cancel finished: 130 done\n")
    assert states() == {"cancelled": 130}
    assert "130 of 130 130 done" in ran.err


def test_nothing_that_matches_is_no_failure(work: Work, shell: Shell) -> None:  # noqa: F811
    ran = shell.run("cancel", "--sku", "NONE", "--yes")
    assert (ran.code, ran.err) == (0, "nothing matches; nothing was done\n")


@pytest.mark.parametrize("word", ["cancel", "retry", "raise", "replay", "acknowledge"])
def test_everything_there_is_cannot_be_meant(shell: Shell, word: str) -> None:
    ran = shell.run(word, "--yes")
    assert ran.code == 2
    assert "at least one filter; this would be everything there is" in ran.err


def test_dead_letters_are_replayed_once(work: Work, shell: Shell) -> None:  # noqa: F811
    kill(work, 2)
    [first, _] = [row[0] for row in shell.run("dead").rows]
    assert shell.run("replay", first).out == "replay finished: 1 done\n"
    assert shell.run("replay", "--kind", "market.refresh", "--yes").out == "replay finished: 1 done\n"
    again = shell.run("replay", first)
    assert (again.code, again.out.splitlines()[0]) == (0, "replay finished: 1 already")
    assert len(shell.run("dead", "--status", "replayed").rows) == 2


def test_what_died_begins_anew(work: Work, shell: Shell) -> None:  # noqa: F811
    kill(work, 2)
    assert shell.run("reset", "--state", "dead", "--yes").out == "reset finished: 2 done\n"
    assert states() == {"queued": 2}


def test_an_action_is_stopped(work: Work, shell: Shell) -> None:  # noqa: F811
    work.cloud.enqueue("acme", *(f"A-{number}" for number in range(130)))
    stopping = Shell(api_of("acme"), rest=_stop)
    ran = stopping.run("cancel", "--sku", "A-", "--yes")
    assert ran.code == 130
    action = ran.err.rpartition("sluice actions stop ")[2].partition("`")[0]
    stopped = shell.run("actions", "stop", action)
    assert stopped.out.startswith("cancel stopped")
    assert stopped.code == 1, "it did not do what it was asked for"


def _stop(_: float) -> None:
    raise KeyboardInterrupt


def test_work_is_paused_and_resumed(work: Work, shell: Shell) -> None:  # noqa: F811
    assert shell.run("pauses").err == "nothing is paused\n"
    ran = shell.run("pause", "stockx:acme", "--reason", "holiday")
    assert (ran.code, ran.out) == (0, "stockx:acme is paused until `sluice resume stockx:acme`\n")
    [row] = shell.run("pauses").rows
    assert (row[0], row[1], row[4]) == ("stockx:acme", "", "holiday")
    assert shell.run("resume", "stockx:acme").out == "stockx:acme goes on\n"
    assert (
        shell.run("resume", "stockx:acme").err
        == "sluice: there is no such pause; `sluice pauses` lists those that there are\n"
    )


def test_a_pause_ends_by_itself(work: Work, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(routing, "clock", SystemClock())
    ran = shell.run("pause", "stockx:acme", "--reason", "holiday", "--for", "2h", "--json")
    ends = datetime.fromisoformat(json.loads(ran.out)["pause"]["until"])
    assert timedelta(hours=1, minutes=50) < ends - datetime.now(UTC) <= timedelta(hours=2)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("stockx:acme", "--until", "2020-01-01T00:00:00Z"), 4, "until must be later than now"),
        (("stockx:acme", "--for", "soon"), 2, "'soon' is no time: write 30m, 2h or 1d"),
        (("stockx:acme", "--for", "1h", "--until", "2030-01-01T00:00:00Z"), 2, "give one of them"),
        (("stockx:zoom", "--for", "1h"), 4, "not allowed: only the role platform pauses other tenants' work"),
        (("everything",), 4, "name must be a marketplace"),
    ],
)
def test_a_pause_that_cannot_be(shell: Shell, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = shell.run("pause", *arguments, "--reason", "x")
    assert (ran.code, words in ran.err) == (code, True), ran


def test_a_user_may_not_act(shell: Shell) -> None:
    ran = Shell(api_of("acme", roles="user")).run("cancel", "some-job")
    assert ran.code == 4
    assert "not allowed: this needs the permission operate:act" in ran.err
    assert "ask whoever runs the stage for a token with such a role" in ran.err


def test_a_filter_that_the_stage_does_not_take_names_the_field(shell: Shell) -> None:
    ran = shell.run("jobs", "--tenant", "Acme!")
    assert ran.code == 4
    assert "tenant " in ran.err
