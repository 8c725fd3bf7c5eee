"""The rows of the marketplaces, and what loading them costs."""

import subprocess
import sys
from pathlib import Path

import pytest

from sluice.marketplaces import registry
from sluice.marketplaces.alias import adapter as alias
from sluice.marketplaces.ebay import adapter as ebay
from sluice.marketplaces.sizes import LETTERS
from sluice.marketplaces.stockx.adapter import SIZE_SYSTEMS
from sluice.platform.config.services import MARKETPLACES as LIMITS
from tests.contract.documents import document

SHARED = Path(__file__).resolve().parents[3] / "shared"


def test_every_marketplace_has_limits_and_an_adapter() -> None:
    assert registry.MARKETPLACES.keys() == LIMITS.keys()
    adapters = {name: marketplace.load().__name__ for name, marketplace in registry.MARKETPLACES.items()}
    assert adapters == {"stockx": "StockX", "alias": "Alias", "ebay": "EBay"}


def test_an_unknown_marketplace() -> None:
    with pytest.raises(registry.UnknownMarketplace, match="'nowhere'; known are stockx, alias, ebay"):
        registry.get("nowhere")


def test_stockx_as_its_document_has_it() -> None:
    stockx = registry.get("stockx")
    assert stockx.currencies == set(document("stockx").spec["components"]["schemas"]["CurrencyCode"]["enum"])
    assert set(stockx.size_systems) == {*SIZE_SYSTEMS.values(), *LETTERS}


def test_alias_and_ebay_as_their_adapters_have_them() -> None:
    assert set(registry.get("alias").size_systems) == {*alias.SIZE_UNITS.values(), *LETTERS}
    assert set(registry.get("ebay").size_systems) == {*ebay.SYSTEMS, *LETTERS}
    assert registry.get("ebay").currencies == set(ebay.SITES)


def test_the_longest_credentials_fit_into_one_encryption() -> None:
    for marketplace in registry.MARKETPLACES.values():
        assert sum(len(field.name) + field.most + 6 for field in marketplace.credentials) < 4096


def test_who_calls_no_marketplace_loads_no_http_client() -> None:
    script = (
        "import sys, sluice.marketplaces.accounts.table, sluice.marketplaces.registry\n"
        "print(*sorted({'httpx', 'httpcore', 'pydantic', 'boto3'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=SHARED, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_an_adapter_makes_no_client_before_its_first_call() -> None:
    script = (
        "import sluice.marketplaces.http.transport as t\n"
        "from sluice.platform.clock import SystemClock\n"
        "t.Transport('stockx', 'http://nowhere.test', SystemClock())\n"
        "print(len(t._shared))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=SHARED, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0"]
