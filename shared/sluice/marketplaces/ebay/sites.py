"""eBay's sites: what each calls itself, its currency and its languages. Pure.

Sources: `MarketplaceIdEnum` of the Inventory API, and its table of locales and currencies by site.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class EbaySite(NamedTuple):
    """One of eBay's sites. locales: those that its listings may be written in, the usual one first."""

    currency: str
    locales: tuple[str, ...]


EBAY_SITES: Final[Mapping[str, EbaySite]] = {
    "EBAY_US": EbaySite("USD", ("en-US",)),
    "EBAY_GB": EbaySite("GBP", ("en-GB",)),
    "EBAY_DE": EbaySite("EUR", ("de-DE",)),
    "EBAY_AU": EbaySite("AUD", ("en-AU",)),
    "EBAY_CA": EbaySite("CAD", ("en-CA", "fr-CA")),
    "EBAY_FR": EbaySite("EUR", ("fr-FR",)),
    "EBAY_IT": EbaySite("EUR", ("it-IT",)),
    "EBAY_ES": EbaySite("EUR", ("es-ES",)),
    "EBAY_AT": EbaySite("EUR", ("de-AT",)),
    "EBAY_BE": EbaySite("EUR", ("nl-BE", "fr-BE")),
    "EBAY_CH": EbaySite("CHF", ("de-CH",)),
    "EBAY_IE": EbaySite("EUR", ("en-IE",)),
    "EBAY_NL": EbaySite("EUR", ("nl-NL",)),
    "EBAY_PL": EbaySite("PLN", ("pl-PL",)),
}
DEFAULT_LOCALE: Final = "en-US"
