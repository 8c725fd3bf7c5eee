"""Which of the due jobs are admitted, when not all can be. Pure.

Priority decides, and age moves priority: after `age_limit_ms` a background job is picked as if it were hot, after twice
that as if it were manual; among equals the longest waiting goes first. So a background job waits at most twice the age
limit longer than it would in one queue for all, however much manual work keeps coming.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sluice.jobs.claim import Candidate
from sluice.jobs.keys import BACKGROUND, HOT, MANUAL

_LADDER = (BACKGROUND, HOT, MANUAL)


@dataclass(frozen=True)
class Room:
    """What a budget can take now.

    calls: what its windows have left (None: no limit). paced: calls that its slots can start within the horizon
    (None: no slots); manual work is admitted beyond it. scarce: little is left; only manual and hot work is admitted.
    """

    calls: int | None
    paced: int | None
    scarce: bool


def standing(candidate: Candidate, now: int, age_limit_ms: int) -> int:
    """The priority that a job is picked with: its own, raised one step for each age limit that it has waited."""
    step = _LADDER.index(candidate.priority) if candidate.priority in _LADDER else 0
    return _LADDER[min(len(_LADDER) - 1, step + max(0, now - candidate.created_at) // age_limit_ms)]


def pick(candidates: Sequence[Candidate], room: Room, now: int, age_limit_ms: int) -> list[Candidate]:
    """Those of `candidates` (one budget's) that are admitted, in the order in which they are to run.

    The first that does not fit ends the pick: were smaller ones let past it, a large job could wait for ever.
    """
    order = sorted(candidates, key=lambda job: (-standing(job, now, age_limit_ms), job.created_at, job.job_id))
    picked: list[Candidate] = []
    calls, paced = room.calls, room.paced
    for job in order:
        rank = standing(job, now, age_limit_ms)
        if room.scarce and rank < HOT:
            break
        if calls is not None and job.calls > calls:
            break
        if paced is not None and job.calls > paced and rank < MANUAL:
            break
        picked.append(job)
        calls = None if calls is None else calls - job.calls
        paced = None if paced is None else paced - job.calls
    return picked
