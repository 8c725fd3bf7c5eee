"""What every command takes: `--json`, `--stage`; and the options and files that several take."""

import json
import sys
from collections.abc import Callable
from typing import Any, TextIO, TypeVar

import click

from sluice_command.moments import Moment
from sluice_command.session import Session

F = TypeVar("F", bound=Callable[..., Any])
MARKETPLACES = ("stockx", "alias", "ebay")
STATES = ("queued", "leased", "waiting", "succeeded", "dead", "cancelled")

pass_session = click.make_pass_decorator(Session, ensure=True)


class Command(click.Command):
    """A command with the options that all have."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params += _shared()


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.params += _shared()


Group.group_class = Group


def _shared() -> list[click.Parameter]:
    return [
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            expose_value=False,
            callback=_take,
            help="Answer with JSON, for machines.",
        ),
        click.Option(
            ["--stage", "stage_name"],
            metavar="STAGE",
            expose_value=False,
            callback=_take,
            help="Work against this stage instead of the chosen one.",
            shell_complete=_stages,
        ),
    ]


def _take(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    if value and parameter.name:
        setattr(context.ensure_object(Session), parameter.name, value)


def _stages(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    from sluice_command import stages

    return [name for name in (*stages.load().stages, stages.LOCAL) if name.startswith(begun)]


def limit_option(function: F) -> F:
    """`--limit`: how many rows of a list."""
    return click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Rows at most.")(
        function
    )


def seconds_option(default: float | None) -> Callable[[F], F]:
    """`--seconds`: how long to wait."""
    shown = "for as long as it takes" if default is None else f"{default:g}"
    return click.option(
        "--seconds", type=click.FloatRange(min=0), default=default, help=f"Wait so long.  [default: {shown}]"
    )


def period_options(what: str) -> Callable[[F], F]:
    """`--since` and `--until`: when it happened. what: begins the help, as `Asked for`."""

    def decorate(function: F) -> F:
        until = click.option("--until", type=Moment(ago=True), metavar="TIME", help=f"{what} before this time.")
        since = click.option(
            "--since",
            type=Moment(ago=True),
            metavar="TIME",
            help=f"{what} then or later: 2h (so long ago), 2026-11-22T12:00:00Z or '2026-11-22 13:00'.",
        )
        return since(until(function))

    return decorate


def marketplace_option(function: F) -> F:
    """`--marketplace`: of one of them."""
    return click.option("--marketplace", type=click.Choice(MARKETPLACES), help="Of this marketplace alone.")(function)


def agreed(question: str, *, yes: bool) -> bool:
    """Whether a person wants it done. yes: the option `--yes`, which agrees at once.

    Raises:
        UsageError: nobody can be asked.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise click.UsageError("add --yes to do it: nobody can be asked here, and nothing was done")
    return click.confirm(question, err=True)


def read_json(file: TextIO) -> object:
    """The JSON that `file` holds.

    Raises:
        UsageError: it holds none.
    """
    try:
        return json.load(file)
    except ValueError as error:
        raise click.UsageError(f"{file.name} holds no JSON: {error}") from None
