"""`sluice golden`: price the ten SKUs of the golden set on a stage, and show for each whether it worked."""

from collections.abc import Sequence
from contextlib import suppress

import click

from sluice_command import asking
from sluice_command.asking import Asked
from sluice_command.errors import ExitCode, GivenUp
from sluice_command.golden_set import items
from sluice_command.options import MARKETPLACES, Command, pass_session, seconds_option
from sluice_command.screen import Bar
from sluice_command.session import Session
from sluice_command.times import age

COLUMNS = ("", "SKU", "size", "marketplace", "state", "ask", "bid", "age", "why not")


@click.command(cls=Command)
@click.argument("marketplaces", metavar="[MARKETPLACE]...", nargs=-1, type=click.Choice(MARKETPLACES))
@seconds_option(600)
@pass_session
def golden(session: Session, marketplaces: Sequence[str], seconds: float) -> int:
    """Price the ten SKUs of the golden set at each connected marketplace, or at those named.

    Exit code 0 when all have a price, 1 when one has not, with the reason in its row.
    """
    session.goes_on = "the prices that were asked for are fetched all the same; `sluice jobs` shows them"
    wanted = marketplaces or asking.connected(session.api)
    checks = asking.ask(session.api, [item for marketplace in wanted for item in items(marketplace)])
    with session.screen.bar("prices") as bar, suppress(GivenUp):  # each row says what it waits for
        session.follow(
            lambda: asking.look(session.api, checks),
            lambda _: all(one.over for one in checks),
            lambda _: _show(bar, checks),
            seconds,
        )
    return report(session, checks)


def report(session: Session, checks: Sequence[Asked]) -> int:
    """Say what became of each; returns the exit code."""
    failed = sum(not one.passed for one in checks)
    rows = [
        {"passed": one.passed, **one.item, "state": one.state, "price": one.price or None, "why": one.why or None}
        for one in checks
    ]
    session.screen.json({"failed": failed, "checks": rows})
    session.screen.table(COLUMNS, map(_row, checks))
    session.screen.say(f"FAILED: {failed} of {len(checks)}" if failed else f"OK: {_told(checks)}")
    return ExitCode.FAILED if failed else ExitCode.OK


def _told(checks: Sequence[Asked]) -> str:
    fresh, all_ = sum(one.fresh for one in checks), f"all {len(checks)} have a price"
    if fresh == len(checks):
        return f"{all_}; there was nothing to fetch: each was fetched minutes ago"
    return f"{all_}; {fresh} of them were fetched minutes ago, and not again" if fresh else all_


def _show(bar: Bar, checks: Sequence[Asked]) -> None:
    bar.show(sum(one.over for one in checks), len(checks))


def _row(one: Asked) -> tuple[object, ...]:
    verdict = "pass" if one.passed else "FAIL"
    size = f"{one.item['sizeSystem']} {one.item['size']}"
    price = one.price
    return (
        verdict,
        one.item["sku"],
        size,
        one.item["marketplace"],
        one.state,
        price.get("ask"),
        price.get("bid"),
        age(price.get("observedAt")),
        one.why,
    )


COMMANDS = (golden,)
