"""What the function inventory_worker does with its queue: store rows of imports, whosever they are, and ask for prices.

Doing it twice does no harm.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sluice.inventory import messages, portfolio, refreshes
from sluice.inventory import table as items
from sluice.inventory.messages import Looked, Whole
from sluice.platform import sqs
from sluice.platform.context import Context
from sluice.platform.http.paging import Place
from sluice.platform.imports import takers
from sluice.platform.imports.chunks import Chunk

THREADS: Final = 16
# Items whose prices are asked for by one message: some seconds of a small function's work.
PAGE: Final = 100


def work(found: Mapping[str, str], context: Context) -> list[str]:
    """Handle the messages `found` (body by message id). Returns the ids of those that SQS must deliver again."""
    return sqs.consume(found, lambda text: _one(text, context), threads=1).failed


def _one(text: str, context: Context) -> None:
    message = messages.decode(text)
    if isinstance(message, Chunk):
        takers.take(message, context)
    elif isinstance(message, Whole):
        fetch(message, context)
    else:
        freshen(message, context)


def freshen(looked: Looked, context: Context) -> None:
    """Ask for the stale prices of items that somebody has looked at, unless that was done meanwhile.

    Raises:
        NotStored: it must be done once more.
    """
    found = portfolio.load(
        list(items.find_many(looked.tenant, looked.items).values()), context.now(), context.config.prices.catalog_age_ms
    )
    due = {one.item.item: names for one in found if (names := one.due(looked.at, context.config.prices.stale_ms))}
    asking = [one.item for one in found if one.item.item in due]
    refreshes.ask_behind(asking, context.now(), context.config, lambda one, name: name in due[one.item])
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda one: items.mark_asked(one, due[one.item], looked.at), asking))


def fetch(wanted: Whole, context: Context) -> None:
    """Ask for the prices of the next items, and have those behind them asked for. Done twice, it asks twice.

    Raises:
        NotStored: it must be done once more.
    """
    page = items.page(wanted.tenant, PAGE, Place(wanted.after) if wanted.after else None)
    refreshes.ask_behind(page.items, context.now(), context.config, priority="manual", force=True)
    if page.next:
        messages.send(Whole(wanted.tenant, page.next.key))
