"""`sluice cancel`, `retry`, `raise`, `reset`, `replay`, `acknowledge`, `actions`: acting on one thing, or on many.

What matches is counted and shown first, and a person agrees before anything is done (`--yes` agrees at once).
"""

from collections.abc import Callable, Sequence
from typing import Any

import click

from sluice_command.api import segment
from sluice_command.commands.jobs import filters, named
from sluice_command.errors import ExitCode
from sluice_command.lists import rows
from sluice_command.options import (
    Command,
    Group,
    agreed,
    limit_option,
    marketplace_option,
    pass_session,
    period_options,
)
from sluice_command.screen import counts
from sluice_command.session import Session
from sluice_command.times import clock

ACTIONS = "/v1/operator/actions"
GOOD = ("done", "already")
Json = dict[str, Any]
Decorator = Callable[[Any], Any]


def _on_jobs(name: str, about: str, *more: Decorator) -> click.Command:
    """A command that acts on jobs."""
    return _acting(name, about, "jobIds", click.argument("ids", metavar="[JOB]...", nargs=-1), filters, *more)


def _on_letters(name: str, about: str) -> click.Command:
    """A command that acts on dead letters."""
    return _acting(
        name,
        about,
        "letterIds",
        click.argument("ids", metavar="[LETTER]...", nargs=-1),
        click.option("--kind", help="Those of this kind, such as market.refresh."),
        marketplace_option,
        click.option("--code", help="Those whose error has this code."),
        period_options("Died"),
        click.option("--tenant", help="For the role platform: of this tenant."),
    )


_YES = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")
_REASON = click.option("--reason", metavar="TEXT", help="Why, for the audit log.")
_PRIORITY = click.option("--priority", type=click.Choice(("hot", "manual")), default="hot", show_default=True)


def _acting(name: str, about: str, names: str, *decorators: Decorator) -> click.Command:
    """A command for the action `name`. names: the action's field for `ids`. decorators: what it takes besides."""

    def run(session: Session, ids: Sequence[str], yes: bool, reason: str | None, **wanted: str | None) -> int:
        priority = wanted.pop("priority", None)
        body = {"action": name, "reason": reason, "priority": priority, "tenant": wanted.pop("tenant", None)}
        return act(session, body, names, ids, named(wanted), yes=yes)

    run.__doc__ = about
    made: Any = pass_session(run)
    for decorator in reversed((*decorators, _YES, _REASON)):
        made = decorator(made)
    command: click.Command = click.command(name, cls=Command)(made)
    return command


cancel = _on_jobs("cancel", "Take jobs back that have not begun: those named, or all that match the filters.")
retry = _on_jobs("retry", "Have jobs tried now, whatever their backoff: those named, or all that match the filters.")
raise_ = _on_jobs("raise", "Put jobs before others: those named, or all that match the filters.", _PRIORITY)
reset = _on_jobs(
    "reset", "Have failed jobs begin anew, with all their attempts: those named, or all that match the filters."
)
replay = _on_letters(
    "replay", "Have the work of dead letters done once more: those named, or all open ones that match."
)
acknowledge = _on_letters(
    "acknowledge", "Say that nothing is to be done about dead letters: those named, or all open ones that match."
)


def act(session: Session, body: Json, names: str, ids: Sequence[str], wanted: Json, *, yes: bool) -> int:
    """Count what it is about, ask, do it, and follow it to its end; returns the exit code.

    body: of the action. names: the field for `ids`. wanted: the filter, where no ids are given.
    """
    if ids and wanted:
        raise click.UsageError("name what is meant, or filter for it, not both")
    if not ids and not wanted:
        raise click.UsageError("say what is meant: ids, or at least one filter; this would be everything there is")
    body = {name: value for name, value in body.items() if value is not None}
    body |= {names: list(ids)} if ids else {"filter": wanted}
    total = len(ids)
    if wanted and not (total := _agreed(session, body, yes=yes)):
        return ExitCode.OK
    answer = session.api.post(ACTIONS, {**body, "dryRun": False})["action"]
    return _follow(session, answer, total)


def _agreed(session: Session, body: Json, *, yes: bool) -> int:
    """To how many things it is to be done, at least, now that a person has seen it; 0 if it is not to be done."""
    found = session.api.post(ACTIONS, body)["counted"]
    many = f"{'at least ' if found['atLeast'] else ''}{found['matched']}"
    if not found["matched"]:
        session.screen.note("nothing matches; nothing was done")
        session.screen.json({"matched": 0, "action": None})
        return 0
    session.screen.note(f"{body['action']}: {many} match, such as")
    for one in found["sample"]:
        session.screen.note(f"  {one['jobId']}")
    matched: int = found["matched"]
    return matched if agreed(f"{body['action']} {many}?", yes=yes) else 0


def _follow(session: Session, action: Json, total: int = 0) -> int:
    """Follow an action to its end, and say what became of it. total: how many things it is about; 0: not known."""
    action_id = action["actionId"]
    session.goes_on = (
        f"it goes on; `sluice actions show {action_id}` shows it, `sluice actions stop {action_id}` stops it"
    )
    with session.screen.bar(action["action"]) as bar:
        begun = [action]

        def look() -> Json:
            found: Json = begun.pop() if begun else session.api.get(f"{ACTIONS}/{segment(action_id)}")
            return found

        action = session.follow(
            look,
            lambda found: bool(found["state"] != "running"),
            lambda found: bar.show(sum(found["outcomes"].values()), total, counts(found["outcomes"])),
        )
    return _tell(session, action)


def _tell(session: Session, action: Json) -> int:
    session.screen.json({"action": action})
    by = f" by {action['stoppedBy']}" if action["state"] == "stopped" and action.get("stoppedBy") else ""
    session.screen.say(f"{action['action']} {action['state']}{by}: {counts(action['outcomes'])}")
    bad = [one for one in action["changes"] if one["outcome"] not in GOOD]
    for one in bad:
        session.screen.say(f"  {one['outcome']}: {one['id']}")
    well = action["state"] == "finished" and all(word in GOOD for word in action["outcomes"])
    return ExitCode.OK if well else ExitCode.FAILED


@click.group(cls=Group, invoke_without_command=True)
@click.pass_context
@click.option("--subject", help="What they did, as their issuer names them.")
@click.option("--action", help="Where this was done, such as cancel.")
@click.option("--tenant", help="For the role platform: of this tenant.")
@period_options("Begun")
@limit_option
@pass_session
def actions(session: Session, context: click.Context, /, limit: int, **wanted: str | None) -> None:
    """What operators did, the newest first: the audit log."""
    if context.invoked_subcommand:
        return
    found = list(rows(session.api, ACTIONS, "actions", limit, **named(wanted)))
    session.screen.json({"actions": found})
    session.screen.table(
        ("action", "at", "who", "did", "state", "outcomes", "reason"),
        [
            (
                one["actionId"],
                clock(one["createdAt"]),
                one["subject"],
                one["action"],
                one["state"],
                counts(one["outcomes"]),
                one["reason"],
            )
            for one in found
        ],
        none="nobody has acted yet",
    )


@actions.command(cls=Command)
@click.argument("action_id", metavar="ACTION")
@pass_session
def show(session: Session, action_id: str) -> int:
    """Show ACTION, and follow it to its end if it runs."""
    return _follow(session, session.api.get(f"{ACTIONS}/{segment(action_id)}"))


@actions.command(cls=Command)
@click.argument("action_id", metavar="ACTION")
@pass_session
def stop(session: Session, action_id: str) -> int:
    """Stop ACTION before its next page. What was done stays done."""
    return _follow(session, session.api.post(f"{ACTIONS}/{segment(action_id)}/stop", {}))


COMMANDS = (cancel, retry, raise_, reset, replay, acknowledge, actions)
