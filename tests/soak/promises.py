"""What must hold in the end of every history, whatever happened: read from the sandbox's record and from the tables."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from pynamodb import exceptions

from sluice.jobs.model.job import Job
from sluice.jobs.model.states import DEAD, FINAL
from sluice.jobs.queue import cancel, tally
from sluice.operator import acting
from sluice.platform.clock import iso
from tests.crash.scenarios import seats
from tests.soak.town import CLOCK_MOST_MS, TENANTS, Asked, Town

# What a handler may fail with that is no fault of its own: what the storm raises, and what is made of it.
EXCUSED: Final = {
    *("ClientError", "ConnectionClosedError", "ReadTimeoutError", "Contention"),
    *(name for name, value in vars(exceptions).items() if isinstance(value, type)),
}


def broken(town: Town) -> Iterator[str]:
    """Each promise that does not hold, in words."""
    yield from _limits(town)
    yield from _answers(town)
    yield from _faults(town)
    yield from _counters(town)
    yield from _left(town)


def _limits(town: Town) -> Iterator[str]:
    """No window of a marketplace was ever over, as it counts arrivals itself."""
    for entry in town.sandbox.log.entries():
        if entry.over:
            yield f"{entry.method} {entry.path} of {entry.account}, {iso(entry.at_ms)}: over its limit, {entry.over}"


def _answers(town: Town) -> Iterator[str]:
    """Whoever asked for a job was told of an end of it that came after that; and where it died, has its dead letter.

    After that, as far as clocks tell, which are put back now and then.
    """
    ends = town.ends
    letters = {(one["tenant"]["S"], one["job_id"]["S"]) for one in town.store.items("dead_letters")}
    taken_back = _taken_back(town)
    for asked in town.asked:
        if asked.at <= taken_back.get(asked.tenant, 0) and not _is_wanted(asked):
            continue
        end = ends.get((asked.tenant, asked.job_id))
        if end is None or end.at < iso(asked.at - CLOCK_MOST_MS):
            when = end.at if end else "no time"
            yield f"{asked.tenant} asked for {asked.job_id} at {iso(asked.at)}, and heard of its end at {when}"
    for (tenant, job_id), end in ends.items():
        if end.state == DEAD and (tenant, job_id) not in letters:
            yield f"{tenant} was told that {job_id} is dead, and has no dead letter"


def _taken_back(town: Town) -> dict[str, int]:
    """Until when each tenant's operators have taken back all its prices: who takes back hears of no end."""
    found: dict[str, int] = {}
    for item in town.store.items("actions"):
        if item.get("action", {}).get("S") == acting.CANCEL:
            tenant, until = item["whose"]["S"], int(item["updated_at"]["N"])
            found[tenant] = max(until, found.get(tenant, 0))
    return found


def _is_wanted(asked: Asked) -> bool:
    """Whether the job is something that is not taken back by the many, or is to be done for this tenant still."""
    if not asked.job_id.startswith("market.refresh:"):
        return True
    job = cancel.find(asked.job_id, asked.tenant)
    return job is not None and job.state not in FINAL


def _faults(town: Town) -> Iterator[str]:
    """No handler failed by a fault of its own."""
    seen = Counter[str]()
    for table in ("jobs", "dead_letters"):
        for item in town.store.items(table):
            if "kind" not in item:
                continue
            for entry in _json(item, "history") or []:
                name = str(entry.get("message", "")).partition(" ")[0]
                if entry.get("code") == "handler_error" and name not in EXCUSED:
                    seen[f"{item['kind']['S']}: {entry['message']}"] += 1
    yield from (f"a handler failed {number} times: {fault}" for fault, number in seen.items())


def _counters(town: Town) -> Iterator[str]:
    """How many unfinished jobs each tenant has, as it is counted, is how many there are."""
    true = Counter((job.counted or job.tenant, job.kind) for job in Job.scan() if job.state not in FINAL)
    for tenant in TENANTS:
        for (kind, state), number in tally.counts(tenant).items():
            if state == tally.UNFINISHED and number != true[tenant, kind]:
                yield f"{number} unfinished {kind} of {tenant} are counted, and {true[tenant, kind]} are there"


def _left(town: Town) -> Iterator[str]:
    """Nothing is left behind: no seat that is taken, no message that nobody could handle."""
    yield from (f"the seat {seat} is taken" for seat in seats(town))
    for queue, message in town.set_aside:
        yield f"a message of {queue} could not be handled: {message.body[:200]}"
    for message in town.queues["dead"]:
        yield f"a message was set aside: {message.body[:200]}"


def _json(item: dict[str, Any], name: str) -> Any:
    return json.loads(item[name]["S"]) if name in item else None
