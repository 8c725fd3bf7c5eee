"""`sluice import`: files of what you own, or of how your eBay listings are to be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import click

from sluice_command.api import segment
from sluice_command.errors import ApiError, ExitCode
from sluice_command.options import Command, pass_session, seconds_option
from sluice_command.session import Session

JSON, CSV = "application/json", "text/csv"
# Of the refused rows so many are shown; `--json` has them all.
MOST_SHOWN = 20
Json = dict[str, Any]


class Target(NamedTuple):
    """Where rows go. path: takes a file. progress: shows an import, by its id behind it.

    done, all: rows that are done, of how many. fields: what is told of an import. problems: why some was not done.
    """

    path: str
    progress: str
    done: Callable[[Json], int]
    all: Callable[[Json], int]
    fields: Callable[[Json], list[tuple[str, object]]]
    problems: Callable[[Json], list[str]]


def _items(found: Json) -> list[tuple[str, object]]:
    return [
        ("rows", f"{found['rows']}: {found['accepted']} accepted, {found['refusedRows']} refused"),
        ("stored", f"{found['created']} new, {found['existing']} known, {found['kept']} left as they are"),
        ("prices asked for", found["refreshes"]),
        ("problems", "; ".join(found["problems"])),
    ]


def _records(found: Json) -> list[tuple[str, object]]:
    return [
        ("rows", f"{found['rows']}: {found['refusedRows']} refused, {found['waiting']} not stored yet"),
        (
            "stored",
            f"{found['queued']} to be published, {found['stored']} with nothing to publish, "
            f"{found['unchanged']} unchanged, {found['kept']} left as they are",
        ),
    ]


TARGETS = {
    "inventory": Target(
        "/v1/inventory/import",
        "/v1/inventory/imports",
        lambda one: int(one["created"] + one["existing"] + one["kept"]),
        lambda one: int(one["accepted"]),
        _items,
        lambda one: list(one["problems"]),
    ),
    "ebay": Target(
        "/v1/ebay/listings/import",
        "/v1/ebay/imports",
        lambda one: int(one["rows"] - one["waiting"]),
        lambda one: int(one["rows"]),
        _records,
        lambda _: [],
    ),
}


@click.command("import", cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--into", type=click.Choice(list(TARGETS)), default="inventory", help="What the rows are.")
@click.option("--watch", is_flag=True, help="Follow it until every row is stored.")
@seconds_option(None)
@pass_session
def import_(session: Session, file: Path, into: str, watch: bool, seconds: float | None) -> int:
    """Add the items in FILE to your inventory, or store its records of eBay listings (`--into ebay`).

    FILE is CSV with a heading, or JSON where its name ends with .json. Sent again, the same file goes on where it was.
    Exit code 1 when rows are refused; the others are stored.
    """
    target = TARGETS[into]
    kind = JSON if file.suffix.lower() == ".json" else CSV
    try:
        found: Json = session.api.upload(target.path, file.read_bytes(), kind)
    except ApiError as error:
        if "refused" not in error.body:
            raise
        _refused(session, error.body["refused"])
        raise
    session.goes_on = "the rows are stored all the same; sending the file again shows how far it is"
    if watch and found["status"] != "done":
        with session.screen.bar("rows") as bar:
            found = session.follow(
                lambda: session.api.get(f"{target.progress}/{segment(found['importId'])}"),
                lambda one: bool(one["status"] == "done"),
                lambda one: bar.show(target.done(one), target.all(one)),
                seconds,
            )
    session.screen.json(found)
    session.screen.fields([("import", found["importId"]), ("status", found["status"]), *target.fields(found)])
    _refused(session, found["refused"])
    return ExitCode.FAILED if found["refusedRows"] or target.problems(found) else ExitCode.OK


def _refused(session: Session, refused: list[Json]) -> None:
    for row in refused[:MOST_SHOWN]:
        why = "; ".join(f"{one['field']} {one['message']}" for one in row["fields"])
        place = f"line {row['line']}" if "line" in row else f"item {row['index']}"
        session.screen.note(f"{place} refused: {why}")
    if len(refused) > MOST_SHOWN:
        session.screen.note(f"and {len(refused) - MOST_SHOWN} more; --json has them all")


COMMANDS = (import_,)
