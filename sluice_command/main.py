"""The command's top: its groups, and how every way to end becomes an exit code and one sentence."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from sluice_command import __version__
from sluice_command.commands import add_all
from sluice_command.errors import CommandError, ExitCode
from sluice_command.options import Group
from sluice_command.screen import clean
from sluice_command.session import Session

NAME = "sluice"
EXIT_CODES = """\b
Exit codes:
  0    done
  1    done, and something did not go well: a job died, a price is missing
  2    an option or an argument is wrong
  3    no stage is chosen, or you are not signed in
  4    the stage refuses this
  5    not now: no answer, a fault, or asked too often
  130  stopped by the keyboard
"""


@click.group(NAME, cls=Group, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=NAME)
def cli() -> None:
    """Price, list, promote and watch with Sluice, and see what its jobs do.

    It works against the stage that `sluice use` has chosen, or the one on this machine (`make up`).
    """


add_all(cli)


def main(arguments: Sequence[str] | None = None, session: Session | None = None) -> int:
    """Run the command; returns its exit code."""
    session = session or Session()
    try:
        done = cli.main(args=arguments, prog_name=NAME, standalone_mode=False, obj=session)
        sys.stdout.flush()
        return done if isinstance(done, int) else ExitCode.OK
    except click.Abort:
        _say(f"stopped; {session.goes_on}")
        return ExitCode.STOPPED
    except click.UsageError as wrong:
        return _misused(wrong)
    except click.ClickException as wrong:
        wrong.show()
        return wrong.exit_code
    except CommandError as error:
        _say(f"{NAME}: {error}")
        return error.exit_code
    except (BrokenPipeError, SystemExit):
        # Whoever read the answer has enough of it, as `sluice jobs | head` has; click makes a SystemExit of that.
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    finally:
        session.close()


def _misused(wrong: click.UsageError) -> int:
    """Say in one sentence what is wrong with the words behind `sluice`, and where to read on."""
    if isinstance(wrong, click.exceptions.NoArgsIsHelpError):
        wrong.show()
        return wrong.exit_code
    what = wrong.ctx.command_path if wrong.ctx else NAME
    said = wrong.format_message().rstrip(".").replace("is not a valid integer range", "is no whole number")
    _say(f"{what}: {said}{'' if said.endswith('?') else ';'} `{what} --help` shows what it takes")
    return wrong.exit_code


def _say(text: str) -> None:
    print(clean(text), file=sys.stderr, flush=True)
