"""`sluice jobs`, `why`, `dead`, `events`, `budgets`, and acting, against the real handlers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sluice.jobs.model.job import Job
from sluice.operator import work_run
from sluice.platform.clock import MINUTE, SECOND, SystemClock
from sluice.platform.context import Context
from sluice.platform.http import routing
from sluice.platform.observe import metrics
from tests.support.command import Shell, in_environment
from tests.support.letters import write
from tests.support.wire import api_of
from tests.unit.api.test_actions import kill, states
from tests.unit.api.test_operator import Work, work  # noqa: F401 - the fixture


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


def test_events_are_those_of_jobs_and_go_on(work: Work, shell: Shell) -> None:  # noqa: F811
    work.cloud.enqueue("acme", "A-1", "A-2")
    looks = iter(range(3))

    def rest(_: float) -> None:
        if (look := next(looks)) == 0:
            work.clock.time += SECOND
            work.complete(work.claim()[0])
        elif look == 1:
            raise KeyboardInterrupt

    shell.rest = rest
    ran = shell.run("events", "--follow", "--json")
    told = [json.loads(line)["type"] for line in ran.out.splitlines()]
    assert (ran.code, told[:2]) == (130, ["job.queued", "job.queued"])
    assert "job.succeeded" in told[2:]
    assert ran.err.endswith("stopped; the jobs go on\n")


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
    assert shell.run("resume", "stockx:acme").err == "sluice: there is no such pause: pause not found\n"


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
    ran = shell.run("jobs", "--since", "yesterday")
    assert ran.code == 4
    assert "from " in ran.err
