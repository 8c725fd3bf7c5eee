"""`sluice status`: does it work, what is in the way, and what is connected."""

from typing import Any

import click

from sluice_command.asking import WORKING
from sluice_command.errors import ApiError, NotNow
from sluice_command.options import Command, pass_session
from sluice_command.session import Session
from sluice_command.times import clock

Json = dict[str, Any]


@click.command(cls=Command)
@pass_session
def status(session: Session) -> int:
    """Show how the stage fares: its health, queues with the problems first, and the connected accounts.

    Exit code 1 when something is wrong: a queue is failing or backlogged, an account does not work, or the stage says
    that it is degraded.
    """
    health = _health(session)
    overview = _allowed(session, "/v1/operator/overview")
    seen = _allowed(session, "/v1/accounts")
    accounts = (seen or {"accounts": []})["accounts"]
    bad = [
        *(overview or {}).get("problems", []),
        *(one["account"] for one in accounts if one["status"] not in WORKING),
    ]
    session.screen.json({"health": health, "overview": overview, "accounts": accounts})
    session.screen.fields(
        [
            ("stage", f"{session.stage.name}, {session.stage.url}"),
            ("health", health["status"]),
            ("because", health.get("message")),
            ("scheduler ran", f"{health['ageSeconds']} s ago" if "ageSeconds" in health else None),
            ("configuration", health.get("configuration")),
            ("jobs", _jobs(overview) if overview else None),
        ]
    )
    if overview:
        queues = sorted(overview["queues"], key=lambda one: (one["queue"] not in overview["problems"], one["queue"]))
        session.screen.table(("queue", "health", "jobs", "oldest due", "p95 delay"), map(_queue, queues))
    session.screen.table(
        ("account", "status", "reason"),
        [(one["account"], one["status"], one["reason"]) for one in accounts],
        none="no marketplace is connected: `sluice connect stockx|alias|ebay`" if seen else "",
    )
    return 1 if bad or health["status"] != "ok" else 0


def _health(session: Session) -> Json:
    """What the stage says of itself; `down` when it says that it does not work."""
    try:
        found: Json = session.api.get("/health")
    except NotNow as error:
        if "error" not in error.body:
            raise
        return {"status": "down", "message": error.body["error"]["message"]}
    return found


def _allowed(session: Session, path: str) -> Json | None:
    """What is at `path`; None where this caller may not see it."""
    try:
        found: Json = session.api.get(path)
    except ApiError as error:
        if error.status != 403:
            raise
        return None
    return found


def _jobs(overview: Json) -> str:
    return ", ".join(f"{overview[name]} {name}" for name in ("queued", "running", "waiting", "dead"))


def _queue(one: Json) -> tuple[object, ...]:
    states = ", ".join(f"{number} {name}" for name, number in one["states"].items() if number)
    delay = one["delay"]["p95Ms"]
    shown = f"{delay / 1000:g} s" if delay is not None else None
    return one["queue"], one["health"], states, clock(one["oldestDueAt"]), shown


COMMANDS = (status,)
