"""The local cloud for tests: bare tables for races on real conditional writes, and the whole deployed stack."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.cloud import LocalCloud
from local.cloud.tables import create_tables, delete_tables
from local.laptop import Laptop
from sluice.platform.settings import settings
from tests.support import process


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """An empty local cloud."""
    with LocalCloud() as cloud:
        yield cloud


@pytest.fixture
def dynamodb(cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Every table of the template, empty; Sluice's models in this process use them. Yields the boto3 client."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    process.forget()
    client, stack = cloud.client("dynamodb"), settings().stack
    create_tables(client, stack)
    yield client
    delete_tables(client, stack)
    process.forget()


@pytest.fixture(scope="session")
def laptop() -> Iterator[Laptop]:
    """The real template, deployed, with the marketplace sandbox and a token issuer."""
    with Laptop(latency_ms=20) as laptop:
        yield laptop
