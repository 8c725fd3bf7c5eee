"""The job kind of this capability: one look at one page. The host is its budget, so that each host has its own pace."""

from typing import Final

from sluice.jobs.model import keys
from sluice.jobs.model.job import Spec
from sluice.jobs.model.kinds import JobKind
from sluice.platform.config.document import PAGES, Config

# Nobody's name: a look is everybody's who tracks the page, and they see it there.
ASKER: Final = "@pages"
# A page, the shop's data of it, its currency.
CALLS: Final = 1

CHECK = JobKind("page.check", "sluice.pages.handler:run", frozenset({PAGES}), max_attempts=3)
KINDS = (CHECK,)


def job_id(product: str) -> str:
    """The job that looks at a product: there is one, so that two runs look once."""
    return keys.job_id(CHECK.name, product)


def spec(product: str, host: str, due_at: int, run: str, config: Config) -> Spec:
    """A look at a product from `due_at` on. run: the scheduler's run that asks for it."""
    account, limits = keys.account(PAGES, host), config.limits(PAGES)
    return Spec(
        job_id=job_id(product),
        kind=CHECK.name,
        tenant=ASKER,
        account=account,
        budget=keys.budget(account, by_account=limits.by_account),
        priority=keys.BACKGROUND,
        payload={"product": product, "run": run},
        calls=CALLS,
        due_at=due_at,
        lane_shards=limits.shards,
    )
