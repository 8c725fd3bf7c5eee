"""Whatever a stage answers, the command ends with one sentence that says what and how to mend it; and never a token."""

import time
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from tests.support.command import SECRET, Shell, in_environment

ERROR = {
    "code": "invalid",
    "message": "the request is not valid",
    "fields": [{"field": "limit", "message": "must be …"}],
}


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    in_environment(monkeypatch, tmp_path)


def answering(status: int, body: Any, **headers: str) -> Shell:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Shell(httpx.MockTransport(lambda _: httpx.Response(status, json=body, headers=named)))


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (400, {"error": ERROR}, 4, "the request is not valid: limit must be …"),
        (401, {"message": "Unauthorized"}, 3, "the stage does not accept your token; `sluice login` signs in again"),
        (403, {"message": "Forbidden"}, 3, "the stage does not accept your token; `sluice login` signs in again"),
        (401, {"error": {**ERROR, "message": "no caller"}}, 3, "the stage does not know who asks: no caller"),
        (
            403,
            {"error": {"message": "this needs the permission x"}},
            4,
            "not allowed: this needs the permission x; ask",
        ),
        (404, {"message": "Not Found"}, 4, "the stage has no GET /v1/jobs: it is older than this command, or its URL"),
        (404, {"error": {"message": "there is no such job"}}, 4, "sluice: there is no such job"),
        (429, {"message": "Too Many Requests"}, 5, "more requests than it takes; try again in some seconds"),
        (500, {"error": {"message": "a fault"}, "requestId": "r-1"}, 5, "a fault (500, request r-1); try again"),
        (
            502,
            {"message": "Internal server error"},
            5,
            "the stage answered GET /v1/jobs with 502: Internal server error",
        ),
        (200, "<html>", 4, "is this the URL of a stage's API?"),
        (200, ["of", "something"], 4, "is this the URL of a stage's API?"),
    ],
)
def test_each_answer_is_one_sentence_and_one_exit_code(status: int, body: Any, code: int, words: str) -> None:
    wire = httpx.Response(status, text=body) if isinstance(body, str) else httpx.Response(status, json=body)
    ran = Shell(httpx.MockTransport(lambda _: wire)).run("jobs")
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert ran.err.startswith("sluice: ")
    assert ran.err.count("\n") == 1


def test_a_429_says_how_long_to_wait() -> None:
    error = {"code": "allowance_used_up", "message": "this goes beyond your allowance; ask again in 17 s", "fields": []}
    assert "ask again in 17 s" in answering(429, {"error": error}, retry_after="17").run("jobs").err
    assert "try again in 3 s" in answering(429, {"message": "Too Many Requests"}, retry_after="3").run("jobs").err


def test_watching_waits_as_long_as_it_is_asked_to() -> None:
    answers = iter([httpx.Response(429, json={"message": "…"}, headers={"retry-after": "17"})] * 2)
    last = httpx.Response(
        200, json={"state": "finished", "products": 0, "done": 0, "failed": 0, "noAccount": {}, "waits": []}
    )
    waited: list[float] = []
    first = [httpx.Response(200, json={"state": "running", "products": 2, "done": 0, "waits": []})]

    def answer(_: httpx.Request) -> httpx.Response:
        return first.pop() if first else next(answers, last)

    ran = Shell(httpx.MockTransport(answer), waited.append).run("enrich")
    assert (ran.code, waited) == (0, [3.0, 17.0, 17.0])


def test_an_expired_token_is_told_with_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", jwt.encode({"exp": int(time.time()) - 60}, "k" * 32, algorithm="HS256"))
    ran = answering(403, {"message": "Forbidden"}).run("jobs")
    assert ran.code == 3
    assert "does not accept your token: it was good until 2" in ran.err


def test_no_answer_says_where_it_was_asked() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("timed out", request=request)

    dead = Shell(httpx.MockTransport(unreachable)).run("jobs")
    assert dead.code == 5
    assert "nothing answers at https://api.example ([Errno 111] Connection refused): is the stage up" in dead.err
    slow = Shell(httpx.MockTransport(silent)).run("jobs")
    assert (slow.code, "did not answer within 30 s" in slow.err) == (5, True)
    written = Shell(httpx.MockTransport(silent)).run("actions", "stop", "x")
    assert "may have been done all the same" in written.err


def test_whoever_answers_cannot_have_the_token_shown() -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text=str(request.headers))

    ran = Shell(httpx.MockTransport(echo)).run("jobs")
    assert ran.code == 5
    assert SECRET not in ran.out + ran.err


def test_text_of_others_cannot_move_the_cursor() -> None:
    error = {"code": "gone", "message": "\x1b[2J\x1b]0;owned\x07\nnext [red]line[/]"}
    job = {"jobId": "a\tb", "state": "dead", "priority": "hot", "attempts": 1, "dueAt": None, "error": error}
    ran = answering(200, {"jobs": [job], "next": None}).run("jobs")
    assert ran.out.splitlines()[1] == "a b\tdead\thot\t1\t\t [2J ]0;owned  next [red]line[/]"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("jobs", "--colour", "red"), "No such option '--colour'"),
        (("jobs", "--state", "lost"), "'lost' is not one of 'queued', 'leased'"),
        (("jobs", "--since", "yesterday"), "'yesterday' is no time: write 2h (so long ago), 2026-11-22T12:00:00Z"),
        (("dead", "--until", "9999-99-99"), "'9999-99-99' is no time"),
        (("events", "--since", "0001-01-01T00:00:00+14:00"), "is no time"),
        (("pause", "stockx:acme", "--reason", "x", "--until", "2h"), "'2h' is no time: write 2026-11-22T12:00:00Z"),
        (("events", "--follow", "--until", "1h"), "--until ends before now"),
        (("jbos",), "No such command 'jbos'"),
        (("price", "DD1391-100"), "Missing argument 'SIZE'"),
    ],
)
def test_a_wrong_use_is_told_with_what_there_is(arguments: tuple[str, ...], words: str) -> None:
    ran = answering(500, {}).run(*arguments)
    assert ran.code == 2
    assert words in ran.err
