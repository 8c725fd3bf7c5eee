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

    job.dead and account.broken, for example. AWS asks the address first.
    """
    _put(session, mail={"address": address, "eventTypes": list(types)})


@notifications.command(cls=Command)
@click.argument("percent", type=click.IntRange(0, 99))
@click.option("--jobs", type=click.IntRange(1), default=20, show_default=True, help="Of fewer jobs nothing is said.")
@pass_session
def rate(session: Session, percent: int, jobs: int) -> None:
    """Be told when more than PERCENT of your jobs have died (the event failures.high). 0: nobody looks at it."""
    _put(session, failureRate={"percent": percent, "jobs": jobs} if percent else None)


@notifications.command(cls=Command)
@click.argument("hour")
@click.option("--zone", default="UTC", show_default=True, help="Of the clock, for example Europe/Berlin.")
@pass_session
def summary(session: Session, hour: str, zone: str) -> None:
    """Have each day summed up at HOUR, 0 to 23 (the event summary.daily). off: no more."""
    if hour != "off" and not (hour.isascii() and hour.isdigit() and int(hour) < 24):
        raise click.UsageError(f"HOUR is a whole number from 0 to 23, or off; {hour!r} is none")
    _put(session, summary=None if hour == "off" else {"hour": int(hour), "zone": zone})


@notifications.command(cls=Command)
@pass_session
def off(session: Session) -> None:
    """Have no more mail sent. What webhooks get is not touched."""
    _put(session, mail=None)


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


def _put(session: Session, **changed: Any) -> None:
    """Change a part of what is wanted; the rest stays as it is."""
    told = session.api.get(PATH)
    kept = {
        "mail": _only(told["mail"], "address", "eventTypes"),
        "failureRate": _only(told["failureRate"], "percent", "jobs"),
        "summary": _only(told["summary"], "hour", "zone"),
    }
    _show(session, session.api.put(PATH, kept | changed))


def _only(part: Json | None, *names: str) -> Json | None:
    return part and {name: part[name] for name in names}


def _show(session: Session, told: Json) -> None:
    session.screen.json(told)
    mail, rate_, summary_ = told["mail"] or {}, told["failureRate"], told["summary"]
    if not mail:
        session.screen.say("no mail is sent")
    session.screen.fields(
        [
            ("address", mail.get("address")),
            ("status", mail.get("status")),
            ("told of", ", ".join(mail.get("eventTypes", ()))),
            ("failures", rate_ and f"above {rate_['percent']} % of {rate_['jobs']} jobs or more"),
            ("summary", summary_ and f"at {summary_['hour']}:00 {summary_['zone']}, next {clock(summary_['nextAt'])}"),
            ("last mail", clock(told["mailedAt"])),
            ("next mail", clock(told["nextMailAt"])),
        ]
    )
    if mail.get("status") == "PENDING":
        session.screen.note("AWS has sent a mail there: nothing is sent until somebody opens its link")


COMMANDS = (notifications,)
