"""`sluice config`: what the stage's configuration says, who changed it, and what a change would do. For `platform`."""

import re
from collections.abc import Sequence
from typing import Any, TextIO

import click

from sluice_command.options import Command, Group, pass_session, read_json
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/operator/configuration"
Json = dict[str, Any]

file_argument = click.argument("file", type=click.File("r", encoding="utf-8"))
reason_option = click.option("--reason", metavar="TEXT", help="Why, for the audit log.")
version_option = click.option(
    "--version",
    type=click.IntRange(1),
    help="Only while this is the newest version.  [default: the newest that there is]",
)


@click.group(cls=Group)
def config() -> None:
    """The stage's configuration: show, check, change, go back. Needs the role platform."""


@config.command(cls=Command)
@click.argument("version", type=click.IntRange(1), required=False)
@click.option("--all", "whole", is_flag=True, help="With every default filled in.")
@pass_session
def show(session: Session, version: int | None, whole: bool) -> None:
    """Show what differs from the defaults, now or in VERSION."""
    found = session.api.get(f"{PATH}/versions/{version}" if version else PATH)
    if session.as_json:
        session.screen.json(found)
        return
    session.screen.note(f"version {found['version']}, by {found['by'] or 'the deployment'} at {clock(found['at'])}")
    if refused := found.get("refused"):
        session.screen.note(f"it is not valid, and an earlier one is in force: {refused['reason']}")
    session.screen.document(found.get("values", found["document"]) if whole else found["document"])


@config.command(cls=Command)
@file_argument
@pass_session
def check(session: Session, file: TextIO) -> None:
    """Say whether the document in FILE is valid, and what it would change. Nothing is changed; - is standard input."""
    found = session.api.post(f"{PATH}/check", {"document": _document(file)})
    session.screen.json(found)
    _changes(session, found["changes"], "it is valid, and changes nothing")


@config.command("set", cls=Command)
@file_argument
@version_option
@reason_option
@pass_session
def set_(session: Session, file: TextIO, version: int | None, reason: str | None) -> None:
    """Have the document in FILE hold, whole, within half a minute; - is standard input."""
    wanted = _document(file)
    body = {"version": version or _newest(session), "document": wanted, **_given(reason)}
    _changed(session, session.api.put(PATH, body))


@config.command(cls=Command)
@click.argument("to", metavar="VERSION", type=click.IntRange(1))
@reason_option
@pass_session
def revert(session: Session, to: int, reason: str | None) -> None:
    """Have the document of VERSION hold again."""
    _changed(session, session.api.post(f"{PATH}/revert", {"version": _newest(session), "to": to, **_given(reason)}))


@config.command(cls=Command)
@pass_session
def history(session: Session) -> None:
    """Show who changed what, the newest first."""
    found = session.api.get(f"{PATH}/versions")["versions"]
    session.screen.json({"versions": found})
    session.screen.table(
        ("version", "at", "by", "reason", "changed"),
        [
            (one["version"], clock(one["at"]), one["by"] or "the deployment", one["reason"], one["changes"])
            for one in found
        ],
    )


@config.command("what-if", cls=Command)
@click.argument("budget")
@click.argument("limits", metavar="LIMIT=VALUE...", nargs=-1, required=True)
@click.option("--days", type=click.IntRange(1, 35), default=7, show_default=True, help="So many days back.")
@pass_session
def what_if(session: Session, budget: str, limits: Sequence[str], days: int) -> None:
    """Play other limits over the calls that BUDGET has made: what would have waited, and how long. Nothing is changed.

    \b
    sluice config what-if stockx:acme windows=50/hour,25000/day
    sluice config what-if stockx:acme windows=200/10s interval_ms=50

    The windows are all that there would be: so many calls in each hour or day of the marketplace's clock, or in any
    seconds.
    """
    body = {"budget": budget, "limits": dict(map(_limit, limits)), "days": days}
    found = session.api.post(f"{PATH}/what-if", body)
    session.screen.json(found)
    session.screen.table(
        ("limits", "calls", "waited", "hours at most", "most waiting", "left"),
        [
            (
                f"{name}: {_limits(one['limits'])}",
                one["calls"],
                one["waited"],
                one["longestHours"],
                one["mostWaiting"],
                one["left"],
            )
            for name, one in (("now", found["now"]), ("proposed", found["proposed"]))
        ],
    )


def _document(file: TextIO) -> Json:
    found = read_json(file)
    if not isinstance(found, dict):
        raise click.UsageError(f"{file.name} must hold one JSON object")
    return found


def _newest(session: Session) -> int:
    newest: int = session.api.get(PATH)["version"]
    return newest


def _given(reason: str | None) -> Json:
    return {"reason": reason} if reason else {}


def _limit(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    if name == "windows" and value:
        return name, [_window(one, text) for one in value.split(",")]
    if not name or not value.isdigit():
        raise _no_limit(text)
    return name, int(value)


def _window(written: str, text: str) -> Json:
    found = re.fullmatch(r"(\d+)/(?:(hour|day)|(\d+)s)", written)
    if not found:
        raise _no_limit(text)
    calls, per, seconds = found.groups()
    return {"calls": int(calls), "per": per} if per else {"calls": int(calls), "seconds": int(seconds)}


def _no_limit(text: str) -> click.UsageError:
    return click.UsageError(f"{text!r} is no limit: write it as windows=50/hour,200/10s or interval_ms=600")


def _limits(found: Json) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in found.items())


def _value(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    return ",".join(f"{one['calls']}/{one.get('per') or str(one['seconds']) + 's'}" for one in value) or "none"


def _changed(session: Session, answer: Json) -> None:
    session.screen.json(answer)
    _changes(session, answer["changes"], f"version {answer['version']} says the same; nothing was changed")
    if answer["changes"]:
        session.screen.say(f"version {answer['version']} holds within half a minute")


def _changes(session: Session, changes: Json, none: str) -> None:
    session.screen.table(("place", "change"), changes.items(), none=none)


COMMANDS = (config,)
