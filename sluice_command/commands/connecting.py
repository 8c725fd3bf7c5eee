"""`sluice connect`, `accounts`, `disconnect`: marketplace accounts."""

import json
import webbrowser
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import urlsplit

import click

from sluice_command.authorization import MARKETPLACES as AUTHORIZATIONS
from sluice_command.authorization import Authorization, Marketplace
from sluice_command.errors import ExitCode
from sluice_command.options import MARKETPLACES, Command, agreed, pass_session
from sluice_command.session import Session

PATH = "/v1/accounts"
Json = dict[str, Any]
# What each marketplace is asked for, with where it is found; what is secret is not shown while it is typed.
_API_KEY = ("api_key", "API key (developer.stockx.com, your application)", True)
_CLIENT = (("client_id", "Client id", False), ("client_secret", "Client secret", True))
_ASKED: Mapping[str, tuple[tuple[str, str, bool], ...]] = {
    "stockx": (_API_KEY, *_CLIENT),
    "alias": (("personal_access_token", "Personal access token (Alias's token manager)", True),),
    "ebay": _CLIENT,
}


@click.command(cls=Command)
@click.argument("marketplace", type=click.Choice(MARKETPLACES))
@click.option(
    "--credentials",
    type=click.File("r"),
    metavar="FILE",
    help="JSON with what is known already, by name; - is standard input. The rest is asked for.",
)
@click.option("--redirect", metavar="TEXT", help="The redirect URL of your application; at eBay its RuName.")
@click.option(
    "--seller/--no-seller", default=None, help="eBay: with or without a seller, who is needed for listings and ads."
)
@click.option("--browser/--no-browser", default=True, show_default=True, help="Open the marketplace's page.")
@pass_session
def connect(
    session: Session,
    marketplace: str,
    credentials: TextIO | None,
    redirect: str | None,
    seller: bool | None,
    browser: bool,
) -> int:
    """Connect your account at MARKETPLACE, or connect it again.

    Walks through the marketplace's authorization: you agree in the browser, and paste the address that it is sent to.
    The stage asks the marketplace whether it accepts what you give, and stores it encrypted.
    """
    session.goes_on = "nothing was stored"
    given = _read(credentials) if credentials else {}
    for name, about, secret in _ASKED[marketplace]:
        if name not in given:
            given[name] = click.prompt(about, hide_input=secret, err=True).strip()
    if marketplace in AUTHORIZATIONS and "refresh_token" not in given:
        if marketplace == "ebay" and seller is None:
            seller = click.confirm("With a seller, for listings and ads? Prices need none", default=True, err=True)
        if seller is not False or marketplace != "ebay":
            given["refresh_token"] = _walk(session, marketplace, given, redirect, browser=browser)
    account = session.api.put(f"{PATH}/{marketplace}", given)
    return _tell(session, account)


@click.command(cls=Command)
@pass_session
def accounts(session: Session) -> None:
    """Show your marketplace accounts, and whether they work."""
    found = session.api.get(PATH)["accounts"]
    session.screen.json({"accounts": found})
    session.screen.table(
        ("account", "grant", "for", "status", "reason"),
        [
            (one["account"], grant["grant"], grant["serves"], grant["status"], grant["reason"])
            for one in found
            for grant in one["grants"]
        ],
        none="no marketplace is connected: `sluice connect stockx|alias|ebay`",
    )


@click.command(cls=Command)
@click.argument("marketplace", type=click.Choice(MARKETPLACES))
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@pass_session
def disconnect(session: Session, marketplace: str, yes: bool) -> None:
    """Delete what the stage holds of your account at MARKETPLACE. Its work waits until it is connected again."""
    if not agreed(f"Delete the credentials of {marketplace}?", yes=yes):
        raise click.Abort
    answer = session.api.delete(f"{PATH}/{marketplace}")
    session.screen.json(answer)
    session.screen.say(answer["message"])


def _read(file: TextIO) -> dict[str, str]:
    try:
        found = json.load(file)
    except ValueError:
        raise click.UsageError("--credentials must name a file with one JSON object") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise click.UsageError("--credentials must hold one JSON object of names and texts")
    return found


def _walk(session: Session, name: str, given: Mapping[str, str], redirect: str | None, *, browser: bool) -> str:
    """The refresh token that a seller's log-in gives."""
    place = _place(session, name)
    redirect = redirect or click.prompt(f"Redirect: {place.redirect}", err=True).strip()
    walk = Authorization(place, given["client_id"], given["client_secret"], redirect)
    session.screen.note(f"Open this page, sign in as the seller, and agree:\n{walk.page()}")
    if browser:
        webbrowser.open(walk.page())
    pasted = click.prompt("The browser is then sent to an address with a code. Paste it", err=True)
    return walk.refresh_token(walk.code(pasted), session.wire)


def _place(session: Session, name: str) -> Marketplace:
    """Where the authorization is: at the marketplace, or where the stage on this machine has it played."""
    place = AUTHORIZATIONS[name]
    if not session.stage.sandbox:
        return place
    parts = urlsplit(session.stage.sandbox)
    return place.at(f"{parts.scheme}://{parts.netloc}")


def _tell(session: Session, account: Json) -> int:
    session.screen.json(account)
    working = account["status"] == "ACTIVE"
    session.screen.say(
        f"{account['account']} is connected: {account['status']}" + ("" if working else f", {account['reason']}")
    )
    session.screen.table(
        ("grant", "for", "status", "reason"),
        [(one["grant"], one["serves"], one["status"], one["reason"]) for one in account["grants"]],
    )
    return ExitCode.OK if working else ExitCode.FAILED


COMMANDS = (connect, accounts, disconnect)
