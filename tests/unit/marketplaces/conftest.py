"""A cloud for one test: the accounts table, a key, and a list of the events on the bus."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from sluice.marketplaces.accounts import table as accounts
from sluice.marketplaces.accounts import token_cache
from sluice.marketplaces.accounts.table import Account
from sluice.platform import aws
from sluice.platform.observe import logger, metrics
from sluice.platform.settings import settings
from tests.support.store import Store, store
from tests.support.vault import kms
from tests.unit.marketplaces.fakes import ALIAS_API, API, AUTH, CREDENTIALS, EBAY_API, NOON, BudgetLog, WatchedClock

Events = list[tuple[str, dict[str, Any]]]


@pytest.fixture(autouse=True)
def _no_metrics_left() -> Iterator[None]:
    yield
    metrics.clear_metrics()


@pytest.fixture
def clock() -> WatchedClock:
    return WatchedClock()


@pytest.fixture
def calls() -> BudgetLog:
    return BudgetLog()


@pytest.fixture(scope="module")
def _tables() -> Iterator[Store]:
    """The tables of the template within this process, and a token key."""
    with pytest.MonkeyPatch.context() as patch, store() as made:
        patch.setenv("STOCKX_API_URL", API)
        patch.setenv("STOCKX_AUTH_URL", AUTH)
        patch.setenv("ALIAS_API_URL", ALIAS_API)
        patch.setenv("EBAY_API_URL", EBAY_API)
        patch.setenv("TOKEN_KEY", "key")
        settings.cache_clear()
        made.services["kms"] = kms
        yield made
    settings.cache_clear()


@pytest.fixture
def cloud(_tables: Store) -> None:
    """A cloud without accounts, in a process that keeps no token."""
    _tables.clear()
    token_cache.forget()


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> Events:
    """What was put on the bus."""
    put: Events = []
    monkeypatch.setattr(aws, "put_event", lambda kind, detail: put.append((kind, detail)))
    return put


@pytest.fixture
def account(cloud: None) -> Account:
    """`stockx:acme`, connected."""
    return accounts.connect("stockx", "acme", CREDENTIALS, NOON)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged, as the log has it."""
    stream = io.StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(stream)
    yield stream
    handler.setStream(before)
