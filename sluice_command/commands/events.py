"""`sluice events`: what has happened to your jobs, and with `--follow` what happens now.

It reads the list of jobs, so it needs no webhook. A job that was asked for long ago is followed when it was not over at
the first look, or has been asked for again.
"""

from collections.abc import Iterator
from typing import Any

import click

from sluice_command.asking import OVER
from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session
from sluice_command.session import Session
from sluice_command.times import clock

# Of the jobs that were seen before, so many that are not over are looked at one by one, each time others.
MOST_BY_ONE = 25
COLUMNS = ("at", "event", "job", "what was said")
Json = dict[str, Any]


@click.command(cls=Command)
@click.option("--follow", is_flag=True, help="Go on, and show each change when it happens.")
@click.option(
    "--every",
    type=click.FloatRange(min=1),
    default=2.0,
    show_default=True,
    help="With --follow: seconds between two looks.",
)
@limit_option
@pass_session
def events(session: Session, follow: bool, every: float, limit: int) -> None:
    """Show what has happened to the jobs that were asked for last. With --json each event is a line."""
    session.goes_on = "the jobs go on"
    watched = Watched(session, limit)
    begun = sorted(watched.changes(), key=lambda job: job["updatedAt"])
    for job in begun:
        session.screen.line_of_json(_event(job))
    session.screen.table(COLUMNS, map(_row, begun), none="no job was asked for yet")
    if follow:
        session.follow(
            lambda: list(watched.changes()), lambda _: False, lambda found: _show(session, found), every=every
        )


class Watched:
    """Jobs, and what each was when it was seen last."""

    def __init__(self, session: Session, limit: int) -> None:
        self._session = session
        self._limit = limit
        self._seen: dict[str, str] = {}
        self._open: list[str] = []

    def changes(self) -> Iterator[Json]:
        """The jobs that are new, or have changed since they were seen."""
        api = self._session.api
        listed = list(rows(api, "/v1/jobs", "jobs", self._limit))
        shown = {job["jobId"] for job in listed}
        others = [job_id for job_id in self._open if job_id not in shown]
        for job in (*listed, *(api.job(job_id) for job_id in others[:MOST_BY_ONE])):
            if self._seen.get(job["jobId"]) != job["updatedAt"]:
                self._seen[job["jobId"]] = job["updatedAt"]
                yield job
            if job["state"] in OVER and job["jobId"] in self._open:
                self._open.remove(job["jobId"])
            elif job["state"] not in OVER and job["jobId"] not in self._open:
                self._open.append(job["jobId"])
        # Those that were looked at one by one go behind the others.
        looked = [job_id for job_id in others[:MOST_BY_ONE] if job_id in self._open]
        self._open = [job_id for job_id in self._open if job_id not in looked] + looked


def _show(session: Session, found: list[Json]) -> None:
    for job in sorted(found, key=lambda one: str(one["updatedAt"])):
        session.screen.line_of_json(_event(job))
        session.screen.row(_row(job))


def _event(job: Json) -> Json:
    """As a webhook would tell it, as far as a job knows."""
    names = ("jobId", "kind", "state", "attempts", "result", "error")
    return {"type": f"job.{job['state']}", "at": job["updatedAt"], **{name: job[name] for name in names}}


def _row(job: Json) -> tuple[object, ...]:
    return clock(job["updatedAt"]), f"job.{job['state']}", job["jobId"], (job["error"] or {}).get("message")


COMMANDS = (events,)
