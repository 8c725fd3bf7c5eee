"""The local cloud for tests: bare tables for races on real conditional writes, and the whole deployed stack."""

import shutil
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.cloud import LocalCloud
from local.cloud.tables import create_tables, delete_tables
from local.dynamodb_local import FOLDER, dynamodb_local
from local.laptop import Laptop
from local.sandbox.limits import Limits
from sluice.platform.settings import settings
from tests.support import process, stack

# Amazon's own DynamoDB Local too, where `make bench` has installed it.
BACKENDS = ["ministack", "dynamodb-local"] if FOLDER.exists() and shutil.which("java") else ["ministack"]


@pytest.fixture(scope="session")
def cloud() -> Iterator[LocalCloud]:
    """An empty local cloud."""
    with stack.empty_cloud() as cloud:
        yield cloud


@pytest.fixture(scope="session", params=BACKENDS)
def dynamodb_url(request: pytest.FixtureRequest, cloud: LocalCloud) -> Iterator[str]:
    """Where a DynamoDB with real conditional writes answers."""
    if request.param == "ministack":
        yield cloud.endpoint_url
    else:
        with dynamodb_local() as url:
            yield url


@pytest.fixture
def dynamodb(cloud: LocalCloud, dynamodb_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Every table of the template, empty; Sluice's models in this process use them. Yields the boto3 client."""
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url)
    process.forget()
    client, name = boto3.client("dynamodb"), settings().stack
    create_tables(client, name)
    yield client
    delete_tables(client, name)
    client.close()
    process.forget()


@pytest.fixture(scope="session")
def laptop() -> Iterator[Laptop]:
    """The real template, deployed, with the marketplace sandbox and a token issuer.

    On a busy machine a call comes late, and the next one too soon after it: here no marketplace minds.
    """
    with stack.deployed(latency_ms=20) as laptop:
        for marketplace in ("stockx", "alias"):
            laptop.sandbox.set_limits(Limits(), marketplace)
        yield laptop
