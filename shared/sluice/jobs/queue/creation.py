"""The write of a new job: what its attributes are set to, and when it may be made. `enqueue` makes it."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action as Update

from sluice.jobs.model import history, keys
from sluice.jobs.model.job import MOST_ASKERS, VERSION, Job, Spec
from sluice.jobs.model.states import FINAL, QUEUED
from sluice.platform.clock import SECOND
from sluice.platform.prepared import Prepared, Raw, value

# By how much the clocks of two functions may differ.
CLOCK_SKEW_MS = SECOND

_OF_EARLIER_RUNS = (
    *(Job.result, Job.error, Job.history, Job.rerun, Job.rerun_payload),
    *(Job.begun, Job.letter, Job.expires_at, Job.counted, Job.askers, Job.priorities),
    *(Job.rerun_askers, Job.rerun_payer, Job.rerun_priorities, Job.rerun_held),
)


def of_earlier_runs(spec: Spec, now: int) -> list[Update]:
    """What stays of earlier runs: nothing, or what the letter knows that is replayed."""
    kept = dict[str, Any]()
    if origin := spec.origin:
        replayed: history.Entry = {"at": now, "event": "replay", "attempt": 0}
        kept = {"letter": origin.letter, "history": history.add(origin.history, replayed)}
        kept |= {"begun": True} if origin.begun else {}
    return [
        attribute.set(kept[attribute.attr_name]) if attribute.attr_name in kept else attribute.remove()
        for attribute in _OF_EARLIER_RUNS
    ]


def due_at_of(wanted: int, now: int) -> int:
    """When the job is due: as wanted, or a moment ago, so that a scheduler whose clock lags behind ours sees it too."""
    return max(wanted, now - CLOCK_SKEW_MS)


def lane_of(spec: Spec) -> str:
    """The lane that the job of `spec` waits in."""
    return keys.lane(spec.budget, spec.account, spec.priority, spec.job_id, spec.lane_shards)


def _few_askers() -> Condition:
    few: Condition = size(Job.tenants) < MOST_ASKERS  # type: ignore[no-untyped-call]
    return few


def values_of(spec: Spec, now: int) -> dict[str, Raw]:
    """What a new job's attributes are set to."""
    return {
        "kind": {"S": spec.kind},
        "lane": {"S": lane_of(spec)},
        "due_at": value(Job.due_at, due_at_of(spec.due_at, now)),
        "priority": value(Job.priority, spec.priority),
        "tenant": {"S": spec.tenant},
        "tenants": value(Job.tenants, {spec.tenant}),
        "account": {"S": spec.account},
        "budget": {"S": spec.budget},
        "calls": value(Job.calls, spec.calls),
        "payload": value(Job.payload, spec.payload),
        "now": value(Job.created_at, now),
    }


_TYPES = {
    **dict.fromkeys(("kind", "lane", "tenant", "account", "budget", "token"), "S"),
    **dict.fromkeys(("due_at", "priority", "calls", "now"), "N"),
    "tenants": "SS",
    "payload": Job.payload.attr_type,
}


def creation(of: Mapping[str, Raw], *, keep_askers: bool) -> tuple[list[Update], Condition]:
    """The write of a new job, with values as `values_of`; what stays of earlier runs is not in it."""
    condition = Job.job_id.does_not_exist() | Job.state.is_in(*sorted(FINAL))
    if keep_askers:
        condition &= Job.tenants.does_not_exist() | _few_askers() | Job.tenants.contains(of["tenant"]["S"])
    actions: list[Update] = [
        Job.kind.set(of["kind"]),
        Job.state.set(QUEUED),
        Job.lane.set(of["lane"]),
        Job.due_at.set(of["due_at"]),
        # The lease number lives on, so that a late worker of an earlier run can never match this one.
        Job.lease.set(Job.lease | 0),
        Job.attempts.set(0),
        Job.priority.set(of["priority"]),
        Job.tenant.set(of["tenant"]),
        Job.tenants.add(of["tenants"]) if keep_askers else Job.tenants.set(of["tenants"]),
        Job.account.set(of["account"]),
        Job.budget.set(of["budget"]),
        Job.calls.set(of["calls"]),
        Job.payload.set(of["payload"]),
        Job.created_at.set(of["now"]),
        Job.updated_at.set(of["now"]),
        Job.version.set(VERSION),
    ]
    return actions, condition


@cache
def prepared(keep_askers: bool) -> Prepared:
    """The same for a job of which nothing stays of earlier runs, with the token of the write (see `tables.update`)."""

    def fill(of: Mapping[str, Raw]) -> tuple[list[Update], Condition]:
        actions, condition = creation(of, keep_askers=keep_askers)
        removed = [attribute.remove() for attribute in _OF_EARLIER_RUNS]
        return [*actions, *removed, Job.ask_token.set(of["token"])], condition & ~(Job.ask_token == of["token"])

    return Prepared(Job, fill, _TYPES)
