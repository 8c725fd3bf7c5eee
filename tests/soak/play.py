"""One history: so many requests in all weathers, then calm, then the question whether all is as it should be."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from sluice.platform.clock import MINUTE
from tests.crash.plant import NOON
from tests.soak import promises
from tests.soak.accounts import Accounts
from tests.soak.ebay import Ebay
from tests.soak.enrichment import Enrichers
from tests.soak.feed import Readers
from tests.soak.files import Files
from tests.soak.goods import Goods
from tests.soak.groups import Groups
from tests.soak.hooks import Hooks
from tests.soak.mails import Mails
from tests.soak.operators import Operators
from tests.soak.pages import Pages
from tests.soak.prices import Prices
from tests.soak.settings import Settings
from tests.soak.stockx import StockX
from tests.soak.town import Town, Trade, open_town
from tests.soak.visitors import Visitors
from tests.support.store import Store

# Who there is, and how often each does something, compared with the others.
TRADES: Final[Mapping[type[Trade], int]] = {
    Accounts: 1,
    Prices: 4,
    StockX: 6,
    Ebay: 6,
    Groups: 4,
    Files: 1,
    Goods: 2,
    Pages: 2,
    Enrichers: 1,
    Operators: 3,
    Readers: 1,
    Visitors: 2,
    Hooks: 1,
    Settings: 1,
    Mails: 1,
}


class History(NamedTuple):
    """What came of it. steps, runs: requests, and runs of functions. digest: the same for the same history.

    broken: how often what went wrong. minutes: that passed. wrong: what is not as it should be.
    """

    steps: int
    runs: int
    minutes: int
    digest: str
    broken: dict[str, int]
    wrong: Sequence[str]


@contextmanager
def lived(store: Store, seed: int, steps: int) -> Iterator[Town]:
    """The town of `seed` after so many requests and the calm behind them."""
    with open_town(store, seed) as town:
        town.trades.update({trade(town): often for trade, often in TRADES.items()})
        for trade in town.trades:
            trade.open()
        while town.storm.steps < steps:
            town.step()
        town.calm()
        yield town


def wrong(town: Town) -> list[str]:
    """What is not as it should be, in words."""
    names = ["Engine", *(type(trade).__name__ for trade in town.trades)]
    return [f"{who}: {what}" for who in names for what in told_by(town, who)]


def told_by(town: Town, who: str) -> Iterator[str]:
    """What is wrong as `who` sees it: `Engine`, or the name of a trade."""
    if who == "Engine":
        return promises.broken(town)
    return next(trade for trade in town.trades if type(trade).__name__ == who).wrong()


def play(store: Store, seed: int, steps: int) -> History:
    """The history of `seed`, with so many requests before the calm."""
    with lived(store, seed, steps) as town:
        storm = town.storm
        minutes = (town.clock.time - NOON) // MINUTE
        return History(storm.steps, town.runs, minutes, storm.digest, storm.broken, wrong(town))
