"""`make golden` and `make enrich`, against the real handlers."""

from collections.abc import Callable
from io import StringIO

import httpx
import pytest
from rich.console import Console

from local.golden import items
from local.sandbox.faults import ServerError
from sluice.catalog.table import Product
from sluice.platform.clock import MINUTE
from tests.support.wire import api_of
from tests.unit.market.world import World, item
from tools import enrich, golden, stage
from tools.api import Api, ApiError

SECRET = "the-token-of-acme"


@pytest.fixture
def api(everywhere: World) -> Api:
    return Api("https://api.example", SECRET, wire=api_of("acme"))


def minute(world: World) -> None:
    world.run()
    world.clock.time += MINUTE


def minutes(world: World, most: int) -> Callable[[], bool]:
    """A rest between two looks in which the world goes on."""
    left = iter(range(most))

    def rest() -> bool:
        minute(world)
        return next(left, None) is not None

    return rest


# --- golden ---


def test_the_golden_set_passes_on_every_connected_marketplace(everywhere: World, api: Api) -> None:
    checks = golden.check(api, golden.connected(api), minutes(everywhere, 20))
    assert [one for one in checks if not one.passed] == []
    assert len(checks) == 3 * 10
    assert {one.item["marketplace"] for one in checks} == {"stockx", "alias", "ebay"}
    assert all(one.price["ask"] or one.price["bid"] for one in checks)


def test_a_job_that_dies_fails_its_row_alone(everywhere: World, api: Api) -> None:
    everywhere.sandbox.faults.set(ServerError(path="/v2/*", last=1_000))
    checks = golden.check(api, ["stockx", "ebay"], minutes(everywhere, 600))
    assert [one.passed for one in checks] == [False] * 10 + [True] * 10
    assert {one.state for one in checks if not one.passed} == {"dead"}
    assert "stockx GET /catalog/search" in checks[0].why


def test_what_is_not_done_in_time_fails_and_says_what_it_waits_for(everywhere: World, api: Api) -> None:
    everywhere.pause("stockx")
    checks = golden.check(api, ["stockx"], minutes(everywhere, 2))
    assert {one.why for one in checks} == {"not done in time: an operator has paused stockx"}


def test_a_price_that_says_nothing_fails(everywhere: World, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(ask: str | None, bid: str | None) -> golden.Check:
        one = golden.Check(items()[0], job_id="j")
        monkeypatch.setattr(Api, "job", lambda *_: {"state": "succeeded"})
        found = [{"ask": ask, "bid": bid}] if (ask, bid) != ("", "") else []
        monkeypatch.setattr(Api, "get", lambda *_, **__: {"prices": found})
        golden._look(api, "j", one)
        return one

    assert check("150", None).passed
    assert check(None, "120").passed
    assert check(None, None).why == "the marketplace names neither an ask nor a bid"
    assert check("", "").why == "its job has succeeded, and no price is stored"


def test_refused_items_are_rows_too(world: World) -> None:
    world.connect("acme")
    api = Api("https://api.example", SECRET, wire=api_of("acme"))
    [*rows] = golden.check(api, ["alias"], minutes(world, 1))
    assert {(one.state, one.passed) for one in rows} == {("refused", False)}
    assert "no alias account is connected" in rows[0].why


@pytest.fixture
def shown(everywhere: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `main` of a command; what it prints, and its exit code in the last line."""

    def run(wire: httpx.BaseTransport, *arguments: str) -> str:
        monkeypatch.setattr(stage, "connect", lambda: Api("https://api.example", SECRET, wire=wire))
        monkeypatch.setattr(golden, "give_up_after", lambda _: minutes(everywhere, 20))
        code = golden.main(arguments)
        return f"{capsys.readouterr().out}{code}"

    return run


def test_the_table_and_the_exit_code_say_the_same(everywhere: World, shown: Callable[..., str]) -> None:
    text = shown(api_of("acme"), "stockx")
    assert text.endswith("OK: all 10 have a price\n0")
    [row] = [line for line in text.splitlines() if "CP9654" in line]
    assert [cell.strip() for cell in row.split("│")][1:6] == ["pass", "CP9654", "eu 44", "stockx", "succeeded"]
    text = shown(api_of("nobody"), "stockx")
    assert text.endswith("FAILED: 10 of 10\n1")
    assert "no stockx account is connected" in text


def test_without_an_account_it_says_what_to_do(shown: Callable[..., str]) -> None:
    text = shown(api_of("nobody"))
    assert "connect one with PUT /v1/accounts" in text
    assert text.endswith("\n1")


def test_no_answer_shows_the_token(shown: Callable[..., str]) -> None:
    def echo(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text=str(request.headers))

    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused", request=request)

    for wire in (httpx.MockTransport(echo), httpx.MockTransport(unreachable)):
        text = shown(wire)
        assert text.startswith("FAILED: ")
        assert SECRET not in text


def test_what_is_no_api_is_told_so() -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    with (
        Api("https://api.example", SECRET, page) as api,
        pytest.raises(ApiError, match=r"answered 200, and no JSON: <html>"),
    ):
        api.get("/v1/jobs")


# --- enrich ---


def watch(world: World, api: Api) -> tuple[int, list[str]]:
    """Run the command outside a terminal; its exit code and its lines."""
    out = StringIO()
    console = Console(file=out, width=200, soft_wrap=True, highlight=False)
    code = enrich.report(enrich.enrich(api, console, rest=lambda: minute(world)), console)
    return code, out.getvalue().splitlines()


def test_it_shows_how_far_it_is_and_ends(everywhere: World, api: Api) -> None:
    everywhere.finish(item(), item("CP9654"))
    code, lines = watch(everywhere, api)
    assert (code, lines[0], lines[-2:]) == (
        0,
        "0 of 2 products",
        ["2 of 2 products", "OK: 2 products dealt with"],
    )
    assert watch(everywhere, api) == (0, ["0 of 0 products", "OK: 0 products dealt with"])


def test_ended_in_the_middle_it_goes_on(everywhere: World, api: Api) -> None:
    everywhere.finish(item(), item("CP9654"))

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enrich.enrich(api, Console(file=StringIO()), rest=stop)
    minute(everywhere)
    before = len(everywhere.calls())
    assert watch(everywhere, api)[1][-1] == "OK: 2 products dealt with"
    assert len(everywhere.calls()) == before, "the jobs went on by themselves"


def test_it_says_what_it_waits_for_and_what_nobody_could_be_asked_for(acme: World) -> None:
    api = Api("https://api.example", SECRET, wire=api_of("acme"))
    acme.finish(item())
    code, lines = watch(acme, api)
    assert (code, lines[-2]) == (
        0,
        "products that nobody could be asked for: 1; connect a working alias account (PUT /v1/accounts/alias)",
    )


def test_look_ups_that_die_are_a_failure(everywhere: World, api: Api) -> None:
    everywhere.finish(item())
    everywhere.sandbox.faults.set(ServerError(path="/api/v1/*", last=1_000))
    code, lines = watch(everywhere, api)
    assert (code, lines[-1]) == (
        1,
        "FAILED: look-ups that failed: 1; GET /v1/dead-letters?kind=catalog.enrich says why",
    )


def test_in_a_terminal_it_draws_a_bar(everywhere: World, api: Api) -> None:
    everywhere.finish(item())
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True)
    enrich.enrich(api, console, rest=lambda: minute(everywhere))
    assert "1/1" in out.getvalue()
    assert Product.get("stockx:DD1391-100").image.startswith("https://")


# --- which stage ---


@pytest.mark.parametrize(
    ("url", "token", "words"),
    [
        (None, "t", "set API to the stage's base URL"),
        ("https://api.example", None, "set TOKEN to a token for it"),
        ("", "t", "set API"),
        ("http://api.example", "t", "must begin with https://"),
        ("api.example", "t", "must begin with https://"),
        ("https://api.example", "Bearer t", "one JWT without blanks"),
        ("https://api.example", "t\nx", "one JWT without blanks"),
    ],
)
def test_a_stage_that_cannot_be_used_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str | None, token: str | None, words: str
) -> None:
    for name, value in (("API", url), ("TOKEN", token)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(stage.NoStage, match=words):
        stage.connect()


@pytest.mark.parametrize("url", ["https://api.example/", "http://127.0.0.1:4566/_aws/x", "http://localhost:1"])
def test_a_stage_is_reached_safely(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("API", url)
    monkeypatch.setenv("TOKEN", SECRET)
    stage.connect().close()
