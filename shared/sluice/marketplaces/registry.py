"""The marketplaces, one row each. Whoever checks names, currencies or sizes looks here, without loading an adapter."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from sluice.marketplaces.products import Adapter


class UnknownMarketplace(Exception):  # noqa: N818 - an answer to the caller
    """There is no marketplace of this name."""


class CredentialField(NamedTuple):
    """One thing that an account is connected with.

    about: what it is and where its owner finds it. most: characters. optional: only some of its work needs it.
    """

    name: str
    most: int
    about: str
    optional: bool = False


class AccountGrant(NamedTuple):
    """What somebody lets an account do, and a token of its own stands for.

    serves: the work that needs it, for people. services: the services that need it, where they are not the default.
    needs: the optional credential without which there is none.
    """

    name: str
    serves: str
    services: frozenset[str] = frozenset()
    needs: str = ""


class Marketplace(NamedTuple):
    """What a marketplace is.

    credentials: what an account is connected with. grants: each is kept, and breaks, apart; the first is the one that
    all work needs which says nothing else. currencies: ISO 4217 codes of its prices. size_systems: Sluice's
    names of the systems in which it gives sizes, its main one first. adapter: `module:class`, an `Adapter`.
    try_out: `module:function`, which asks the marketplace whether it accepts credentials.
    lookup_calls: calls that find a product with its sizes; 0 where there is no catalog, and any size of any SKU may be
    asked for. sizes_together: one call answers the prices of all sizes. sizes_kept: all of them are stored, not only
    those that somebody has asked for. pictures: its catalog shows them. listing_currencies: those of its listings.
    whole_amounts: its listings take whole amounts only, as far as anybody knows.
    """

    name: str
    credentials: tuple[CredentialField, ...]
    grants: tuple[AccountGrant, ...]
    currencies: frozenset[str]
    size_systems: tuple[str, ...]
    adapter: str
    try_out: str
    lookup_calls: int
    sizes_together: bool = False
    sizes_kept: bool = False
    pictures: bool = False
    listing_currencies: frozenset[str] = frozenset()
    whole_amounts: bool = False

    def load(self) -> "type[Adapter]":
        """The adapter; only functions that call marketplaces load it."""
        adapter: type[Adapter] = _load(self.adapter)
        return adapter

    def load_try_out(self) -> Callable[..., Any]:
        """What asks the marketplace whether it accepts credentials (`accounts.connecting`); loads an HTTP client."""
        try_out: Callable[..., Any] = _load(self.try_out)
        return try_out


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


# StockX public API v2: `CurrencyCode` of market data.
_STOCKX_CURRENCIES = """
AUD BRL CAD CHF CLP CNY DKK EUR GBP HKD HUF IDR ILS JPY KRW KWD MOP MXN MYR NOK NZD PEN PHP PLN SEK SGD THB TWD USD VND
"""
# StockX public API v2: `CreateListingInput.currencyCode`.
_STOCKX_LISTING_CURRENCIES = "AUD CAD CHF EUR GBP HKD JPY KRW MXN NZD SGD USD"
_OF_A_SELLER = (
    "for promotions and listings: the refresh token of a seller who agreed to the scopes sell.marketing,"
    " sell.inventory and sell.account; with commerce.identity.readonly a sku has one record, also where several tenants"
    " are connected to one seller"
)

MARKETPLACES: Mapping[str, Marketplace] = {
    marketplace.name: marketplace
    for marketplace in (
        Marketplace(
            name="stockx",
            # Together below the 4,096 bytes that KMS encrypts in one call.
            credentials=(
                CredentialField("api_key", 256, "the API key of your application at developer.stockx.com"),
                CredentialField("client_id", 256, "your application's client id"),
                CredentialField("client_secret", 512, "your application's client secret"),
                CredentialField("refresh_token", 2048, "the refresh token that a log-in of the seller gave"),
            ),
            grants=(AccountGrant("seller", "prices and listings"),),
            currencies=frozenset(_STOCKX_CURRENCIES.split()),
            size_systems=("us", "us-w", "us-y", "us-c", "uk", "cm", "kr", "eu"),
            adapter="sluice.marketplaces.stockx.adapter:StockX",
            try_out="sluice.marketplaces.stockx.adapter:try_out",
            lookup_calls=2,
            sizes_together=True,
            listing_currencies=frozenset(_STOCKX_LISTING_CURRENCIES.split()),
            whole_amounts=True,  # every known client sends whole ones; what becomes of "150.50" nobody has told
        ),
        Marketplace(
            name="alias",
            credentials=(
                CredentialField("personal_access_token", 2048, "a personal access token of Alias's token manager"),
            ),
            grants=(AccountGrant("seller", "prices"),),
            currencies=frozenset({"USD"}),  # also in its other regions
            size_systems=("us", "us-w", "us-y", "us-c", "uk", "eu", "it", "fr", "cm"),
            adapter="sluice.marketplaces.alias.adapter:Alias",
            try_out="sluice.marketplaces.alias.adapter:try_out",
            lookup_calls=1,
            sizes_together=True,
            sizes_kept=True,
            pictures=True,
        ),
        Marketplace(
            name="ebay",
            # An application's own are enough for prices. Who sells has given it a refresh token.
            credentials=(
                CredentialField("client_id", 256, "your application's App ID (client id)"),
                CredentialField("client_secret", 512, "your application's Cert ID (client secret)"),
                CredentialField("refresh_token", 2048, _OF_A_SELLER, optional=True),
            ),
            grants=(
                AccountGrant("application", "prices"),
                AccountGrant(
                    "seller",
                    "promotions and listings",
                    frozenset({"ebay-marketing", "ebay-inventory", "ebay-account", "ebay-feed"}),
                    needs="refresh_token",
                ),
            ),
            currencies=frozenset({"USD", "GBP", "EUR", "CAD", "AUD"}),
            size_systems=("us", "us-w", "us-y", "us-c", "uk", "eu"),
            adapter="sluice.marketplaces.ebay.adapter:EBay",
            try_out="sluice.marketplaces.ebay.access:try_out",
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
