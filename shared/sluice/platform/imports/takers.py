"""Who stores the rows of imports: a function says which kinds it serves, and loads who stores them when rows come."""

from collections.abc import Mapping
from importlib import import_module

from sluice.platform.context import Context
from sluice.platform.imports import table
from sluice.platform.imports.chunks import Chunk
from sluice.platform.sqs import CorruptMessage

_MODULES: dict[str, str] = {}


class NotStored(Exception):  # noqa: N818 - the message is delivered again
    """Some of it could not be written, for a reason of ours."""


def serve(modules: Mapping[str, str]) -> None:
    """From now on this function stores rows of these kinds: each by its name, with the module that has its `take`."""
    _MODULES.update(modules)


def take(chunk: Chunk, context: Context) -> None:
    """Store the rows of the chunk, and count what became of them, unless that is done. Done twice, it does no harm.

    Raises:
        NotStored: it must be done once more. CorruptMessage: nobody here stores such rows.
    """
    if chunk.kind not in _MODULES:
        raise CorruptMessage(f"rows of kind {chunk.kind[:40]!r} are stored by nobody here")
    found = table.find(chunk.kind, chunk.tenant, chunk.import_id)
    if found and not table.is_open(found, chunk.chunk, chunk.at):
        return  # where the record is gone, the message has come back from the dead-letter queue after days
    import_module(_MODULES[chunk.kind]).take(chunk, context)
