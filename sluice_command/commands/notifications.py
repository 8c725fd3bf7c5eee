"""`sluice notifications`: what you are told by mail, and what was mailed."""

from typing import Any

import click

from sluice_command.lists import rows
from sluice_command.options import Command, Group, limit_option, pass_session
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/notifications"
Json = dict[str, Any]


@click.group(cls=Group)
def notifications() -> None:
    """Say what you want to be told by mail, try it, and see what was mailed."""


@notifications.command(cls=Command)
@pass_session
def show(session: Session) -> None:
    """Show where mail goes, of what it tells, and whether it arrives."""
    _show(session, session.api.get(PATH))


@notifications.command("set", cls=Command)
@click.argument("address")
@click.argument("types", nargs=-1, required=True)
@pass_session
def set_(session: Session, address: str, types: tuple[str, ...]) -> None:
    """Have mail of these TYPES of events sent to ADDRESS.

    job.dead and account.broken, for example. AWS asks the address first. What was wanted before is replaced.
    """
    _show(session, session.api.put(PATH, {"mail": {"address": address, "eventTypes": list(types)}}))


@notifications.command(cls=Command)
@pass_session
def off(session: Session) -> None:
    """Have no more mail sent."""
    _show(session, session.api.put(PATH, {}))


@notifications.command(cls=Command)
@pass_session
def test(session: Session) -> None:
    """Send a mail that says nothing but that it is a test."""
    sent = session.api.post(f"{PATH}/test", {})
    session.screen.json(sent)
    session.screen.say(f"sent at {clock(sent['at'])}: {sent['subject']}")


@notifications.command(cls=Command)
@limit_option
@pass_session
def mails(session: Session, limit: int) -> None:
    """Show what was mailed, the newest first, and what could not be and why. With --json its text too."""
    found = list(rows(session.api, f"{PATH}/mails", "mails", limit))
    session.screen.json({"mails": found})
    session.screen.table(
        ("at", "state", "subject", "why not"),
        [(clock(one["at"]), one["state"], one["subject"], one["reason"]) for one in found],
        none="nothing was mailed",
    )


def _show(session: Session, told: Json) -> None:
    session.screen.json(told)
    mail = told["mail"]
    if mail is None:
        session.screen.say("no mail is sent")
        return
    session.screen.fields(
        [
            ("address", mail["address"]),
            ("status", mail["status"]),
            ("told of", ", ".join(mail["eventTypes"])),
            ("last mail", clock(told["mailedAt"])),
            ("next mail", clock(told["nextMailAt"])),
        ]
    )
    if mail["status"] == "PENDING":
        session.screen.note("AWS has sent a mail there: nothing is sent until somebody opens its link")


COMMANDS = (notifications,)
