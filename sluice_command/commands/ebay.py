"""`sluice list ebay …`: records of how eBay listings are to be."""

from typing import Any, TextIO

import click

from sluice_command.api import segment
from sluice_command.errors import ExitCode
from sluice_command.lists import rows
from sluice_command.options import Command, Group, agreed, limit_option, pass_session, read_json, seconds_option
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/ebay/listings"
Json = dict[str, Any]
# What a record is while eBay does not have it as it is to be.
WAITING, FAILED = "waiting", "failed"

watch_option = click.option("--watch", is_flag=True, help="Follow it until eBay has it.")
version_option = click.option("--version", type=click.IntRange(1), help="Only while the record is at this version.")


@click.group(cls=Group)
def ebay() -> None:
    """Listings at eBay, kept equal to your records."""


@ebay.command(cls=Command)
@click.argument("sku")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@version_option
@watch_option
@pass_session
def create(session: Session, sku: str, file: TextIO, version: int | None, watch: bool) -> int:
    """Say how the listing SKU is to be: FILE holds the whole record as JSON; - is standard input."""
    return _taken(session, session.api.call("PUT", _one(sku), read_json(file), version), watch=watch)


@ebay.command(cls=Command)
@click.argument("sku")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@version_option
@watch_option
@pass_session
def change(session: Session, sku: str, file: TextIO, version: int | None, watch: bool) -> int:
    """Change some of the listing SKU: FILE holds a JSON Merge Patch; - is standard input."""
    return _taken(session, session.api.call("PATCH", _one(sku), read_json(file), version), watch=watch)


@ebay.command(cls=Command)
@click.argument("sku")
@click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
@version_option
@watch_option
@pass_session
def end(session: Session, sku: str, yes: bool, version: int | None, watch: bool) -> int:
    """End the listing SKU, and archive its record."""
    if not agreed(f"End {sku} at eBay?", yes=yes):
        raise click.Abort
    return _taken(session, session.api.call("DELETE", _one(sku), None, version), watch=watch)


@ebay.command(cls=Command)
@click.argument("sku", required=False)
@click.option("--state", help="In this state, such as live, waiting or failed.")
@limit_option
@pass_session
def show(session: Session, sku: str | None, state: str | None, limit: int) -> None:
    """List your records, or show the one of SKU with its history."""
    if sku:
        _show_one(session, sku)
        return
    found = list(rows(session.api, PATH, "listings", limit, state=state))
    session.screen.json({"listings": found})
    session.screen.table(
        ("SKU", "state", "version", "published", "listing", "drift", "title"),
        [
            (
                one["sku"],
                one["state"],
                one["version"],
                one["publishedVersion"],
                one["listingId"],
                one["drift"] or None,
                one["title"],
            )
            for one in found
        ],
        none="no record matches: `sluice list ebay create` makes one",
    )


@ebay.command(cls=Command)
@click.argument("sku")
@seconds_option(None)
@pass_session
def follow(session: Session, sku: str, seconds: float | None) -> int:
    """Follow the listing SKU until eBay has it as its record says.

    Exit code 1 when publishing has failed.
    """
    return _follow(session, sku, seconds)


def _taken(session: Session, answer: Json, *, watch: bool) -> int:
    if watch and answer["jobId"]:
        session.screen.note(f"{answer['sku']}, version {answer['version']}, job {answer['jobId']}")
        return _follow(session, answer["sku"], None)
    session.screen.json(answer)
    session.screen.fields(
        [
            ("SKU", answer["sku"]),
            ("outcome", answer["outcome"]),
            ("version", answer["version"]),
            ("job", answer["jobId"]),
        ]
    )
    return ExitCode.OK


def _follow(session: Session, sku: str, seconds: float | None) -> int:
    session.goes_on = f"it is published all the same; `sluice list ebay follow {sku}` goes on watching"
    with session.screen.bar("listings") as bar:
        found = session.follow(
            lambda: session.api.get(_one(sku)),
            _over,
            lambda one: bar.show(
                int(_over(one)), 1, f"{one['state']}, version {one['publishedVersion']} of {one['version']}"
            ),
            seconds,
        )
    _tell(session, found)
    return ExitCode.FAILED if found["state"] == FAILED else ExitCode.OK


def _over(record: Json) -> bool:
    if record["state"] == FAILED:
        return True
    return bool(record["state"] != WAITING and record["publishedVersion"] == record["version"])


def _show_one(session: Session, sku: str) -> None:
    one = session.api.get(_one(sku))
    history = list(rows(session.api, f"{_one(sku)}/history", "history", 50))
    _tell(session, {**one, "history": history})
    session.screen.table(
        ("version", "at", "what", "changed", "by"),
        [
            (each["version"], clock(each["changedAt"]), each["action"], ", ".join(each["fields"]), each["changedBy"])
            for each in history
        ],
    )


def _tell(session: Session, one: Json) -> None:
    session.screen.json(one)
    error, revisions = one["error"] or {}, one["revisions"]
    session.screen.fields(
        [
            ("SKU", one["sku"]),
            ("state", one["state"]),
            ("title", one["title"]),
            ("listing", one["listingId"]),
            ("version", f"{one['version']}, eBay has {one['publishedVersion'] or 'none'}"),
            ("why", error.get("message")),
            ("warnings", [each.get("message", each) for each in one["warnings"]]),
            ("drift", one["openDrift"]),
            ("changes left today", f"{revisions['left']} until {clock(revisions['until'])}"),
        ]
    )


def _one(sku: str) -> str:
    return f"{PATH}/{segment(sku)}"
