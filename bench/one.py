"""One benchmark, by its name, and one process for each."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from bench.row import Row
from sluice import capabilities
from sluice.jobs.model import kinds

# What is measured enqueues and runs jobs of every kind.
kinds.serve(capabilities.kinds(*(one.name for one in capabilities.CAPABILITIES)))

# Each is a module of this package with `run() -> list[Row]`.
NAMES = (
    *("capacity", "calls", "tick", "budget", "quota", "bursts", "fairness", "poller"),
    *(
        "inventory",
        "imports",
        "pages",
        "manual",
        "neighbours",
        "memory",
        "operator",
        "dashboard",
        "reconciling",
        "idle",
    ),
)

P = ParamSpec("P")
R = TypeVar("R")


def measure(name: str) -> list[Row]:
    """Run the benchmark `name`, one of `NAMES`."""
    rows: list[Row] = import_module(f"bench.{name}").run()
    return rows


def isolated(call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """`call` in a process of its own: the engine reads its settings, and connects to its store, once in a process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(call, *args, **kwargs).result()
