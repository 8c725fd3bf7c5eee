"""The commands, a module for each noun. Each module has a list `COMMANDS`, which stand at the top."""

from importlib import import_module

import click

MODULES = (
    "stage",
    "status",
    "prices",
    "jobs",
    "acting",
    "pauses",
    "config",
    "listings",
    "promotions",
    "importing",
    "inventory",
    "connecting",
    "budgets",
    "checks",
    "golden",
    "enrich",
    "events",
    "notifications",
    "completion",
)


def add_all(group: click.Group) -> None:
    """Put every command into `group`."""
    for name in MODULES:
        for command in import_module(f"sluice_command.commands.{name}").COMMANDS:
            group.add_command(command)
