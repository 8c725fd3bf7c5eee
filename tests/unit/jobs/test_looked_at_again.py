"""Who changes a job that waits acts on it as it is: what somebody else changes after it was read is looked at again."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.jobs.model import keys
from sluice.jobs.model.candidate import Candidate
from sluice.jobs.model.job import Job
from sluice.jobs.model.outcomes import Failure
from sluice.jobs.queue import cancel, claim, finish, hasten
from sluice.jobs.queue.enqueue import enqueue
from sluice.platform.clock import HOUR, MINUTE
from sluice.platform.config.document import Config
from tests.support.store import Answer, Request, Send, Store
from tests.support.work import spec
from tests.unit.jobs.conftest import NOON

CONFIG = Config()
JOB_ID = spec().job_id

# Who changes the job, and how many writes of it come before the one that counts: the attempt to create it anew.
WRITERS: dict[str, tuple[Callable[[], object], int]] = {
    "cancel": (lambda: cancel.cancel(JOB_ID, "acme", NOON, CONFIG), 0),
    "try now": (lambda: hasten.try_now(JOB_ID, None, NOON), 0),
    "join": (lambda: enqueue(spec(tenant="initech", priority=keys.MANUAL), NOON), 1),
    "ask again": (lambda: enqueue(spec(tenant="zeta", priority=keys.MANUAL), NOON), 1),
}

# What others change: a claim, the end of a run, another request, an operator.
CHANGES: dict[str, tuple[Any, set[str]]] = {
    "state": (Job.state.set("leased"), {"cancel", "try now", "join"}),
    "lease": (Job.lease.add(1), {"cancel", "try now", "join"}),
    "lane": (Job.lane.set("elsewhere#100#0"), {"try now"}),
    "due": (Job.due_at.set(NOON + 2 * HOUR), {"try now"}),
    "begun": (Job.begun.set(True), {"cancel"}),
    "who pays": (Job.tenant.set("zeta"), {"cancel", "join"}),
    "who asks": (Job.askers.add({"globex"}), {"cancel"}),
    "nobody else asks": (Job.askers.remove(), {"cancel", "join", "ask again"}),
    "who may see it": (Job.tenants.add({"globex"}), {"cancel"}),
    "priority": (Job.priority.set(keys.HOT), {"cancel", "join"}),
}


def asked_by_two_and_failed() -> None:
    for tenant in ("acme", "zeta"):
        enqueue(spec(tenant=tenant), NOON)
    job = claim.claim(Candidate.of(Job.get(JOB_ID)), NOON, MINUTE)
    assert job
    finish.fail(job, Failure("503", retry_at=NOON + HOUR), NOON, CONFIG, chance=0)


@pytest.mark.parametrize(
    ("change", "writer"), [(change, writer) for change, (_, writers) in CHANGES.items() for writer in sorted(writers)]
)
def test_what_somebody_else_changes_meanwhile_is_looked_at_again(change: str, writer: str, store: Store) -> None:
    asked_by_two_and_failed()
    write, before = WRITERS[writer]
    number, refused = 0, list[int]()

    def around(request: Request, send: Send) -> Answer:
        nonlocal number
        if request.operation != "UpdateItem" or "job_id" not in request.parameters["Key"]:
            return send()
        number += 1
        if number == before + 1:
            store.around = None
            Job(JOB_ID).update(actions=[CHANGES[change][0]])
            store.around = around
        try:
            return send()
        except ClientError:
            refused.append(number)
            raise

    store.around = around
    write()
    assert before + 1 in refused
