"""`sluice completion`: what a shell needs to complete the command."""

import click
from click.shell_completion import get_completion_class

from sluice_command.options import Command

SHELLS = ("bash", "zsh", "fish")


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion for SHELL.

    \b
    bash:  eval "$(sluice completion bash)"     in ~/.bashrc
    zsh:   eval "$(sluice completion zsh)"      in ~/.zshrc
    fish:  sluice completion fish | source      in ~/.config/fish/config.fish
    """
    root = context.find_root()
    name = root.info_name or "sluice"
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(made(root.command, {}, name, f"_{name.upper()}_COMPLETE").source())


COMMANDS = (completion,)
