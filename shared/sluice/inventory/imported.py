"""Rows of imports become items, and those of their prices that are old are asked for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sluice.inventory import naming, portfolio, refreshes
from sluice.inventory import table as items
from sluice.inventory.lots import Lot
from sluice.inventory.refreshes import Asked
from sluice.inventory.rules import Draft
from sluice.inventory.stock import STOCK
from sluice.inventory.table import CostsDiffer, Item
from sluice.platform import tables
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.imports import table as imports
from sluice.platform.imports.chunks import Chunk
from sluice.platform.observe import count
from sluice.platform.refused import Refused
from sluice.platform.sqs import CorruptMessage

THREADS: Final = 16
# Reasons that a chunk tells; an import has a hundred chunks.
MOST_PROBLEMS: Final = 3


def take(chunk: Chunk, context: Context) -> None:
    """Store the items of the chunk, ask for those of their prices that are not known or old, and count what was done.

    Raises:
        NotStored: it must be done once more. CorruptMessage: its rows are no items.
    """
    drafts = _drafts(chunk.rows)

    def put(place: tuple[str, Draft]) -> Item | CostsDiffer | None:
        try:
            return items.put(chunk.tenant, place[1], chunk.at, item=place[0], unless_newer=True)
        except CostsDiffer as differ:
            return differ
        except tables.ConditionFailed:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        written = list(pool.map(put, naming.joined(naming.settle(chunk.tenant, drafts))))
    stored = [one for one in written if isinstance(one, Item)]
    answers = [one for asked in _ask_stale(stored, context.now(), context.config) for one in asked.values()]
    refused = [one.message for one in answers if isinstance(one, Refused)]
    differ = [str(one) for one in written if isinstance(one, CostsDiffer)]
    created = sum(one.created_at == chunk.at for one in stored)
    done = {
        "created": created,
        "existing": len(stored) - created,
        "kept": len(written) - len(stored),
        "asked": len(answers) - len(refused),
        "not_asked": len(refused),
    }
    problems = frozenset([*sorted(set(refused))[:MOST_PROBLEMS], *differ[:MOST_PROBLEMS]])
    # In this order, because a chunk that is delivered again finds its own items, and counts them as created again.
    STOCK.take(chunk.tenant, created)
    if imports.finish(chunk, done, context.now(), problems=problems):
        count("ItemsImported", len(stored))
    elif imports.find(chunk.kind, chunk.tenant, chunk.import_id):
        # Another delivery of the chunk has counted it; without a record nobody has.
        STOCK.give_back(chunk.tenant, created)


def _ask_stale(found: Sequence[Item], now: int, config: Config) -> list[Asked]:
    known = {one.item.item: one for one in portfolio.load(found, now, config.prices.catalog_age_ms)}
    return refreshes.ask_behind(
        found, now, config, lambda one, name: known[one.item].is_stale(name, now, config.prices.stale_ms)
    )


def _drafts(rows: Sequence[Any]) -> list[Draft]:
    """The items that plain JSON describes."""
    try:
        return [_draft(row) for row in rows]
    except (TypeError, ValueError) as error:
        raise CorruptMessage(f"no items: {type(error).__name__}") from error


def _draft(row: list[Any]) -> Draft:
    draft = Draft(*row)
    marketplaces = tuple(draft.marketplaces) if draft.marketplaces else None
    lots = tuple(Lot(*lot) for lot in draft.lots) if draft.lots else None
    return draft._replace(marketplaces=marketplaces, lots=lots)
