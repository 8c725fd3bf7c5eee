"""What a Lambda process remembers between invocations, and how a test makes it forget."""

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from types import ModuleType

import sluice
from sluice.platform.tables import Table


@cache
def modules() -> Sequence[ModuleType]:
    """Every module of Sluice, imported."""
    return [importlib.import_module(found.name) for found in pkgutil.walk_packages(sluice.__path__, "sluice.")]


def models() -> list[type[Table]]:
    """Every table's model, by table name."""
    found = {
        value
        for module in modules()
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Table) and value is not Table
    }
    return sorted(found, key=lambda model: str(model.Meta.table_name))


def forget() -> None:
    """Make this process as new: no connection, no settings, nothing that was cached.

    Every cached function and every `forget` of a module of Sluice is found by itself, so a new one needs no entry here.
    """
    for model in models():
        model._connection = None
    for module in modules():
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()
        if callable(reset := getattr(module, "forget", None)):
            reset()
