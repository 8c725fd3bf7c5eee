"""Whose calls are open, and whose are closed for a while: what decides to whom work of several askers goes."""

from collections import Counter

from sluice.jobs.budgets import ledger
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.dispatch.explain import Gate, held, paused
from sluice.jobs.dispatch.snapshot import Snapshot
from sluice.jobs.model import keys
from sluice.jobs.model.job import Job
from sluice.jobs.queue import urgency
from sluice.jobs.queue.lanes import Lane
from sluice.jobs.queue.rerun import account_of


class Budgets:
    """The budgets of one tick, each read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._usages: dict[str, Usage] = {}
        self._applications: dict[str, str | None] = {}
        self._taken = Counter[str]()

    def closed_long(self, lane: Lane, *, as_urgent: bool = True) -> bool:
        """Whether the calls of the lane's account, which works, are closed or used up for longer than `hand_over_ms`.

        as_urgent: for one who wants its work as urgently. Then for manual work, for which a person waits, any time is
        long. What an operator has paused is to wait; but what a tenant's own pause holds, and others have asked for
        too, goes to them: it stops nobody else's work.
        """
        now, config = self._snapshot.now, self._snapshot.config
        account = keys.lane_account(lane.lane)
        budget = self._charged(keys.lane_budget(lane.lane), account)
        waited_for = as_urgent and keys.lane_priority(lane.lane) == str(keys.MANUAL)
        patience_ms = 0 if waited_for else config.engine.hand_over_ms
        if pause := paused(account, budget, "", config, now):
            return pause.tenant is not None and (pause.until is None or pause.until - now > patience_ms)
        usage = self._usage(budget)
        # It may be closed and used up: the later of the two is when it can be charged again.
        empty_until = usage.empty_until(config.limits[keys.service_of(budget)], Window.of(budget, now))
        return max(usage.closed_until, empty_until or 0) - now > patience_ms

    def is_open(self, job: Job, tenant: str) -> bool:
        """Whether the account of `tenant`, which works, has calls for `job` now that nothing holds."""
        now, config = self._snapshot.now, self._snapshot.config
        account, budget = self._of(job, tenant)
        usage = self._usage(budget)
        if held(Gate(account, "ACTIVE", budget, usage), job.kind, config, now):
            return False
        # What is kept for manual and hot work is no opening for other work.
        kept = config.engine.reserve_percent if urgency.asked(job)[tenant] < keys.HOT else 0
        left = usage.left(config.limits[keys.service_of(budget)], kept)
        return left is None or left - self._taken[budget] > 0

    def take(self, job: Job, tenant: str) -> None:
        """Note that the calls of `job` are the account's of `tenant` from now on."""
        self._taken[self._of(job, tenant)[1]] += job.calls

    def _of(self, job: Job, tenant: str) -> tuple[str, str]:
        account, stored = account_of(job, tenant)
        return account, self._charged(stored, account)

    def _charged(self, stored: str, account: str) -> str:
        """The budget that pays for calls of `account`: of an application, where accounts share one."""
        if not keys.is_shared(stored):
            return stored
        if account not in self._applications:
            self._applications[account] = self._snapshot.accounts.applications({account}).get(account)
        return keys.charged_to(stored, self._applications[account])

    def _usage(self, budget: str) -> Usage:
        if budget not in self._usages:
            self._usages[budget] = ledger.read(budget, self._snapshot.now)
        return self._usages[budget]
