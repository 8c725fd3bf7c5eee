"""A sandbox in virtual time, and a client that is connected to it."""

from collections.abc import Iterator

import pytest

from local.sandbox.limits import Limits
from local.sandbox.server import Sandbox
from tests.unit.sandbox.client import Client, Clock, connected
from tests.unit.sandbox.seller import Seller


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Iterator[Sandbox]:
    with Sandbox(seed=7, clock=clock, products=1000, limits=Limits()) as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with connected(sandbox) as client:
        sandbox.world.log.clear()
        yield client


@pytest.fixture
def seller(client: Client) -> Seller:
    return Seller(client)
