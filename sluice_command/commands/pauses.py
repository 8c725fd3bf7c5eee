"""`sluice pause`, `resume`, `pauses`: work that is to wait, and goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from sluice_command.api import segment
from sluice_command.moments import Duration, Moment
from sluice_command.options import Command, pass_session
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/operator/pauses"
Json = dict[str, Any]


@click.command(cls=Command)
@click.argument("what")
@click.option("--reason", required=True, help="Why; everybody whose work waits sees it.")
@click.option(
    "--until",
    type=Moment(ago=False),
    metavar="TIME",
    help="When it ends by itself: 2026-11-22T12:00:00Z, or '2026-11-22 13:00' by this machine's clock."
    "  [default: when somebody resumes it]",
)
@click.option("--for", "lasts", type=Duration(), metavar="TIME", help="The same as a time from now: 30m, 2h or 1d.")
@pass_session
def pause(session: Session, what: str, reason: str, until: str | None, lasts: timedelta | None) -> None:
    """Have work wait.

    WHAT is an account (stockx:acme) or a tenant (tenant:acme); for the role platform also a marketplace or service
    (ebay-marketing) or a kind of job (market.refresh:ebay).

    It is in force within half a minute; what runs is finished.
    """
    if until and lasts:
        raise click.UsageError("--until and --for say the same: give one of them")
    if lasts:
        until = (datetime.now(UTC) + lasts).isoformat(timespec="seconds")
    body = {"name": what, "reason": reason, **({"until": until} if until else {})}
    answer = session.api.post(PATH, body)
    session.screen.json(answer)
    ends = clock(answer["pause"]["until"])
    session.screen.say(f"{what} is paused " + (f"until {ends}" if ends else f"until `sluice resume {what}`"))


@click.command(cls=Command)
@click.argument("what")
@pass_session
def resume(session: Session, what: str) -> None:
    """Have work go on that was paused as WHAT. It does within half a minute."""
    answer = session.api.delete(f"{PATH}/{segment(what)}")
    session.screen.json(answer)
    session.screen.say(f"{what} goes on")


@click.command(cls=Command)
@pass_session
def pauses(session: Session) -> None:
    """Show what is paused, by whom, why and until when."""
    found = session.api.get(PATH)["pauses"]
    session.screen.json({"pauses": found})
    session.screen.table(
        ("paused", "until", "since", "by", "reason"),
        [(one["name"], clock(one["until"]), clock(one["since"]), one["by"], one["reason"]) for one in found],
        none="nothing is paused",
    )


COMMANDS = (pause, resume, pauses)
