"""`sluice inventory`: what you own."""

from typing import Any

import click

from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session
from sluice_command.session import Session

PATH = "/v1/inventory"
Json = dict[str, Any]


@click.command(cls=Command)
@limit_option
@pass_session
def inventory(session: Session, limit: int) -> None:
    """List what you own, with its prices."""
    found = list(rows(session.api, PATH, "items", limit))
    session.screen.json({"items": found})
    session.screen.table(
        ("item", "SKU", "size", "quantity", "asks", "name"),
        [
            (
                one["itemId"],
                one["sku"],
                f"{one['sizeSystem'] or ''} {one['size']}",
                one["quantity"],
                _asks(one),
                one["name"],
            )
            for one in found
        ],
        none="your inventory is empty: `sluice import FILE` fills it",
    )


def _asks(item: Json) -> str:
    """What each marketplace asks for it."""
    return ", ".join(f"{one['marketplace']} {one['ask']} {one['currency']}" for one in item["prices"] if one["ask"])


COMMANDS = (inventory,)
