"""`sluice checks`: begin a run of page checks and follow it; see how checks went."""

from typing import Any

import click

from sluice_command.errors import ExitCode
from sluice_command.lists import rows
from sluice_command.options import Command, Group, limit_option, pass_session, seconds_option
from sluice_command.session import Session
from sluice_command.times import age

CHECKS = "/v1/operator/checks"
GOOD = ("product", "unchanged")
# A run of 50 pages at one slow shop, with what is tried again.
MOST_SECONDS = 900.0
COLUMNS = ("age", "status", "ms", "page", "about")
# No command tracks a page.
NONE_YET = (
    "no page was checked yet: `sluice checks run` checks those that are due; "
    "a page is tracked on the dashboard, under Product pages"
)
Json = dict[str, Any]


@click.group(cls=Group)
def checks() -> None:
    """Checks of product pages: run them now, or see how they went."""


@checks.command(cls=Command)
@seconds_option(MOST_SECONDS)
@pass_session
def run(session: Session, seconds: float) -> int:
    """Check every page that is due, now, and show how it goes. For a shell or cron.

    Exit code 0 when every page was read, 1 when some were not, or not in time.
    """
    session.goes_on = "the checks that were asked for go on; `sluice checks recent` shows them"
    begun = session.api.post(f"{CHECKS}/run-now", {})
    wanted = set(begun["products"])
    session.screen.note(
        f"run {begun['run']}: {len(wanted)} pages are due, {begun['waiting']} wait already, "
        f"{begun['leftAlone']} are left alone because their shops take no requests just now"
    )
    found: dict[str, Json] = {}

    def look() -> None:
        for product in wanted - found.keys():
            if last := _over(session, product, begun["run"]):
                found[product] = last

    if wanted:
        with session.screen.bar("pages") as bar:
            session.follow(look, lambda _: found.keys() == wanted, lambda _: bar.show(len(found), len(wanted)), seconds)
    return report(session, begun, list(found.values()))


def report(session: Session, begun: Json, found: list[Json]) -> int:
    """Say how it went; returns the exit code."""
    session.screen.json({"run": begun["run"], "checks": found})
    session.screen.table(COLUMNS, map(_row, found))
    bad = sum(one["status"] not in GOOD for one in found)
    if bad:
        session.screen.say(f"FAILED: {bad} of {len(found)} pages could not be read")
        return ExitCode.FAILED
    session.screen.say(f"OK: {len(found)} pages read" if found else "OK: nothing to do: no page is due")
    return ExitCode.OK


@checks.command(cls=Command)
@limit_option
@pass_session
def recent(session: Session, limit: int) -> None:
    """Show the last checks, newest first."""
    found = list(rows(session.api, f"{CHECKS}/recent", "checks", limit))
    session.screen.json({"checks": found})
    session.screen.table(COLUMNS, map(_row, found), none=NONE_YET)


def _over(session: Session, product: str, run: str) -> Json | None:
    """The last check of a page in this run, unless it is tried again."""
    last: list[Json] = session.api.get(f"{CHECKS}/recent", product=product, limit=10)["checks"]
    own = [one for one in last if one["run"] == run]
    return own[0] if own and not own[0]["again"] else None


def _row(one: Json) -> tuple[object, ...]:
    why = one["about"] or one["error"] if one["status"] not in GOOD else ""
    return (
        age(one["startedAt"]),
        one["status"],
        one["durationMs"],
        one["url"],
        why,
    )


COMMANDS = (checks,)
