"""`sluice list stockx …`: what you sell at StockX. The group `list` takes `ebay` in too."""

from typing import Any

import click

from sluice_command.api import segment
from sluice_command.commands.ebay import ebay
from sluice_command.errors import ExitCode
from sluice_command.lists import rows
from sluice_command.options import Command, Group, limit_option, pass_session, seconds_option
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/stockx/listings"
Json = dict[str, Any]

watch_option = click.option("--watch", is_flag=True, help="Follow it until the marketplace says how it ended.")


@click.group("list", cls=Group)
def list_() -> None:
    """What you sell: make, change, show and follow listings."""


@list_.group(cls=Group)
def stockx() -> None:
    """Listings at StockX."""


@stockx.command(cls=Command)
@click.argument("sku")
@click.argument("size")
@click.argument("amount")
@click.option("--system", metavar="SYSTEM", help="The size's system, such as us or eu.  [default: as the size says]")
@click.option("--currency", default="USD", show_default=True)
@click.option("--expires", metavar="TIME", help="Until when it is offered (RFC 3339).")
@click.option("--inactive", is_flag=True, help="Not on the market until it is activated.")
@click.option("--reference", metavar="TEXT", help="Yours; asking again with the same one makes no second listing.")
@watch_option
@pass_session
def create(
    session: Session,
    sku: str,
    size: str,
    amount: str,
    system: str | None,
    currency: str,
    expires: str | None,
    inactive: bool,
    reference: str | None,
    watch: bool,
) -> int:
    """Offer one unit of SKU in SIZE for AMOUNT."""
    wanted = {
        "sku": sku,
        "size": size,
        "sizeSystem": system,
        "amount": amount,
        "currency": currency,
        "expiresAt": expires,
        "active": not inactive,
        "reference": reference,
    }
    body = {name: value for name, value in wanted.items() if value is not None}
    return _taken(session, session.api.post(PATH, body), watch=watch)


@stockx.command(cls=Command)
@click.argument("listing_id", metavar="LISTING")
@click.option("--amount", help="What it is to ask for.")
@click.option("--currency", help="Only with an amount.")
@click.option("--expires", metavar="TIME", help="Until when it is offered (RFC 3339).")
@watch_option
@pass_session
def change(
    session: Session, listing_id: str, amount: str | None, currency: str | None, expires: str | None, watch: bool
) -> int:
    """Change what LISTING asks for."""
    terms = {"amount": amount, "currency": currency, "expiresAt": expires}
    body = {name: value for name, value in terms.items() if value is not None}
    if not body:
        raise click.UsageError("say what to change: --amount, --currency or --expires")
    return _taken(session, session.api.call("PATCH", _one(listing_id), body), watch=watch)


@stockx.command(cls=Command)
@click.argument("listing_id", metavar="LISTING")
@watch_option
@pass_session
def activate(session: Session, listing_id: str, watch: bool) -> int:
    """Put LISTING on the market."""
    return _taken(session, session.api.post(f"{_one(listing_id)}/activate", {}), watch=watch)


@stockx.command(cls=Command)
@click.argument("listing_id", metavar="LISTING")
@watch_option
@pass_session
def deactivate(session: Session, listing_id: str, watch: bool) -> int:
    """Take LISTING off the market."""
    return _taken(session, session.api.post(f"{_one(listing_id)}/deactivate", {}), watch=watch)


@stockx.command(cls=Command)
@click.argument("listing_id", metavar="LISTING")
@watch_option
@pass_session
def delete(session: Session, listing_id: str, watch: bool) -> int:
    """Take LISTING away for good."""
    return _taken(session, session.api.delete(_one(listing_id)), watch=watch)


@stockx.command(cls=Command)
@click.argument("listing_id", metavar="[LISTING]", required=False)
@click.option("--status", help="With this status, such as ACTIVE.")
@click.option("--sku", help="Of this SKU.")
@limit_option
@pass_session
def show(session: Session, listing_id: str | None, status: str | None, sku: str | None, limit: int) -> None:
    """List your listings, or show LISTING with its history."""
    if listing_id:
        _show_one(session, listing_id)
        return
    found = list(rows(session.api, PATH, "listings", limit, status=status, sku=sku))
    session.screen.json({"listings": found})
    session.screen.table(
        ("listing", "status", "SKU", "size", "amount", "under way"),
        [
            (one["listingId"], one["status"], one["sku"], one["size"], _amount(one), len(one["changes"]) or None)
            for one in found
        ],
        none="no listing matches: `sluice list stockx create` makes one",
    )


@stockx.command(cls=Command)
@click.argument("job_id", metavar="JOB")
@seconds_option(None)
@pass_session
def follow(session: Session, job_id: str, seconds: float | None) -> int:
    """Follow JOB, which changes a listing, until the marketplace says how it ended.

    Exit code 1 when it did not end well.
    """
    return _follow(session, job_id, seconds)


def _taken(session: Session, answer: Json, *, watch: bool) -> int:
    """Show the answer to a change, or follow it."""
    if watch:
        session.screen.note(f"listing {answer['listingId']}, job {answer['jobId']}")
        return _follow(session, answer["jobId"], None)
    session.screen.json(answer)
    session.screen.fields([("listing", answer["listingId"]), ("status", answer["status"]), ("job", answer["jobId"])])
    return ExitCode.OK


def _follow(session: Session, job_id: str, seconds: float | None) -> int:
    session.goes_on = f"the change goes on; `sluice list stockx follow {job_id}` goes on watching"
    with session.screen.bar("changes") as bar:
        found = session.follow(
            lambda: session.api.get(f"/v1/operations/{segment(job_id)}"),
            lambda one: bool(one["status"] != "IN_PROGRESS"),
            lambda one: bar.show(int(one["status"] != "IN_PROGRESS"), 1, f"{one['action']} {one['status']}"),
            seconds,
        )
    session.screen.json(found)
    error = found["error"] or {}
    session.screen.fields(
        [
            ("action", found["action"]),
            ("status", found["status"]),
            ("listings", ", ".join(found["listingIds"])),
            ("operation", found["operationId"]),
            ("why", error.get("message")),
        ]
    )
    return ExitCode.OK if found["status"] == "COMPLETED" else ExitCode.FAILED


def _show_one(session: Session, listing_id: str) -> None:
    one = session.api.get(_one(listing_id))
    history = list(rows(session.api, f"{_one(listing_id)}/history", "history", 10_000))
    session.screen.json({**one, "history": history})
    session.screen.fields(
        [
            ("listing", one["listingId"]),
            ("at StockX", one["marketplaceId"]),
            ("status", one["status"]),
            ("SKU", one["sku"]),
            ("size", one["size"]),
            ("amount", _amount(one)),
            ("expires", clock(one["expiresAt"])),
            ("under way", ", ".join(f"{change['action']} ({change['jobId']})" for change in one["changes"])),
            ("not confirmed", ", ".join(f"{each['action']}: {each['message']}" for each in one["unconfirmed"])),
        ]
    )
    session.screen.table(
        ("at", "action", "became", "by"),
        [(clock(entry["changedAt"]), entry["action"], entry["status"], entry["changedBy"]) for entry in history],
    )


def _one(listing_id: str) -> str:
    return f"{PATH}/{segment(listing_id)}"


def _amount(one: Json) -> str | None:
    return f"{one['amount']} {one['currency']}" if one["amount"] else None


list_.add_command(ebay)
COMMANDS = (list_,)
