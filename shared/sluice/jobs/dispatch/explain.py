"""Why a job is not running right now. Pure; the same reasons hold a lane back in the scheduler."""

from enum import StrEnum
from typing import NamedTuple

from sluice.jobs.budgets.shares import RELEASED_MS
from sluice.jobs.budgets.windows import Usage, Window
from sluice.jobs.model.keys import HOT, MANUAL, marketplace_of, service_of, spoken, tenant_of
from sluice.jobs.model.states import FINAL, LEASED, WAITING
from sluice.platform.clock import SECOND, iso
from sluice.platform.config.document import Config
from sluice.platform.config.pauses import Pause, holds_of

# The status of an account that is not there.
MISSING = "MISSING"


class Reason(StrEnum):
    """The one word for it."""

    FINAL = "final"
    RUNNING = "running"
    OPERATION = "operation"
    NOT_DUE = "not_due"
    PAUSED = "paused"
    ACCOUNT = "account"
    CLOSED = "closed"
    NO_BUDGET = "no_budget"
    READY = "ready"


class Wait(NamedTuple):
    """reason: the word. until: when it ends, epoch ms, None if nobody can know. message: for a person."""

    reason: Reason
    message: str
    until: int | None = None


class Gate(NamedTuple):
    """What lets a job through: an account, and the budget that its calls are charged to, as they stand.

    status: the account's, for the budget's service; `MISSING` where it is not connected. usage: of the budget.
    """

    account: str
    status: str
    budget: str
    usage: Usage


class Position(NamedTuple):
    """Where a job stands.

    standing: its priority with its age counted in. tenant: whose share of the budget it takes; "" where shares do not
    matter.
    """

    state: str
    due_at: int | None
    standing: int
    tenant: str = ""


def paused(account: str, budget: str, kind: str, config: Config, now: int) -> Pause | None:
    """The pause that keeps jobs of `kind` that are charged to `budget` from running through `account`."""
    names = holds_of(service_of(budget), marketplace_of(account), tenant_of(account), kind)
    return config.pauses.holding(names, now)


def held(gate: Gate, kind: str, config: Config, now: int) -> Wait | None:
    """What keeps jobs of `kind` from running through `gate`, if anything does."""
    account, status, budget, usage = gate
    if pause := paused(account, budget, kind, config, now):
        return Wait(Reason.PAUSED, pause.told(), pause.until)
    if status == MISSING:
        return Wait(Reason.ACCOUNT, f"account {account} is not connected: connect it, then its jobs run")
    if status != "ACTIVE":
        service = service_of(budget)
        where = "" if service == marketplace_of(account) else f" for {service}"
        return Wait(Reason.ACCOUNT, f"account {account} is {status}{where}: connect it again, then its jobs run")
    if usage.closed_until > now:
        message = f"the marketplace takes no calls: {usage.closed_reason}"
        if (refusals := usage.slowed.refusals) > 1:
            message += f"; it has refused {refusals} calls in a row, and each pause is longer than the one before"
        return Wait(Reason.CLOSED, message, usage.closed_until)
    limits = config.limits[service_of(budget)]
    if empty := usage.empty_until(limits, Window.of(budget, now)):
        return Wait(Reason.NO_BUDGET, f"the calls allowed on {spoken(budget)} are used up", empty)
    return None


def explain(job: Position, hold: Wait | None, gate: Gate, config: Config, now: int) -> Wait:
    """Why the job is where it is. hold: what `held` says of its gate."""
    state, due_at, standing, tenant = job
    budget, usage = gate.budget, gate.usage
    if state in FINAL:
        return Wait(Reason.FINAL, f"the job is over: {state}")
    if state == LEASED:
        return Wait(Reason.RUNNING, "a worker has it", due_at)
    if due_at is not None and due_at > now:
        if state == WAITING:
            return Wait(Reason.OPERATION, "the marketplace works on it; it is checked again then", due_at)
        if hold and (hold.until is None or hold.until >= due_at):
            return hold  # what put it off, or came since, lasts at least as long as its own time
        return Wait(Reason.NOT_DUE, "it is not due yet", due_at)
    if hold:
        return hold
    limits = config.limits[service_of(budget)]
    if standing < HOT and usage.scarce(limits, config.engine.reserve_percent):
        message = f"what is left of the calls on {spoken(budget)} is kept for manual and hot jobs"
        until = usage.scarce_until(limits, Window.of(budget, now), config.engine.reserve_percent)
        return Wait(Reason.NO_BUDGET, message, until)
    shares = usage.shares(budget, limits, now)
    if tenant and shares and not shares.fits(tenant, 1, {}):
        message = f"what is left of this hour's calls on {spoken(budget)} is kept for others who use it, and is freed"
        free_at = Window.of(budget, now).hour_start + RELEASED_MS
        return Wait(Reason.NO_BUDGET, f"{message} bit by bit until {iso(free_at)}", free_at)
    message = "it runs as soon as the scheduler reaches it"
    if standing < MANUAL and (ahead := usage.ahead(now)) > SECOND:
        message += f"; work that was handed out before has the calls on {spoken(budget)} until {iso(now + ahead)}"
    if usage.slowed.pace > limits.pace:
        usual = limits.spacing / SECOND
        paces = f"one in {usage.slowed.pace / SECOND:.1f} s instead of {usual:.1f} s"
        message += f"; calls on {spoken(budget)} are slow, {paces}, because the marketplace has refused some"
    return Wait(Reason.READY, message, due_at)
