"""`sluice import`, `inventory`: what you own."""

from pathlib import Path
from typing import Any

import click

from sluice_command.api import segment
from sluice_command.errors import ApiError, ExitCode
from sluice_command.lists import rows
from sluice_command.options import Command, limit_option, pass_session, seconds_option
from sluice_command.session import Session

PATH = "/v1/inventory"
JSON, CSV = "application/json", "text/csv"
# Of the refused rows so many are shown; `--json` has them all.
MOST_SHOWN = 20
Json = dict[str, Any]


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--watch", is_flag=True, help="Follow it until every row is stored.")
@seconds_option(None)
@pass_session
def import_(session: Session, file: Path, watch: bool, seconds: float | None) -> int:
    """Add the items in FILE to your inventory: CSV with a heading, or JSON where its name ends with .json.

    Sent again, the same file goes on where it was. Exit code 1 when rows are refused; the others are stored.
    """
    kind = JSON if file.suffix.lower() == ".json" else CSV
    try:
        found: Json = session.api.upload(f"{PATH}/import", file.read_bytes(), kind)
    except ApiError as error:
        if "refused" not in error.body:
            raise
        _refused(session, error.body["refused"])
        raise
    session.goes_on = "the rows are stored all the same; sending the file again shows how far it is"
    if watch and found["status"] != "done":
        with session.screen.bar("rows") as bar:
            found = session.follow(
                lambda: session.api.get(f"{PATH}/imports/{segment(found['importId'])}"),
                lambda one: bool(one["status"] == "done"),
                lambda one: bar.show(one["created"] + one["existing"] + one["kept"], one["accepted"]),
                seconds,
            )
    session.screen.json(found)
    session.screen.fields(
        [
            ("import", found["importId"]),
            ("status", found["status"]),
            ("rows", f"{found['rows']}: {found['accepted']} accepted, {found['refusedRows']} refused"),
            ("stored", f"{found['created']} new, {found['existing']} known, {found['kept']} left as they are"),
            ("prices asked for", found["refreshes"]),
            ("problems", "; ".join(found["problems"])),
        ]
    )
    _refused(session, found["refused"])
    return ExitCode.FAILED if found["refusedRows"] or found["problems"] else ExitCode.OK


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


def _refused(session: Session, refused: list[Json]) -> None:
    for row in refused[:MOST_SHOWN]:
        why = "; ".join(f"{one['field']} {one['message']}" for one in row["fields"])
        place = f"line {row['line']}" if "line" in row else f"item {row['index']}"
        session.screen.note(f"{place} refused: {why}")
    if len(refused) > MOST_SHOWN:
        session.screen.note(f"and {len(refused) - MOST_SHOWN} more; --json has them all")


COMMANDS = (import_, inventory)
