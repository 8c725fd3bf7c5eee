"""`sluice price`: a fresh price of a SKU in a size, at one marketplace or at all."""

from collections.abc import Iterable, Sequence
from typing import Any

import click

from sluice_command import asking
from sluice_command.asking import Asked
from sluice_command.errors import ExitCode
from sluice_command.options import MARKETPLACES, Command, pass_session, seconds_option
from sluice_command.session import Session
from sluice_command.times import age

COLUMNS = ("marketplace", "size", "ask", "bid", "currency", "age", "why not")
Json = dict[str, Any]


@click.command(cls=Command)
@click.argument("sku")
@click.argument("size")
@click.option(
    "--marketplace",
    "marketplaces",
    multiple=True,
    type=click.Choice(MARKETPLACES),
    help="At this one; may be given several times.  [default: all that are connected]",
)
@click.option(
    "--system", metavar="SYSTEM", help="The size's system, such as us, us-w or eu.  [default: as the size says]"
)
@click.option("--currency", default="USD", show_default=True)
@click.option("--force", is_flag=True, help="Fetch it even if the stored price is fresh.")
@click.option("--stored", is_flag=True, help="Show what is stored, and fetch nothing.")
@click.option("--watch", is_flag=True, help="Go on, and show the price each time that it has changed.")
@click.option(
    "--every",
    type=click.FloatRange(min=10),
    default=60.0,
    show_default=True,
    help="With --watch: seconds between two requests.",
)
@seconds_option(300)
@pass_session
def price(
    session: Session,
    sku: str,
    size: str,
    marketplaces: Sequence[str],
    system: str | None,
    currency: str,
    force: bool,
    stored: bool,
    watch: bool,
    every: float,
    seconds: float,
) -> int:
    """Fetch the price of SKU in SIZE, before all work that waits in the background, and show it.

    Exit code 1 when a marketplace gives none; its row says why.
    """
    item = {"sku": sku, "size": size, "currency": currency, **({"sizeSystem": system} if system else {})}
    if stored:
        return _stored(session, item, marketplaces)
    session.goes_on = "the price is fetched all the same; `sluice price --stored` shows it"
    wanted = marketplaces or asking.connected(session.api)
    items = [{**item, "marketplace": one, "priority": "manual", "force": force} for one in wanted]
    asked = _fetch(session, items, seconds)
    _show(session, asked)
    if watch:
        _watch(session, items, asked, every, seconds)
    return ExitCode.OK if all(one.passed for one in asked) else ExitCode.FAILED


def _fetch(session: Session, items: Iterable[Json], seconds: float) -> list[Asked]:
    asked = asking.ask(session.api, items)
    with session.screen.bar("prices") as bar:
        session.follow(
            lambda: asking.look(session.api, asked),
            lambda _: all(one.over for one in asked),
            lambda _: bar.show(
                sum(one.over for one in asked), len(asked), next((one.waits for one in asked if not one.over), "")
            ),
            seconds,
        )
    return asked


def _watch(session: Session, items: Sequence[Json], asked: Sequence[Asked], every: float, seconds: float) -> None:
    """Ask again and again, and show what has changed. Ends by the keyboard."""
    session.goes_on = "nothing more is asked for"
    last = {one.item["marketplace"]: _amounts(one) for one in asked}
    while True:
        session.rest(every)
        fresh = _fetch(session, items, seconds)
        changed = [one for one in fresh if _amounts(one) != last.get(one.item["marketplace"])]
        last |= {one.item["marketplace"]: _amounts(one) for one in fresh}
        if changed:
            _show(session, changed)


def _amounts(one: Asked) -> tuple[object, ...]:
    return one.price.get("ask"), one.price.get("bid"), one.why


def _stored(session: Session, item: Json, marketplaces: Sequence[str]) -> int:
    found = [one for one in asking.stored(session.api, item) if not marketplaces or one["marketplace"] in marketplaces]
    session.screen.json({"prices": found})
    session.screen.table(
        COLUMNS, [_row(one, "") for one in found], none="no price is stored: leave --stored out to fetch it"
    )
    return ExitCode.OK if found else ExitCode.FAILED


def _show(session: Session, asked: Sequence[Asked]) -> None:
    session.screen.line_of_json({"prices": [one.price for one in asked if one.price], "missing": _missing(asked)})
    rows = [_row(one.price or {**one.item, "sizeSystem": one.item.get("sizeSystem", "")}, one.why) for one in asked]
    session.screen.table(COLUMNS, rows)


def _missing(asked: Sequence[Asked]) -> dict[str, str]:
    return {one.item["marketplace"]: one.why for one in asked if not one.passed}


def _row(found: Json, why: str) -> tuple[object, ...]:
    size = f"{found['sizeSystem']} {found['size']}".strip()
    return (
        found["marketplace"],
        size,
        found.get("ask"),
        found.get("bid"),
        found["currency"],
        age(found.get("observedAt")),
        why,
    )


COMMANDS = (price,)
