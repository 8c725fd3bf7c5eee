"""The order in which due jobs are admitted: by priority, which age raises, and among equals by tenants' turns. Pure.

```
 asked for       A1 A2 A3 A4 … A9999  then  B1 B2 B3     all background, one budget
 in turn         A1 B1 A2 B2 A3 B3 A4 A5 …               who goes first is drawn by lot, anew in each round
```
Age moves priority: after `age_limit_ms` a background job stands as if it were hot, after twice that as if it were
manual. A job stands at least as high as those that have their turn after it: otherwise the age of one tenant's long
queue would put all of it before the few jobs that another asked for later.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import BACKGROUND, HOT, MANUAL

_LADDER = (BACKGROUND, HOT, MANUAL)


def standing(candidate: Candidate, now: int, age_limit_ms: int) -> int:
    """The priority that a job stands for by itself: its own, raised one step for each age limit that it has waited."""
    step = _LADDER.index(candidate.priority) if candidate.priority in _LADDER else 0
    return _LADDER[min(len(_LADDER) - 1, step + max(0, now - candidate.created_at) // age_limit_ms)]


def lot(names: Collection[str], now: int) -> dict[str, bytes]:
    """A number for each of `names`, drawn anew for each `now`: whoever has the lowest goes first."""
    return {name: blake2b(f"{now} {name}".encode(), digest_size=8).digest() for name in names}


_NONE: Mapping[str, int] = {}


def in_turn(
    candidates: Sequence[Candidate], now: int, age_limit_ms: int, had: Mapping[str, int] = _NONE
) -> list[tuple[Candidate, int]]:
    """All of `candidates` (one budget's) in the order in which they run, each with the priority it is admitted with.

    Among those of one rank no tenant is given two more than another that has one waiting, with what each has `had`
    before counted in.
    """
    lots = lot({job.tenant for job in candidates}, now)
    standings = {job.job_id: standing(job, now, age_limit_ms) for job in candidates}

    def oldest(job: Candidate) -> Any:
        return job.created_at, job.job_id

    def highest(job: Candidate) -> Any:
        return -standings[job.job_id], job.created_at, job.job_id

    ranks: dict[int, list[Candidate]] = defaultdict(list)
    for equals in _grouped(candidates, lambda job: job.priority).values():
        rank = BACKGROUND
        for job in reversed(_turns(equals, lots, oldest, had)):
            rank = max(rank, standings[job.job_id])
            ranks[rank].append(job)
    return [(job, rank) for rank in sorted(ranks, reverse=True) for job in _turns(ranks[rank], lots, highest, had)]


def turns_at(
    candidates: Sequence[Candidate], now: int, had: Mapping[str, int] = _NONE, *, by_priority: bool = False
) -> list[Candidate]:
    """`candidates` in tenants' turns, each tenant's own longest due first.

    had: turns that tenants have had before. by_priority: each tenant's own urgent ones first.
    """
    lots = lot({job.tenant for job in candidates}, now)
    return _turns(candidates, lots, lambda job: (-job.priority * by_priority, job.due_at, job.job_id), had)


def _grouped(jobs: Sequence[Candidate], by: Callable[[Candidate], int]) -> Mapping[int, list[Candidate]]:
    groups: dict[int, list[Candidate]] = defaultdict(list)
    for job in jobs:
        groups[by(job)].append(job)
    return groups


def _turns(
    jobs: Sequence[Candidate], lots: Mapping[str, bytes], own: Callable[[Candidate], Any], had: Mapping[str, int]
) -> list[Candidate]:
    """One job of each tenant, then the next of each, and so on; those of a tenant in the order `own`.

    had: turns that tenants have had before.
    """
    turns = Counter(had)
    numbered = []
    for job in sorted(jobs, key=own):
        numbered.append((turns[job.tenant], lots[job.tenant], job))
        turns[job.tenant] += 1
    return [job for _, _, job in sorted(numbered, key=lambda each: each[:2])]
