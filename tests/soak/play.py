"""One history: so many requests in all weathers, then calm, then the question whether all is as it should be."""

from collections.abc import Sequence
from typing import NamedTuple

from tests.soak import promises
from tests.soak.accounts import Accounts
from tests.soak.ebay import Ebay
from tests.soak.prices import Prices
from tests.soak.stockx import StockX
from tests.soak.town import open_town
from tests.support.store import Store

TRADES = (Accounts, Prices, StockX, Ebay)


class History(NamedTuple):
    """What came of it. steps, runs: requests, and runs of functions. digest: the same for the same history.

    broken: how often what went wrong. minutes: that passed. wrong: what is not as it should be.
    """

    seed: int
    steps: int
    runs: int
    minutes: int
    digest: str
    broken: dict[str, int]
    wrong: Sequence[str]


def play(store: Store, seed: int, steps: int) -> History:
    """The history of `seed`, with so many requests before the calm."""
    with open_town(store, seed) as town:
        town.trades += [trade(town) for trade in TRADES]
        began = town.clock.time
        for trade in town.trades:
            trade.open()
        while town.storm.steps < steps:
            town.step()
        town.calm()
        wrong = [f"Engine: {what}" for what in promises.broken(town)]
        wrong += [f"{type(trade).__name__}: {what}" for trade in town.trades for what in trade.wrong()]
        minutes = (town.clock.time - began) // 60_000
        return History(seed, town.storm.steps, town.runs, minutes, town.storm.digest, town.storm.broken, wrong)
