"""`sluice checks`, against the real handlers: how it goes, and how it exits."""

import json
from pathlib import Path

import pytest

from sluice.platform.clock import MINUTE
from tests.support.command import Shell, in_environment
from tests.support.shop import URL, Desk, Reply, page, unfetched
from tests.support.wire import api_of


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    in_environment(monkeypatch, tmp_path)


@pytest.fixture
def shell(desk: Desk) -> Shell:
    """Between two looks at the stage, its page worker runs."""

    def rest(_: float) -> None:
        desk.work()
        desk.clock.time += 2 * MINUTE

    return Shell(api_of("acme"), rest)


def test_all_pages_read_is_exit_code_0_with_a_line_for_each(desk: Desk, shell: Shell) -> None:
    for number in range(3):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = page()
    ran = shell.run("checks", "run")
    assert ran.code == 0
    assert "3 pages are due" in ran.err
    assert sorted(row[3] for row in ran.rows) == [f"{URL}{number}" for number in range(3)]
    assert ran.out.endswith("OK: 3 pages read\n")
    assert len(shell.run("checks", "recent").rows) == 3


def test_some_that_could_not_be_read_are_exit_code_1_with_the_reason(desk: Desk, shell: Shell) -> None:
    replies: list[Reply] = [page(), (410, {}, ""), unfetched()]
    for number, reply in enumerate(replies):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = reply
    ran = shell.run("checks", "run")
    found = {row[3]: (row[1], row[4]) for row in ran.rows}
    assert ran.code == 1
    assert found[f"{URL}1"] == ("gone", "the shop answers 410")
    assert found[f"{URL}2"][0] == "failed"
    assert found[f"{URL}2"][1].startswith("no whole answer within 20 seconds")
    assert ran.out.endswith("FAILED: 2 of 3 pages could not be read\n")
    assert desk.shops.pages().count(f"{URL}2") == 3, "what fails in passing is tried again before it counts"


def test_nothing_due_is_exit_code_0(shell: Shell) -> None:
    ran = shell.run("checks", "run")
    assert (ran.code, ran.out) == (0, "OK: nothing to do: no page is due\n")


def test_where_no_page_was_checked_it_says_what_to_do(shell: Shell) -> None:
    ran = shell.run("checks", "recent")
    assert (ran.code, ran.out) == (0, "")
    assert "`sluice checks run`" in ran.err
    assert "dashboard" in ran.err
    assert "/v1/" not in ran.err, "there is no command that sends it"


def test_a_run_that_does_not_end_in_time_says_what_goes_on(desk: Desk) -> None:
    desk.track()
    ticks = iter(range(0, 100_000, 600))
    ran = Shell(api_of("acme"), clock=lambda: float(next(ticks))).run("checks", "run")
    assert (ran.code, ran.out) == (1, "")
    assert "not over after 900 s; the checks that were asked for go on" in ran.err


def test_for_machines_it_is_one_document(desk: Desk, shell: Shell) -> None:
    desk.track()
    desk.shops.replies[URL] = page()
    ran = shell.run("checks", "run", "--json")
    assert [one["url"] for one in json.loads(ran.out)["checks"]] == [URL]


def test_a_caller_who_may_not_begins_nothing() -> None:
    ran = Shell(api_of("acme", roles="user")).run("checks", "run")
    assert ran.code == 4
    assert "not allowed: this needs the permission checks:run" in ran.err
