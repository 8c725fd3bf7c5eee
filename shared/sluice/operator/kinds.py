"""The job kind of this capability: an action on many jobs or dead letters, which goes on until all have been seen."""

from typing import Final

from sluice.jobs.ask import Wish
from sluice.jobs.model import keys
from sluice.jobs.model.kinds import JobKind
from sluice.platform.config.services import OPERATOR

ACTION: Final = JobKind("operator.action", "sluice.operator.handler:run", frozenset({OPERATOR}), max_attempts=10)
KINDS = (ACTION,)


def job_id(tenant: str, action_id: str) -> str:
    """The job that carries out an action."""
    return keys.job_id(ACTION.name, OPERATOR, tenant, action_id)


def wish(tenant: str, action_id: str, due_at: int) -> Wish:
    """To carry out an action of `tenant`, or what is left of it, from `due_at` on."""
    payload = {"tenant": tenant, "action_id": action_id}
    account = keys.account(OPERATOR, tenant)
    return Wish(ACTION, job_id(tenant, action_id), tenant, account, payload, calls=0, priority=keys.HOT, due_at=due_at)
