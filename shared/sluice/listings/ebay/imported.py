"""Rows of imports become records, and are published as such."""

from collections import Counter
from functools import partial
from typing import Final

from sluice.jobs.model import keys
from sluice.listings.ebay import asking, documents, many
from sluice.listings.ebay.asking import Done
from sluice.listings.ebay.change import Asker
from sluice.listings.ebay.desired import Desired
from sluice.platform.context import Context
from sluice.platform.imports import sheet
from sluice.platform.imports import table as imports
from sluice.platform.imports.chunks import Chunk
from sluice.platform.imports.takers import NotStored
from sluice.platform.observe import count
from sluice.platform.refused import UNAVAILABLE, Refused
from sluice.platform.sqs import CorruptMessage

# What a chunk says of its import: whose change it is in the history, and how its rows are numbered.
SUBJECT: Final = "subject"
COUNTS: Final = "counts"


def take(chunk: Chunk, context: Context) -> None:
    """Store the records of the chunk, have them published behind what people have just asked for, and count them.

    A record that was changed since the import was taken stays as it is. Doing it twice does no harm.

    Raises:
        NotStored: it must be done once more. CorruptMessage: its rows are no records.
    """
    rows = _read(chunk)
    config = context.config
    by = Asker(chunk.tenant, chunk.about[SUBJECT], chunk.at, "import", config, keys.BACKGROUND)
    wanted = [partial(_itself, record) for _, record in rows]
    done = list(zip((number for number, _ in rows), many.store(by, wanted, unless_newer=True), strict=True))
    refused = [(number, one) for number, one in done if isinstance(one, Refused)]
    # Whatever else becomes of the chunk, who looks for the jobs of the tenant finds those that there are.
    asking.remember(by, [one for _, one in done if isinstance(one, Done)], wake=False)
    if any(one.code == UNAVAILABLE for _, one in refused):
        raise NotStored("some records could not be stored")
    # The import has an attribute for each outcome, by its name.
    counts = Counter(str(one.outcome) for _, one in done if isinstance(one, Done))
    told = [sheet.refused(chunk.about[COUNTS], number, one.fields) for number, one in refused]
    if imports.finish(chunk, counts, context.now(), refused=told, keep_ms=config.engine.retention_ms):
        count("ListingsImported", len(done) - len(refused))


def _read(chunk: Chunk) -> list[tuple[int, Desired]]:
    """The number and the record of each row."""
    try:
        if not {SUBJECT, COUNTS} <= chunk.about.keys():
            raise ValueError("nobody is said whose change it is")
        return [(int(number), documents.of_document(doc)) for number, doc in chunk.rows]
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise CorruptMessage(f"no records: {type(error).__name__}") from error


def _itself(record: Desired) -> Desired:
    return record
