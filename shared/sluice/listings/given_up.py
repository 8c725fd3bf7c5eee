"""Publishes at eBay that ended without a success: their records are told, from the stream of table `jobs`, so that no
end is forgotten. What does it is loaded when there is one: it costs more to load than all else that reads the stream.
"""

from collections.abc import Iterable
from importlib import import_module

from sluice.jobs.model import keys
from sluice.jobs.model.events import Record, ended
from sluice.jobs.model.states import SUCCEEDED
from sluice.listings.live import PUBLISH


def tell(records: Iterable[Record]) -> int:
    """Have each eBay record whose publish `records` show to have died, or to be cancelled, say so; how many did not.

    Doing it twice changes nothing.
    """
    jobs = [job for record in records if (job := ended(record["dynamodb"]))]
    # By the key: of what could not be read nothing else may be known.
    lost = [job for job in jobs if job.state != SUCCEEDED and keys.job_parts(job.job_id)[0] == PUBLISH]
    return sum(import_module("sluice.listings.ebay.aftermath").given_up(job) for job in lost)
