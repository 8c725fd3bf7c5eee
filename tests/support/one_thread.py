"""What makes a simulated history follow from its seed: one thread makes all requests, one after the other."""

import importlib
import pkgutil
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from random import Random
from threading import get_ident
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest

import sluice
from sluice.jobs.dispatch import find_ready, hand_on, overdue, rescue, rounds
from sluice.jobs.queue import enqueue
from sluice.platform import races

R = TypeVar("R")
# Whose pools are replaced: every part of the engine that a simulation runs.
POOLS = (rounds, hand_on, rescue, overdue, find_ready, enqueue)


class NotRepeatable(BaseException):
    """What happens here does not follow from the seed alone. No part of the engine takes this for a fault of a job."""


class OneThread:
    """Stands in for a pool of threads, and does its work in the thread that asks for it.

    A pool of one thread is not enough: whoever asks goes on meanwhile (`Executor.map` reads what it is given while the
    thread is at work), so which of two requests came first was up to the machine.
    """

    def __init__(self, threads: int) -> None:
        pass

    def __enter__(self) -> "OneThread":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def map(self, function: Callable[..., R], *given: Iterable[Any]) -> Iterator[R]:
        """As `Executor.map`, all of it before this returns."""
        return iter([function(*each) for each in list(zip(*given, strict=False))])

    def submit(self, function: Callable[..., R], *given: Any) -> "Future[R]":
        """As `Executor.submit`; it is done before this returns."""
        future = Future[R]()
        try:
            future.set_result(function(*given))
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result has it
            future.set_exception(error)
        return future


def use(patch: pytest.MonkeyPatch) -> None:
    """From now on one request at a time, in an order that can be repeated, and no pauses between tries."""
    for module in POOLS:
        patch.setattr(module, "ThreadPoolExecutor", OneThread)
    patch.setattr(races, "LONGEST_PAUSE_SECONDS", 0)


def use_everywhere(patch: pytest.MonkeyPatch, chance: Random) -> None:
    """The same for every part of Sluice. chance: of the names and tokens that must not be alike."""
    for module in _modules():
        if hasattr(module, "ThreadPoolExecutor"):
            patch.setattr(module, "ThreadPoolExecutor", OneThread)
        if getattr(module, "uuid4", None) is uuid4:
            patch.setattr(module, "uuid4", lambda: UUID(int=chance.getrandbits(128), version=4))
    patch.setattr(secrets, "token_bytes", lambda size=None: chance.randbytes(size or 32))
    patch.setattr(secrets, "randbelow", chance.randrange)
    patch.setattr(races, "LONGEST_PAUSE_SECONDS", 0)


def _modules() -> list[ModuleType]:
    """Every module of Sluice, loaded: some load others only when a job of theirs runs."""
    for found in pkgutil.walk_packages(sluice.__path__, "sluice."):
        importlib.import_module(found.name)
    return [module for name, module in sorted(sys.modules.items()) if name.startswith("sluice.")]


def require(thread: int) -> None:
    """Fail unless this is the `thread` (`threading.get_ident`) that makes all requests.

    Raises:
        NotRepeatable: it is another one.
    """
    if get_ident() != thread:
        raise NotRepeatable("a request came from a second thread: which one is first is up to the machine")
