"""`sluice promote`, `promotions`: ads for listings that were published at eBay."""

from collections.abc import Sequence
from typing import Any

import click

from sluice_command.api import segment
from sluice_command.errors import ExitCode
from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session, seconds_option
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/promotions"
OVER = ("succeeded", "failed", "cancelled")
STATUSES = ("ready", "pending", *OVER)
COLUMNS = ("listing", "status", "rate", "tries", "next try", "ad", "last error")
Json = dict[str, Any]


@click.command(cls=Command)
@click.argument("listing_ids", metavar="LISTING...", nargs=-1, required=True)
@click.option(
    "--rate", required=True, metavar="PERCENT", help="What the ad costs, in percent of the sale: 2.0 to 100.0."
)
@click.option("--campaign", metavar="ID", help="One of your cost-per-sale campaigns.  [default: the oldest that runs]")
@click.option("--urgent", is_flag=True, help="Before your other ads.")
@click.option("--watch", is_flag=True, help="Follow it until the ads are placed; that takes minutes.")
@seconds_option(None)
@pass_session
def promote(
    session: Session,
    listing_ids: Sequence[str],
    rate: str,
    campaign: str | None,
    urgent: bool,
    watch: bool,
    seconds: float | None,
) -> int:
    """Have ads placed for eBay LISTINGs, as soon as eBay knows them. Asking again changes the rate."""
    named = {**({"campaignId": campaign} if campaign else {}), **({"priority": "manual"} if urgent else {})}
    batch = [{"listingId": one, "adRate": rate, **named} for one in listing_ids]
    answer = session.api.post(PATH, {"batch": batch})
    session.goes_on = "the ads are placed all the same; `sluice promotions` shows them"
    if not watch:
        session.screen.json(answer)
        session.screen.say(answer["message"])
        session.screen.table(("listing", "job"), zip(listing_ids, answer["jobIds"], strict=True))
        return ExitCode.OK
    with session.screen.bar("ads") as bar:
        found = session.follow(
            lambda: [session.api.get(f"{PATH}/{segment(one)}")["job"] for one in answer["jobIds"]],
            lambda found: all(one["status"] in OVER for one in found),
            lambda found: bar.show(sum(one["status"] in OVER for one in found), len(found), _waits(found)),
            seconds,
        )
    session.screen.json({"promotions": found})
    session.screen.table(COLUMNS, map(_row, found))
    return ExitCode.OK if all(one["status"] == "succeeded" for one in found) else ExitCode.FAILED


@click.command(cls=Command)
@click.option("--status", type=click.Choice(STATUSES), help="Which of them.")
@limit_option
@pass_session
def promotions(session: Session, limit: int, status: str | None) -> None:
    """List promotions, the newest first."""
    found = list(rows(session.api, PATH, "promotions", limit, status=status))
    session.screen.json({"promotions": found})
    session.screen.table(COLUMNS, map(_row, found), none="no promotion matches: `sluice promote` asks for one")


def _waits(found: list[Json]) -> str:
    waiting = next((one for one in found if one["status"] not in OVER), None)
    if waiting is None:
        return ""
    error = (waiting["lastError"] or {}).get("message", "")
    return f"try {waiting['attempts']} of {waiting['maxAttempts']} of {waiting['listingId']} {error}"


def _row(one: Json) -> tuple[object, ...]:
    error = (one["lastError"] or {}).get("message")
    tries = f"{one['attempts']} of {one['maxAttempts']}"
    return one["listingId"], one["status"], f"{one['adRate']} %", tries, clock(one["nextRetryAt"]), one["adId"], error


COMMANDS = (promote, promotions)
