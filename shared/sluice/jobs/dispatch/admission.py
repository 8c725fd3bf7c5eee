"""Which of the due jobs are admitted, when not all can be. Pure; `fair_order` says in which order they come."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sluice.jobs.budgets.shares import Shares
from sluice.jobs.dispatch.fair_order import in_turn, turns_at
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.keys import HOT, MANUAL, subject


class Room(NamedTuple):
    """What a budget can take now.

    shares: of the hour, where tenants share the budget of an application.
    calls: what its windows have left. spare: what of that background work may take; the rest is kept for manual and
    hot work. paced: calls that its slots can start within the horizon. soon: calls of manual work that they can start
    within its own, shorter one; checks: calls of one look at operations. Each is None where nothing limits it.
    least: other than manual work is admitted only where its slots have room for so many calls.
    """

    calls: int | None
    spare: int | None
    paced: int | None
    shares: Shares | None = None
    soon: int | None = None
    checks: int | None = None
    least: int = 0

    def opens(self, taken: int) -> bool:
        """Whether the slots have room for other than manual work, where that has, or waits for, so many calls.

        A run that manual work asks for, each second or two, finds room for the job or two that could start since the
        last. It leaves them: a batch of one costs nearly what a full one costs.
        """
        return self.paced is None or self.paced - taken >= max(1, self.least)

    def kept_from(self, job: Candidate, taken: Mapping[str, int]) -> bool:
        """Whether `job` would take what is kept for other tenants. taken: calls by tenant, in this pick."""
        return self.shares is not None and not self.shares.fits(job.tenant, job.calls, taken)


# Candidates by budget.
Picked = dict[str, list[Candidate]]


def pick(candidates: Sequence[Candidate], room: Room, now: int, age_limit_ms: int) -> list[Candidate]:
    """Those of `candidates` (one budget's) that are admitted, in the order in which they are to run.

    The first that does not fit ends the pick: were smaller ones let past it, a large job could wait for ever. What is
    kept for other tenants ends only its own tenant's. Manual work that the slots cannot start soon stays where it is: a
    worker that had it would only wait, and others' work would wait for that worker. What comes after it does not get
    its calls.
    """
    picked: list[Candidate] = []
    by_tenant, over = Counter[str](), set[str]()
    manual, left_behind, subjects = 0, 0, set[str]()
    had = room.shares.had if room.shares else {}
    opens: bool | None = None
    for job, rank in in_turn(candidates, now, age_limit_ms, had):
        taken = by_tenant.total() + left_behind
        if room.calls is not None and taken + job.calls > room.calls:
            break
        if room.spare is not None and taken + job.calls > room.spare and rank < HOT:
            break
        # Its first call starts within the horizon: a run of many calls must not wait for a horizon that holds them all.
        if job.manual and room.soon is not None and manual >= room.soon and subject(job.job_id) not in subjects:
            left_behind += job.calls
            continue
        if rank < MANUAL:
            opens = room.opens(taken) if opens is None else opens
            if not opens or (room.paced is not None and taken >= room.paced):
                break
        if job.tenant in over or room.kept_from(job, by_tenant):
            over.add(job.tenant)
            continue
        picked.append(job)
        by_tenant[job.tenant] += job.calls
        # Those about the same may be answered by one call, if they are handed out together.
        if job.manual and subject(job.job_id) not in subjects:
            subjects.add(subject(job.job_id))
            manual += job.calls
    return picked


def batches(jobs: Sequence[Candidate], most: int) -> Iterator[list[Candidate]]:
    """`jobs` in their order, `most` at a time. Neighbours that are about the same stay together where they fit.

    A marketplace may answer all of them in one call, which only jobs of one batch can share for certain.
    """
    start = 0
    while start < len(jobs):
        end = start + most
        if end < len(jobs):
            end = next((cut for cut in range(end, start, -1) if _apart(jobs[cut - 1], jobs[cut])), end)
        yield list(jobs[start:end])
        start = end


def _apart(one: Candidate, following: Candidate) -> bool:
    return subject(one.job_id) != subject(following.job_id)


def longest_unseen(
    waiting: Mapping[str, Sequence[Candidate]],
    rooms: Mapping[str, Room],
    most: int,
    now: int,
    *,
    by_priority: bool = False,
) -> Picked:
    """Those of the operations `waiting`, by budget, that are checked: in tenants' turns, `most` of all budgets.

    A tenant's own longest due is first. Priority does not count: what the marketplace works on was admitted before.
    Each check moves a job to the end, so all have their turn. A budget without room for its first gives way to the
    others.

    by_priority: of what is to be begun, rather than checked: a tenant's urgent ones first.
    """
    budget_of = {job.job_id: budget for budget, jobs in waiting.items() for job in jobs}
    picked: Picked = defaultdict(list)
    taken, full, left = Counter[str](), set[str](), most
    for job in turns_at([job for jobs in waiting.values() for job in jobs], now, by_priority=by_priority):
        budget = budget_of[job.job_id]
        if not left:
            break
        room, sum_ = rooms[budget], taken[budget]
        if room.calls is not None and sum_ + job.calls > room.calls:
            full.add(budget)
        if room.paced is not None and sum_ >= room.paced:
            full.add(budget)
        if budget not in full:
            picked[budget].append(job)
            taken[budget] += job.calls
            left -= 1
    return picked
