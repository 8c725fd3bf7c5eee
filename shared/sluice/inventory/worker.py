"""What the function inventory_worker does: store rows of imports, ask for prices. Doing it twice does no harm."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from sluice.inventory import imports, messages, naming, portfolio, refreshes
from sluice.inventory import table as items
from sluice.inventory.imports import Done
from sluice.inventory.messages import Chunk, Looked, Whole
from sluice.inventory.refreshes import Asked, Wants
from sluice.inventory.rules import Draft
from sluice.inventory.stock import STOCK
from sluice.inventory.table import CostsDiffer, Item
from sluice.jobs.ask import require_room
from sluice.platform import sqs, tables
from sluice.platform.config.document import Config
from sluice.platform.context import Context
from sluice.platform.http.errors import TooMany
from sluice.platform.http.paging import Place
from sluice.platform.observe import count
from sluice.platform.refused import UNAVAILABLE, Refused

THREADS: Final = 16
# What is bulk work, or nobody's wish, stands behind what a person has just added or asked for.
PRIORITY: Final = "background"
# Items whose prices are asked for by one message: some seconds of a small function's work.
PAGE: Final = 100
# Reasons that a chunk tells; an import has a hundred chunks.
MOST_PROBLEMS: Final = 3


class NotStored(Exception):  # noqa: N818 - the message is delivered again
    """Some of it could not be written, for a reason of ours."""


def work(found: Mapping[str, str], context: Context) -> list[str]:
    """Handle the messages `found` (body by message id). Returns the ids of those that SQS must deliver again."""
    return sqs.consume(found, lambda text: _one(text, context), threads=1).failed


def _one(text: str, context: Context) -> None:
    message = messages.decode(text)
    if isinstance(message, Chunk):
        take(message, context)
    elif isinstance(message, Whole):
        fetch(message, context)
    else:
        freshen(message, context)


def take(chunk: Chunk, context: Context) -> None:
    """Store the items of the chunk, ask for those of their prices that are not known or old, and count what was done.

    Raises:
        NotStored: it must be done once more.
    """
    found = imports.find(chunk.tenant, chunk.import_id)
    if found and not imports.is_open(found, chunk.chunk, chunk.at):
        return  # where the record is gone, the message has come back from the dead-letter queue after days

    def put(place: tuple[str, Draft]) -> Item | CostsDiffer | None:
        try:
            return items.put(chunk.tenant, place[1], chunk.at, item=place[0], unless_newer=True)
        except CostsDiffer as differ:
            return differ
        except tables.ConditionFailed:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        written = list(pool.map(put, naming.joined(naming.settle(chunk.tenant, chunk.rows))))
    stored = [one for one in written if isinstance(one, Item)]
    answers = [one for asked in _ask_stale(stored, context.now(), context.config) for one in asked.values()]
    refused = [one.message for one in answers if isinstance(one, Refused)]
    differ = [str(one) for one in written if isinstance(one, CostsDiffer)]
    created = sum(one.created_at == chunk.at for one in stored)
    done = Done(
        created=created,
        existing=len(stored) - created,
        kept=len(written) - len(stored),
        asked=len(answers) - len(refused),
        not_asked=len(refused),
        problems=frozenset([*sorted(set(refused))[:MOST_PROBLEMS], *differ[:MOST_PROBLEMS]]),
    )
    # In this order, because a chunk that is delivered again finds its own items, and counts them as created again.
    STOCK.take(chunk.tenant, created)
    if imports.finish(chunk, done, context.now()):
        count("ItemsImported", len(stored))
    elif found:  # another delivery of the chunk has counted it; without a record nobody has
        STOCK.give_back(chunk.tenant, created)


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
    _ask(asking, context.now(), context.config, lambda one, name: name in due[one.item])
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda one: items.mark_asked(one, due[one.item], looked.at), asking))


def fetch(wanted: Whole, context: Context) -> None:
    """Ask for the prices of the next items, and have those behind them asked for. Done twice, it asks twice.

    Raises:
        NotStored: it must be done once more.
    """
    page = items.page(wanted.tenant, PAGE, Place(wanted.after) if wanted.after else None)
    _ask(page.items, context.now(), context.config, lambda _, __: True, "manual", force=True)
    if page.next:
        messages.send([Whole(wanted.tenant, page.next.key)])


def _ask_stale(found: Sequence[Item], now: int, config: Config) -> list[Asked]:
    known = {one.item.item: one for one in portfolio.load(found, now, config.prices.catalog_age_ms)}
    return _ask(found, now, config, lambda one, name: known[one.item].is_stale(name, now, config.prices.stale_ms))


def _ask(
    found: Sequence[Item], now: int, config: Config, wants: Wants, priority: str = PRIORITY, *, force: bool = False
) -> list[Asked]:
    try:
        if found:
            require_room(found[0].tenant, len(found), now, config)
    except TooMany as full:  # the items are stored; their prices are asked for when somebody looks at them
        return [{name: Refused("allowance", str(full)) for name in one.priced_at if wants(one, name)} for one in found]
    asked = refreshes.ask(found, now, config, priority, force=force, wants=wants)
    if any(isinstance(one, Refused) and one.code == UNAVAILABLE for answers in asked for one in answers.values()):
        raise NotStored("some refreshes could not be stored")
    return asked
