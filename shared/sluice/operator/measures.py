"""What the stream of table `jobs` says of how the work goes: each change of a job as steps of counters. Pure.

```
 change of a job             counters of now                        counters of the hour
 asked for                   n:market.refresh:stockx:queued  + 1    c:market.refresh:stockx + 1
 claimed                     …:queued - 1, …:leased + 1             d:market.refresh:stockx:m:3 + 1   waited 2 to 5 s
 tried in vain               …:leased - 1, …:queued + 1             f:market.refresh:stockx + 1
 put off                     …:leased - 1, …:queued + 1             z:… + 1
 over                        …:leased - 1, …:succeeded + 1          e:…:succeeded, t:…:7, s:…, a:…    took 60 to 120 s
 forgotten (TTL)             …:succeeded - 1
```
A job with an error is counted once more by its code (`x:kind:marketplace:state:code`), so that a filter by code
needs no reading of jobs either. What was asked for in an hour stands beside every other counter of the queue, 0 too:
so an hour that an older version has counted is told from one in which nobody asked.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from json import JSONDecodeError, loads
from typing import Any, NamedTuple

from sluice.jobs.model import keys
from sluice.jobs.model.states import ALL, DEAD, FINAL, LEASED, QUEUED, SUCCEEDED
from sluice.platform.clock import DAY, HOUR, MINUTE, SECOND

# The buckets of times: each holds what is longer than the bound before it, and at most as long as its own. One more
# holds what is longer than a day.
BOUNDS = (
    *(SECOND // 2, SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 30 * SECOND),
    *(MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 6 * HOUR, DAY),
)
# Jobs that somebody waits for, and the others: their delays are counted apart.
MANUAL, OTHERS = "m", "o"
NO_CODE = "unknown"

# An item of a stream, as DynamoDB writes it.
Image = Mapping[str, Any]


class CounterStep(NamedTuple):
    """A counter moves. hour: of its beginning, epoch ms, in which it is counted; None for what is so now."""

    tenant: str
    hour: int | None
    name: str
    by: int


class Measured(NamedTuple):
    """What is counted of a job."""

    tenant: str
    kind: str
    marketplace: str
    state: str
    code: str
    numbers: Mapping[str, int]

    @property
    def queue(self) -> str:
        """Jobs of one kind at one marketplace are a queue."""
        return f"{self.kind}:{self.marketplace}"


def bucket(ms: int) -> int:
    """The number of the bucket that a time of `ms` falls into."""
    return bisect_left(BOUNDS, max(0, ms))


def quantile(buckets: Mapping[int, int], percent: int, bounds: Sequence[int] = BOUNDS) -> int | None:
    """A time, in ms, that at least `percent` of those in `buckets` did not exceed: a bucket's bound; None of none.

    What is longer than the last bound is told as that.
    """
    total = sum(buckets.values())
    needed, found = -(-total * percent // 100), 0
    for number in sorted(buckets):
        found += buckets[number]
        if found >= needed > 0:
            return bounds[min(number, len(bounds) - 1)]
    return None


def steps(old: Image | None, new: Image | None) -> list[CounterStep]:
    """Which counters move when a job changes from `old` to `new`; what is no job counts as not there."""
    before, after = _seen(old), _seen(new)
    moved = Counter[tuple[str, str]]()
    for seen, by in ((before, -1), (after, 1)):
        for name in _places(seen):
            moved[seen.tenant if seen else "", name] += by
    found = [CounterStep(tenant, None, name, by) for (tenant, name), by in moved.items() if by]
    if after and (before is None or before.state != after.state):
        found += _of_hour(before, after)
    return found


def pending(queue: str, now: int, of_hours: Sequence[Mapping[str, int]]) -> list[int | None]:
    """How many jobs of a queue were not over at the end of each hour.

    now: how many are not. of_hours: counters, the oldest hour first, the last one the present; so is what is returned.
    None: an older version has counted what came since, and not all of it.
    """
    found: list[int | None] = []
    known: int | None = now
    for counters in reversed(of_hours):
        found.append(known)
        asked, ended = counters.get(f"c:{queue}"), sum(counters.get(f"e:{queue}:{state}", 0) for state in FINAL)
        if known is not None:
            known = None if asked is None and ended else max(0, known - (asked or 0) + ended)
    return found[::-1]


def ends(of_hours: Mapping[str, int]) -> dict[tuple[str, str], Counter[str]]:
    """How many jobs of each kind and marketplace ended in each state, by the counters of hours."""
    found: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, number in of_hours.items():
        letter, *place = name.split(":")
        if letter == "e" and len(place) == 3:
            kind, marketplace, state = place
            found[kind, marketplace][state] += number
    return dict(found)


def total(found: Iterable[CounterStep]) -> dict[tuple[str, int | None], dict[str, int]]:
    """All steps of each item of counters, by tenant and hour; those that stay where they were are left out.

    What was asked for is not: it says also that nothing was.
    """
    sums: dict[tuple[str, int | None], Counter[str]] = {}
    for step in found:
        sums.setdefault((step.tenant, step.hour), Counter())[step.name] += step.by
    moved = {item: {name: by for name, by in sums[item].items() if by or name.startswith("c:")} for item in sums}
    return {item: names for item, names in moved.items() if names}


def _places(seen: Measured | None) -> list[str]:
    if seen is None:
        return []
    place = f"{seen.queue}:{seen.state}"
    return [f"n:{place}", *([f"x:{place}:{seen.code}"] if seen.code else [])]


def _of_hour(before: Measured | None, after: Measured) -> list[CounterStep]:
    at, queue = after.numbers["updated_at"], after.queue
    names = _moved(before, after) if before else {}
    found = [CounterStep(after.tenant, at - at % HOUR, name, by) for name, by in names.items() if by]
    asked = _is_asked(before, after)
    if found or asked:
        found.append(CounterStep(after.tenant, at - at % HOUR, f"c:{queue}", int(asked)))
    return found


def _moved(before: Measured, after: Measured) -> dict[str, int]:
    at, queue, names = after.numbers["updated_at"], after.queue, dict[str, int]()
    if after.state == LEASED and before.state == QUEUED:
        whose = MANUAL if after.numbers["priority"] >= keys.MANUAL else OTHERS
        # What is asked for now is due a second earlier, for clocks that differ: nobody has waited since then.
        since = max(before.numbers["due_at"], before.numbers["created_at"])
        names[f"d:{queue}:{whose}:{bucket(at - since)}"] = 1
    elif ended := _ended(before, after):
        names[f"e:{queue}:{ended}"] = 1
        if ended == SUCCEEDED:
            took = max(0, at - before.numbers["created_at"])
            names |= {f"t:{queue}:{bucket(took)}": 1, f"s:{queue}": took, f"a:{queue}": before.numbers["attempts"]}
    elif before.state == LEASED and after.state == QUEUED and after.code:
        put_off = after.numbers["attempts"] < before.numbers["attempts"]
        names[f"{'z' if put_off else 'f'}:{queue}"] = 1
    return names


def _is_asked(before: Measured | None, after: Measured) -> bool:
    """Whether the job is asked for by this change: it is new, was over, or runs once more."""
    if after.state in FINAL:
        return False
    return before is None or before.state in FINAL or _ended(before, after) is not None


def _ended(before: Measured, after: Measured) -> str | None:
    """The state in which a run ended by this change; None if none did. A job that runs once more begins anew."""
    if after.state in FINAL:
        return after.state
    if before.state == LEASED and before.numbers["created_at"] != after.numbers["created_at"]:
        return DEAD if after.code else SUCCEEDED
    return None


def _seen(image: Image | None) -> Measured | None:
    """What is counted of the item; None for what is no job."""
    texts = {name: (image or {}).get(name, {}).get("S", "") for name in ("tenant", "kind", "state", "account", "error")}
    if not (texts["tenant"] and texts["kind"] and texts["account"] and texts["state"] in ALL):
        return None
    counted = ("updated_at", "created_at", "due_at", "priority", "attempts")
    numbers = {name: _number((image or {}).get(name)) for name in counted}
    marketplace = keys.marketplace_of(texts["account"])
    return Measured(texts["tenant"], texts["kind"], marketplace, texts["state"], _code(texts["error"]), numbers)


def _code(error: str) -> str:
    if not error:
        return ""
    try:
        code = loads(error)["code"]
    except (JSONDecodeError, KeyError, TypeError):
        return NO_CODE
    return str(code)[:64].replace(":", "_") or NO_CODE


def _number(value: Any) -> int:
    try:
        return int(value["N"])
    except (KeyError, TypeError, ValueError):
        return 0
