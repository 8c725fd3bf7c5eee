"""`sluice events`: what has happened, and with `--follow` what happens now.

It reads the stage's event feed (docs/events.md). Events reach it within seconds, and not always in the order of their
times, so whoever follows reads again what is young, and tells apart by their ids what was shown already.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session, period_options
from sluice_command.session import Session
from sluice_command.times import clock

# How late an event may reach the feed and is still shown to who follows it. After an outage the list alone has it.
YOUNG = timedelta(minutes=2)
COLUMNS = ("at", "event", "about", "what was said")
# What an event is about: the first of these that it names.
ABOUT = ("jobId", "sku", "listingId", "label", "pageId", "webhookId", "marketplace", "day")
Json = dict[str, Any]


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Go on, and show each event when it happens. Ctrl-C ends it.")
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=2.0,
    show_default=True,
    help="With --follow: seconds between two looks.",
)
@click.option("--type", "kind", metavar="TYPE", help="Of this type, such as job.dead; or of a group, such as listing.")
@period_options("Happened")
@limit_option
@pass_session
def events(
    session: Session, follow: bool, every: float, kind: str | None, since: str | None, until: str | None, limit: int
) -> None:
    """Show what has happened, the newest last: jobs that ended, listings, accounts, product pages.

    With --json each event is a line. `sluice jobs` lists the jobs themselves, also those that are not over.
    """
    if follow and until:
        raise click.UsageError("--until ends before now, and --follow goes on: use one of both")
    session.goes_on = "your work goes on"
    feed = Feed(session, kind, since)
    begun = feed.newest(limit, until)
    for one in begun:
        session.screen.line_of_json(one)
    session.screen.table(COLUMNS, map(_row, begun), none="nothing has happened yet that matches")
    if follow:
        session.follow(lambda: list(feed.news()), lambda _: False, lambda found: _show(session, found), every=every)


class Feed:
    """The stage's event feed, and what of it was shown."""

    def __init__(self, session: Session, kind: str | None, since: str | None) -> None:
        self._session = session
        self._kind = kind
        self._since = since
        self._shown: dict[str, str] = {}

    def newest(self, limit: int, until: str | None) -> list[Json]:
        """The newest events, `limit` at most, the oldest of them first."""
        found = list(self._read(limit, self._since, until))[::-1]
        if len(found) == limit:
            # What is older was not asked for, and is no news later.
            self._since = found[0]["at"]
        self._note(found)
        return found

    def news(self) -> Iterator[Json]:
        """What was not shown yet, the oldest first."""
        found = [one for one in self._read(None, self._from(), None) if _key(one) not in self._shown][::-1]
        self._note(found)
        yield from found

    def _read(self, limit: int | None, since: str | None, until: str | None) -> Iterator[Json]:
        query = {"type": self._kind, "from": since, "to": until}
        return rows(self._session.api, "/v1/events", "events", limit, **query)

    def _from(self) -> str | None:
        """From when on something may have come that was not shown."""
        if not self._shown:
            return self._since
        young = (_time(max(self._shown.values())) - YOUNG).isoformat()
        return max(young, self._since, key=_time) if self._since else young

    def _note(self, found: list[Json]) -> None:
        """These were shown. What is so old that it is read no more is forgotten."""
        self._shown |= {_key(one): one["at"] for one in found}
        if self._shown:
            oldest = _time(max(self._shown.values())) - YOUNG
            self._shown = {key: at for key, at in self._shown.items() if _time(at) >= oldest}


def _key(event: Json) -> str:
    return f"{event['type']} {event['eventId']}"


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)


def _show(session: Session, found: list[Json]) -> None:
    for one in found:
        session.screen.line_of_json(one)
        session.screen.row(_row(one))


def _row(event: Json) -> tuple[object, ...]:
    data = event["data"]
    about = next((name for name in ABOUT if data.get(name)), "")
    known = (event["type"].partition(".")[2], data.get(about))
    return clock(event["at"]), event["type"], data.get(about), _said(data, known)


def _said(data: Json, known: Sequence[object]) -> str:
    """What is worth a line of it: why it failed or happened, else what came of it, else its values.

    known: values that stand in the line already.
    """
    error, reason = data.get("error") or {}, str(data.get("reason") or "")
    if said := error.get("message") or (reason if " " in reason else ""):  # a word alone explains nothing
        return str(said)
    told = (data["result"] or {}) if "result" in data else data
    shown = {key: value for key, value in told.items() if isinstance(value, str | int | float) and value not in known}
    return ", ".join(f"{key} {value}" for key, value in shown.items())


COMMANDS = (events,)
