"""What is overdue in lanes that others than the scheduler serve, and nobody holds: the alarm must know of it too.

The operation poller and the workers of services that limit what runs at once take jobs by themselves. If one of them
does not come any more, its jobs stand there, and only whoever looks from outside finds out.
"""

from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from sluice.jobs.budgets import ledger
from sluice.jobs.dispatch.explain import MISSING, Gate, held
from sluice.jobs.dispatch.fair_order import lot
from sluice.jobs.dispatch.snapshot import Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.queue import claim
from sluice.jobs.queue.lanes import Lane
from sluice.platform.clock import MINUTE

# What is due for less than this is not overdue: whoever serves the lane comes each minute.
LATE_MS = 5 * MINUTE
# Lanes that are read at once; of more, these are drawn by lot.
MOST_LANES = 200
THREADS = 16


def oldest(snapshot: Snapshot, marked: Iterable[Lane]) -> int | None:
    """Since when the longest overdue job in the lanes `marked` is due that nothing holds; None where there is none."""
    now, accounts = snapshot.now, snapshot.accounts
    names = [lane.lane for lane in marked]
    lots = lot(names, now)
    chosen = sorted(names, key=lambda name: lots[name])[:MOST_LANES]
    if not chosen:
        return None
    with ThreadPoolExecutor(min(THREADS, len(chosen))) as pool:
        pages = pool.map(lambda name: claim.page(name, now - LATE_MS, 1), chosen)
        late = [(name, job) for name, page in zip(chosen, pages, strict=True) for job in page.found]
    if not late:
        return None
    known = accounts.applications({job.account for _, job in late})
    by_budget: dict[str, list[Candidate]] = defaultdict(list)
    for name, job in late:
        by_budget[keys.charged_to(keys.lane_budget(name), known.get(job.account))].append(job)
    free: list[int] = []
    for budget, jobs in by_budget.items():
        usage = ledger.read(budget, now)
        status = accounts.statuses({job.account for job in jobs}, keys.service_of(budget))
        free += [
            job.due_at
            for job in jobs
            if not held(
                Gate(job.account, status.get(job.account, MISSING), budget, usage), job.kind, snapshot.config, now
            )
        ]
    return min(free, default=None)
