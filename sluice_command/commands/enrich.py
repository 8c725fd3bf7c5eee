"""`sluice enrich`: have the products that are old, or lack a name or a picture, looked up again."""

from typing import Any

import click

from sluice_command.errors import ExitCode
from sluice_command.options import Command, pass_session
from sluice_command.session import Session

PATH = "/v1/catalog/enrichment"
LOOK_SECONDS = 3.0
Json = dict[str, Any]


@click.command(cls=Command)
@pass_session
def enrich(session: Session) -> int:
    """Have the products that are old, or lack a name or a picture, looked up again, and show how far it is.

    The stage does the work, in its own budgets. Stopping this command stops only the watching; begun again, it goes on.
    """
    session.goes_on = "the look-ups that wait go on; `sluice enrich` goes on with the rest"
    with session.screen.bar("products") as bar:
        begun = [session.api.post(PATH, {})]

        def look() -> Json:
            found: Json = begun.pop() if begun else session.api.get(PATH)
            while found["state"] == "ready":
                found = session.api.post(PATH, {})
            return found

        found = session.follow(
            look,
            lambda found: bool(found["state"] == "finished"),
            lambda found: bar.show(found["done"], found["products"], f"products{_waits(found)}"),
            every=LOOK_SECONDS,
        )
    return report(session, found)


def report(session: Session, found: Json) -> int:
    """Say how it ended; returns the exit code."""
    session.screen.json(found)
    for marketplace, count in found["noAccount"].items():
        session.screen.say(
            f"products that nobody could be asked for: {count}; "
            f"connect a working {marketplace} account (`sluice connect {marketplace}`)"
        )
    if found["failed"]:
        session.screen.say(
            f"FAILED: look-ups that failed: {found['failed']}; `sluice dead --kind catalog.enrich` says why"
        )
        return ExitCode.FAILED
    if not found["products"]:
        session.screen.say("OK: nothing to do: no product is old, and none lacks a name or a picture")
        return ExitCode.OK
    session.screen.say(f"OK: {found['done']} products dealt with")
    return ExitCode.OK


def _waits(found: Json) -> str:
    return "".join(f"; {wait['marketplace']} waits: {wait['message']}" for wait in found["waits"])


COMMANDS = (enrich,)
