"""`python -m tools.checks`, against the real handlers: how it goes, and how it exits."""

from io import StringIO

import pytest
from rich.console import Console

from sluice.platform.clock import MINUTE
from tests.support.shop import URL, Desk, Reply, page, unfetched
from tests.support.wire import api_of
from tools import checks
from tools.api import Api, ApiError


@pytest.fixture
def api(desk: Desk) -> Api:
    return Api("https://api.example", "the-token-of-acme", wire=api_of("acme"))


def run(desk: Desk, api: Api) -> tuple[int, str]:
    """The exit code, and what was printed. Between two checks at the stage, its page worker runs."""
    text = StringIO()
    console = Console(file=text, soft_wrap=True)

    def rest() -> None:
        desk.work()
        desk.clock.time += 2 * MINUTE

    return checks.report(checks.check(api, console, rest), console), text.getvalue()


def test_all_pages_read_is_exit_code_0_with_a_line_for_each(desk: Desk, api: Api) -> None:
    for number in range(3):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = page()
    code, text = run(desk, api)
    assert code == 0
    assert "3 pages are due" in text
    assert [text.count(f"{URL}{number}\n") for number in range(3)] == [1, 1, 1]
    assert text.endswith("OK: 3 pages read\n")


def test_some_that_could_not_be_read_are_exit_code_1_with_the_reason(desk: Desk, api: Api) -> None:
    replies: list[Reply] = [page(), (410, {}, ""), unfetched()]
    for number, reply in enumerate(replies):
        desk.track(f"{URL}{number}")
        desk.shops.replies[f"{URL}{number}"] = reply
    code, text = run(desk, api)
    assert code == 1
    assert f"gone: {URL}1: the shop answers 410" in text
    assert f"failed: {URL}2: no whole answer within 20 seconds" in text
    assert text.endswith("FAILED: 2 of 3 pages could not be read\n")
    assert desk.shops.pages().count(f"{URL}2") == 3, "what fails in passing is tried again before it counts"


def test_nothing_due_is_exit_code_0(desk: Desk, api: Api) -> None:
    code, text = run(desk, api)
    assert (code, text.endswith("OK: 0 pages read\n")) == (0, True)


def test_a_run_that_does_not_end_is_no_run(desk: Desk, api: Api) -> None:
    desk.track()
    ticks = iter(range(0, 100_000, 600))
    with pytest.raises(checks.NotRun, match="1 of 1 pages"):
        checks.check(api, Console(file=StringIO()), lambda: None, lambda: float(next(ticks)))


def test_a_caller_who_may_not_begins_nothing(desk: Desk) -> None:
    user = Api("https://api.example", "the-token", wire=api_of("acme", roles="user"))
    with pytest.raises(ApiError, match="403"):
        checks.check(user, Console(file=StringIO()))


@pytest.mark.parametrize("missing", ["API", "TOKEN"])
def test_without_a_stage_it_could_not_run(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API", "https://api.example")
    monkeypatch.setenv("TOKEN", "the-token")
    monkeypatch.delenv(missing)
    assert checks.main() == 2


def test_a_stage_that_does_not_answer_could_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API", "http://127.0.0.1:9")
    monkeypatch.setenv("TOKEN", "the-token")
    assert checks.main() == 2
