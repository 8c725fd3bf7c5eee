"""The marketplaces, one row each. Whoever checks names, currencies or sizes looks here, without loading an adapter."""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sluice.marketplaces.products import Adapter


class UnknownMarketplace(Exception):  # noqa: N818 - an answer to the caller
    """There is no marketplace of this name."""


class CredentialField(NamedTuple):
    """One thing that an account is connected with. most: characters. optional: only some of its work needs it."""

    name: str
    most: int
    optional: bool = False


class Marketplace(NamedTuple):
    """What a marketplace is.

    credentials: what an account is connected with. currencies: ISO 4217 codes of its prices. size_systems: Sluice's
    names of the systems in which it gives sizes, its main one first. adapter: `module:class`, an `Adapter`.
    lookup_calls: calls that find a product with its sizes; 0 where there is no catalog, and any size of any SKU may be
    asked for. sizes_together: one call answers the prices of all sizes. sizes_kept: all of them are stored, not only
    those that somebody has asked for. pictures: its catalog shows them. listing_currencies: those of its listings.
    whole_amounts: its listings take whole amounts only, as far as anybody knows.
    """

    name: str
    credentials: tuple[CredentialField, ...]
    currencies: frozenset[str]
    size_systems: tuple[str, ...]
    adapter: str
    lookup_calls: int
    sizes_together: bool = False
    sizes_kept: bool = False
    pictures: bool = False
    listing_currencies: frozenset[str] = frozenset()
    whole_amounts: bool = False

    def load(self) -> "type[Adapter]":
        """The adapter; only functions that call marketplaces load it."""
        module, _, name = self.adapter.partition(":")
        adapter: Any = getattr(import_module(module), name)
        return adapter  # type: ignore[no-any-return]


# StockX public API v2: `CurrencyCode` of market data.
_STOCKX_CURRENCIES = """
AUD BRL CAD CHF CLP CNY DKK EUR GBP HKD HUF IDR ILS JPY KRW KWD MOP MXN MYR NOK NZD PEN PHP PLN SEK SGD THB TWD USD VND
"""
# StockX public API v2: `CreateListingInput.currencyCode`.
_STOCKX_LISTING_CURRENCIES = "AUD CAD CHF EUR GBP HKD JPY KRW MXN NZD SGD USD"

MARKETPLACES: Mapping[str, Marketplace] = {
    marketplace.name: marketplace
    for marketplace in (
        Marketplace(
            name="stockx",
            # Together below the 4,096 bytes that KMS encrypts in one call.
            credentials=(
                CredentialField("api_key", 256),
                CredentialField("client_id", 256),
                CredentialField("client_secret", 512),
                CredentialField("refresh_token", 2048),
            ),
            currencies=frozenset(_STOCKX_CURRENCIES.split()),
            size_systems=("us", "us-w", "uk", "cm", "kr", "eu"),
            adapter="sluice.marketplaces.stockx.adapter:StockX",
            lookup_calls=2,
            sizes_together=True,
            listing_currencies=frozenset(_STOCKX_LISTING_CURRENCIES.split()),
            whole_amounts=True,  # every known client sends whole ones; what becomes of "150.50" nobody has told
        ),
        Marketplace(
            name="alias",
            credentials=(CredentialField("personal_access_token", 2048),),
            currencies=frozenset({"USD"}),  # also in its other regions
            size_systems=("us", "us-w", "uk", "eu", "it", "fr", "cm"),
            adapter="sluice.marketplaces.alias.adapter:Alias",
            lookup_calls=1,
            sizes_together=True,
            sizes_kept=True,
            pictures=True,
        ),
        Marketplace(
            name="ebay",
            # An application's own are enough for prices. Who sells has given it a refresh token (scope sell.marketing).
            credentials=(
                CredentialField("client_id", 256),
                CredentialField("client_secret", 512),
                CredentialField("refresh_token", 2048, optional=True),
            ),
            currencies=frozenset({"USD", "GBP", "EUR", "CAD", "AUD"}),
            size_systems=("us", "us-w", "uk", "eu"),
            adapter="sluice.marketplaces.ebay.adapter:EBay",
            lookup_calls=0,
        ),
    )
}


def get(name: str) -> Marketplace:
    """The marketplace called `name`.

    Raises:
        UnknownMarketplace: there is none; the message lists those that are.
    """
    try:
        return MARKETPLACES[name]
    except KeyError:
        raise UnknownMarketplace(f"unknown marketplace {name!r}; known are {', '.join(MARKETPLACES)}") from None


def with_catalog() -> list[Marketplace]:
    """Those that have a catalog, in which products are looked up."""
    return [marketplace for marketplace in MARKETPLACES.values() if marketplace.lookup_calls]
