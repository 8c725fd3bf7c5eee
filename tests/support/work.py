"""A job kind whose handler a test sets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sluice.jobs.model import keys, kinds
from sluice.jobs.model.backoff import Backoff
from sluice.jobs.model.job import Spec
from sluice.jobs.model.kinds import JobKind
from sluice.jobs.model.outcomes import HandlerResult
from sluice.jobs.model.run import Run

KIND = JobKind("test.work", f"{__name__}:handle", frozenset({"stockx"}), max_attempts=3, backoff=Backoff(1_000, 60_000))

Handler = Callable[[Run], HandlerResult]
_handlers: list[Handler] = []


def handle(run: Run) -> HandlerResult:
    """What the engine calls."""
    return _handlers[-1](run)


@contextmanager
def kind(handler: Handler = lambda run: {}) -> Iterator[JobKind]:
    """Make the kind known, with `handler` behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(kinds._KINDS, KIND.name, KIND)
        _handlers.append(handler)
        try:
            yield KIND
        finally:
            _handlers.pop()


def spec(
    name: str = "one",
    *,
    tenant: str = "acme",
    priority: int = keys.BACKGROUND,
    calls: int = 1,
    due_at: int = 0,
    shared: bool = True,
    force: bool = False,
) -> Spec:
    """A request for work called `name`, on the tenant's own account."""
    account = keys.account("stockx", tenant)
    return Spec(
        job_id=keys.job_id(KIND.name, "stockx", name),
        kind=KIND.name,
        tenant=tenant,
        account=account,
        budget=account,
        priority=priority,
        payload={"sku": name, "force": True} if force else {"sku": name},
        calls=calls,
        due_at=due_at,
        shared=shared,
    )
