"""`sluice connect`: each marketplace's authorization, walked through against the sandbox and stored by the handlers."""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from local.sandbox.server import Sandbox
from sluice_command import authorization
from sluice_command.authorization import MARKETPLACES, Authorization
from tests.support.command import Shell, in_environment
from tests.support.patience import SECONDS
from tests.support.wire import api_of
from tests.unit.market.world import World

REDIRECTS = {"stockx": "https://shop.example/callback", "ebay": "Shop-ShopApp-PRD-abc"}
STATE = "the-state-of-this-walk"


@pytest.fixture
def kind_of_sandbox() -> type[Sandbox]:
    """The command calls it too, by its address."""
    return Sandbox


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that were opened in the browser."""
    pages: list[str] = []
    monkeypatch.setattr("webbrowser.open", pages.append)
    return pages


@pytest.fixture
def shell(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, opened: list[str]) -> Shell:
    """On a stage whose marketplaces the sandbox plays."""
    in_environment(monkeypatch, tmp_path)
    monkeypatch.setenv("SANDBOX", f"{world.sandbox.url}/_sandbox")
    monkeypatch.setattr(authorization, "new_state", lambda: STATE)
    stage = api_of("acme")

    def send(request: httpx.Request) -> httpx.Response:
        if request.url.host != "127.0.0.1":
            return stage.handle_request(request)
        with httpx.Client(timeout=SECONDS) as network:
            return network.send(request)

    return Shell(httpx.MockTransport(send))


@pytest.fixture
def given(world: World, tmp_path: Path) -> Callable[[Iterable[str]], str]:
    """A file with those of an account's credentials at the sandbox."""
    known = asdict(world.sandbox.connect("acme"))

    def file(names: Iterable[str]) -> str:
        path = tmp_path / "credentials.json"
        path.write_text(json.dumps({name: known[name] for name in names}), encoding="utf-8")
        return str(path)

    return file


def brought_back(page: str) -> str:
    """The address that the browser is sent to when a person has agreed."""
    return httpx.get(page, timeout=SECONDS).headers["location"]


OF_STOCKX = ("api_key", "client_id", "client_secret")
OF_CLIENT = ("client_id", "client_secret")


@pytest.mark.parametrize(("marketplace", "names"), [("stockx", OF_STOCKX), ("ebay", OF_CLIENT)])
def test_a_seller_agrees_and_the_stage_proves_it(
    world: World,
    shell: Shell,
    given: Callable[[Iterable[str]], str],
    opened: list[str],
    marketplace: str,
    names: tuple[str, ...],
) -> None:
    file = given(names)
    page = page_of(world, marketplace, json.loads(Path(file).read_text()))
    ran = shell.run(
        *("connect", marketplace, "--credentials", file, "--redirect", REDIRECTS[marketplace], "--seller"),
        typed=f"{brought_back(page)}\n",
    )
    assert ran.code == 0, ran
    assert ran.out.startswith(f"{marketplace}:acme is connected: ACTIVE\n")
    assert {row[2] for row in ran.rows} == {"ACTIVE"}
    assert ("seller", "ACTIVE") in {(row[0], row[2]) for row in ran.rows}
    assert opened == [page]
    assert f"sign in as the seller, and agree: {page}" in ran.err
    for secret in json.loads(Path(file).read_text()).values():
        assert secret not in ran.out
    assert [one["marketplace"] for one in json.loads(shell.run("accounts", "--json").out)["accounts"]] == [marketplace]


def page_of(world: World, marketplace: str, known: dict[str, str]) -> str:
    """The page that is to be opened for these credentials."""
    place = MARKETPLACES[marketplace].at(world.sandbox.url)
    return Authorization(place, known["client_id"], known["client_secret"], REDIRECTS[marketplace], STATE).page()


def test_what_is_not_in_the_file_is_asked_for(world: World, shell: Shell) -> None:
    known = world.sandbox.connect("acme")
    ran = shell.run("connect", "alias", typed=f"{known.personal_access_token}\n")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "alias:acme is connected: ACTIVE")
    assert known.personal_access_token not in ran.out + ran.err
    assert shell.run("disconnect", "alias", "--yes").code == 0
    assert shell.run("accounts").err.startswith("no marketplace is connected")


def test_ebay_without_a_seller_needs_no_browser(
    shell: Shell, given: Callable[[Iterable[str]], str], opened: list[str]
) -> None:
    ran = shell.run("connect", "ebay", "--no-seller", "--credentials", given(OF_CLIENT))
    assert (ran.code, opened) == (0, [])
    assert [(row[0], row[2]) for row in ran.rows] == [("application", "ACTIVE"), ("seller", "NOT_CONNECTED")]


def test_what_the_marketplace_refuses_is_not_stored(shell: Shell) -> None:
    ran = shell.run("connect", "alias", typed="pat_wrong\n")
    assert ran.code == 4
    assert "alias does not accept these credentials, and nothing was changed" in ran.err
    assert "pat_wrong" not in ran.err
    assert shell.run("accounts").err.startswith("no marketplace is connected")


@pytest.mark.parametrize(
    ("pasted", "words"),
    [
        ("https://shop.example/callback?code=abc&state=other", "this address belongs to another walk"),
        ("https://shop.example/callback", "this address has no code: paste the whole address"),
        ("abc", "this address has no code"),
        ("https://shop.example/callback?error=access_denied", "the marketplace did not agree: access_denied"),
        (f"https://shop.example/callback?code=abc&state={STATE}", "the marketplace gives no token (403: Invalid auth"),
    ],
)
def test_what_is_pasted_may_be_wrong(
    shell: Shell, given: Callable[[Iterable[str]], str], pasted: str, words: str
) -> None:
    arguments = ("connect", "stockx", "--credentials", given(OF_STOCKX), "--redirect", REDIRECTS["stockx"])
    ran = shell.run(*arguments, typed=f"{pasted}\n")
    assert ran.code == 4
    assert words in ran.err


def test_nobody_who_stops_has_anything_stored(shell: Shell, given: Callable[[Iterable[str]], str]) -> None:
    ran = shell.run("connect", "stockx", "--credentials", given(OF_STOCKX), "--redirect", "https://shop.example/x")
    assert ran.code == 130, "the typing ended"
    assert ran.err.endswith("stopped; nothing was stored\n")


def test_the_pages_are_those_of_the_marketplaces() -> None:
    """As their own documents have them."""
    stockx = urlsplit(Authorization(MARKETPLACES["stockx"], "c", "s", REDIRECTS["stockx"], STATE).page())
    assert (stockx.netloc, stockx.path) == ("accounts.stockx.com", "/authorize")
    assert parse_qs(stockx.query) == {
        "response_type": ["code"],
        "client_id": ["c"],
        "redirect_uri": [REDIRECTS["stockx"]],
        "scope": ["offline_access openid"],
        "audience": ["gateway.stockx.com"],
        "state": [STATE],
    }
    ebay = urlsplit(Authorization(MARKETPLACES["ebay"], "c", "s", REDIRECTS["ebay"], STATE).page())
    assert (ebay.netloc, ebay.path) == ("auth.ebay.com", "/oauth2/authorize")
    scopes = parse_qs(ebay.query)["scope"][0].split()
    assert {scope.rpartition("/")[2] for scope in scopes} == {
        "api_scope",
        "sell.marketing",
        "sell.inventory",
        "sell.account",
    }
    assert MARKETPLACES["ebay"].token == "https://api.ebay.com/identity/v1/oauth2/token"
