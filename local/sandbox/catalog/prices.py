"""Prices that move: a function of the seed, the variant and the minute, and of nothing else."""

from dataclasses import dataclass

from local.sandbox.catalog.products import Variant
from local.sandbox.chance import chance

MINUTE_MS = 60_000
# US dollars to each currency of StockX's market data, rounded: the sandbox plays no exchange.
RATES = {
    "AUD": 1.5, "BRL": 5.5, "CAD": 1.4, "CHF": 0.8, "CLP": 950, "CNY": 7.1, "DKK": 6.5, "EUR": 0.87, "GBP": 0.75,
    "HKD": 7.8, "HUF": 340, "IDR": 16_500, "ILS": 3.4, "JPY": 150, "KRW": 1_400, "KWD": 0.31, "MOP": 8, "MXN": 18.5,
    "MYR": 4.2, "NOK": 10, "NZD": 1.7, "PEN": 3.5, "PHP": 58, "PLN": 3.7, "SEK": 9.5, "SGD": 1.3, "THB": 33,
    "TWD": 31, "USD": 1, "VND": 26_000,
}  # fmt: skip


@dataclass(frozen=True)
class Quote:
    """What a variant is worth now, in whole units of one currency. None: nobody asks, nobody bids."""

    lowest_ask: int | None
    highest_bid: int | None
    flex_ask: int | None
    sell_faster: int | None
    earn_more: int | None


def quote(seed: int, variant: Variant, at_ms: int, currency: str = "USD") -> Quote:
    """The market of `variant` in the minute of `at_ms`.

    The level wanders by 12 % from hour to hour and by 1 % from minute to minute. The two sizes at each end of a chart
    trade thinly: for three hours at a time they may have no ask or no bid. Every other size always has both.
    """
    minute = at_ms // MINUTE_MS
    name = f"{variant.product.number}/{variant.index}"
    level = (variant.product.retail_price or 120) * (0.8 + 1.2 * chance(seed, "level", variant.product.number))
    level *= 0.9 + 0.2 * chance(seed, "size", name)
    level *= 1 + 0.12 * _wander(seed, name, minute) + 0.01 * (2 * chance(seed, "tick", name, minute) - 1)
    ask: float | None = level * RATES[currency]
    bid: float | None = level * RATES[currency] * (0.78 + 0.16 * chance(seed, "spread", name, minute // 60))
    if _thin(variant):
        spell = minute // 180
        ask = None if chance(seed, "no ask", name, spell) < 0.5 else ask
        bid = None if chance(seed, "no bid", name, spell) < 0.3 else bid
    flex = ask * 1.02 if ask and chance(seed, "flex", name) < 0.6 else None
    middle = (ask + bid) / 2 if ask and bid else bid
    return Quote(_whole(ask), _whole(bid), _whole(flex), _whole(middle), _whole(ask * 0.99 if ask else None))


def _thin(variant: Variant) -> bool:
    count = len(variant.product.sizes)
    return count >= 6 and (variant.index < 2 or variant.index >= count - 2)


def _wander(seed: int, name: str, minute: int) -> float:
    """-1 to 1, a straight line from one hour's draw to the next's."""
    hour, part = divmod(minute, 60)
    here, there = (2 * chance(seed, "hour", name, at) - 1 for at in (hour, hour + 1))
    return here + (there - here) * part / 60


def _whole(amount: float | None) -> int | None:
    return None if amount is None else max(1, round(amount))
