"""Many records at once: each is checked and stored on its own, and a bad one stops no other."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from sluice.listings.ebay import asking, taking
from sluice.listings.ebay.asking import Done
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.desired import Desired
from sluice.platform.observe import logger
from sluice.platform.refused import UNAVAILABLE, Refused

THREADS: Final = 16


def put(asker: Asker, docs: Sequence[Mapping[str, Any]]) -> list[Done | Refused]:
    """Store these records; the answers are in their order. Of a sku that is given twice, the second is refused."""
    first: dict[str, int] = {}
    for place, doc in enumerate(docs):
        first.setdefault(doc["sku"], place)

    def one(place: int) -> Desired:
        if first[docs[place]["sku"]] != place:
            raise Refused("sku", "is given twice")
        return taking.record(docs[place])

    return store(asker, [partial(one, place) for place in range(len(docs))])


def store(asker: Asker, wanted: Sequence[Callable[[], Desired]], *, unless_newer: bool = False) -> list[Done | Refused]:
    """Store these records; the answers are in their order. Each is called for the record itself, and may refuse it.

    unless_newer: as `asking.put`.
    """

    def one(make: Callable[[], Desired]) -> Done | Refused:
        try:
            return asking.put(asker, make(), unless_newer=unless_newer)
        except Refused as refused:
            return refused
        except Exception:  # noqa: BLE001 - answered for this record; the others go on
            logger.exception("a record could not be stored")
            return Refused("sku", "could not be stored just now; send it again", code=UNAVAILABLE)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, wanted))
