"""Many records at once: each is checked and stored on its own, and a bad one stops no other."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from sluice.listings.ebay import asking, taking
from sluice.listings.ebay.asking import Done
from sluice.listings.ebay.change import Asker
from sluice.platform.observe import logger
from sluice.platform.refused import UNAVAILABLE, Refused

THREADS: Final = 16


def put(asker: Asker, docs: Sequence[Mapping[str, Any]]) -> list[Done | Refused]:
    """Store these records; the answers are in their order. Of a sku that is given twice, the second is refused."""
    first: dict[str, int] = {}

    def one(place: int) -> Done | Refused:
        doc = docs[place]
        if first[doc["sku"]] != place:
            return Refused("sku", "is given twice")
        try:
            return asking.put(asker, taking.record(doc))
        except Refused as refused:
            return refused
        except Exception:  # noqa: BLE001 - answered for this record; the others go on
            logger.exception("a record could not be stored")
            return Refused("sku", "could not be stored just now; send it again", code=UNAVAILABLE)

    for place, doc in enumerate(docs):
        first.setdefault(doc["sku"], place)
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(len(docs))))
