"""The job kind of this capability: one check of one page. The host is its budget: each host has its own pace."""

from typing import Final

from sluice.jobs.ask import Wish
from sluice.jobs.model import keys
from sluice.jobs.model.kinds import JobKind
from sluice.platform.config.services import PAGES

# Nobody's name: a check is everybody's who tracks the page, and they see it there.
ASKER: Final = "@pages"
# A page, the shop's data of it, its currency.
CALLS: Final = 1

CHECK = JobKind("page.check", "sluice.pages.handler:run", frozenset({PAGES}), max_attempts=3)
KINDS = (CHECK,)


def job_id(product: str) -> str:
    """The job that checks a product: there is one, so that two runs check it once."""
    return keys.job_id(CHECK.name, product)


def wish(product: str, host: str, due_at: int, run: str) -> Wish:
    """A check of a product from `due_at` on. run: the scheduler's run that asks for it."""
    payload = {"product": product, "run": run}
    return Wish(CHECK, job_id(product), ASKER, keys.account(PAGES, host), payload, calls=CALLS, due_at=due_at)
