"""All tenants, by name: those that have made a request, and those whose jobs are counted.

Whoever has anything has asked for it. Both lists are read, since one that had jobs before requests put tenants into a
list has made none since.
"""

from sluice.operator import counts
from sluice.platform import usage


def names(after: str, limit: int) -> list[str]:
    """Up to `limit` tenants that come after `after`."""
    return sorted(found(after, limit))


def found(after: str, limit: int) -> dict[str, dict[str, int]]:
    """Up to `limit` tenants that come after `after`, by name; each with its counters of jobs (see `counts.now`)."""
    counted, asked = dict(counts.tenants(after, limit)), usage.tenants(after, limit)
    return {name: counted.get(name, {}) for name in sorted({*counted, *asked})[:limit]}
