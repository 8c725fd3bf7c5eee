"""Calls that are given up soon, however busy the machine is: their time begins when one of them has arrived."""

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from sluice.marketplaces.http.transport import Transport
from sluice.platform import deadline


def give_up(patch: pytest.MonkeyPatch, transport: Transport, seconds: float, arrived: Callable[[], object]) -> None:
    """From now on a call of `transport` takes `seconds` at the most; until one has `arrived`, no time passes.

    Else a machine that takes longer than that to send a call would never send it.
    """
    began = list[float]()

    def monotonic() -> float:
        if not began and arrived():
            began.append(time.monotonic())
        return time.monotonic() - began[0] if began else 0.0

    patch.setattr(transport, "_seconds", seconds)
    patch.setattr(deadline, "time", SimpleNamespace(monotonic=monotonic))
