"""`sluice budgets`: what the marketplaces allow, what is used, and when the work will be done."""

from typing import Any

import click

from sluice_command.api import segment
from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session
from sluice_command.session import Session
from sluice_command.times import clock

PATH = "/v1/operator/budgets"
Json = dict[str, Any]


@click.command(cls=Command)
@click.argument("budget", required=False)
@click.option("--tenant", help="For the role platform: of this tenant.")
@click.option("--days", type=click.IntRange(1, 35), default=7, show_default=True, help="Of BUDGET: so many days back.")
@limit_option
@pass_session
def budgets(session: Session, budget: str | None, tenant: str | None, days: int, limit: int) -> None:
    """List budgets: calls used and allowed, what holds them, and when the work that waits will be done.

    With BUDGET: show its calls by day.
    """
    if budget:
        _history(session, session.api.get(f"{PATH}/{segment(budget)}/history", days=days, tenant=tenant))
        return
    found = list(rows(session.api, PATH, "budgets", limit, tenant=tenant))
    session.screen.json({"budgets": found})
    session.screen.table(
        ("budget", "used", "one call each", "set by", "queued", "done by", "held"),
        map(_row, found),
        none="there is no budget: no marketplace is connected",
    )


def _row(one: Json) -> tuple[object, ...]:
    used = ", ".join(f"{each['used']} of {each['limit']} {_each(each['window'])}" for each in one["windows"])
    by = ", ".join(sorted(set(one["setBy"].values()) - {"default"})) or "default"
    hold = (one["hold"] or {}).get("message")
    done = clock(one["endsAt"]) or ("not within 30 days" if one["queued"] else None)
    return one["budget"], used, f"{one['paceMs']} ms", by, one["queued"], done, hold


def _each(window: str) -> str:
    return {"hour": "an hour", "day": "a day"}.get(window, f"in any {window}")


def _history(session: Session, found: Json) -> None:
    session.screen.json(found)
    session.screen.table(
        ("day", "calls", "fullest hour"),
        [(day["day"], day["calls"], max(day["hours"].values(), default=0)) for day in found["days"]],
        none=f"no call of {found['budget']} is known",
    )


COMMANDS = (budgets,)
