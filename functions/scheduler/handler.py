"""Each minute, and at once after a manual request: admit the work that is due."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.catalog import kinds as catalog  # noqa: F401 - these make their job kinds known
from sluice.jobs.dispatch import scheduler
from sluice.listings.stockx import kinds as operations  # noqa: F401
from sluice.marketplaces.accounts import table as accounts
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.observe import logger, metrics
from sluice.prices import kinds as prices  # noqa: F401


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`event` is ignored: a schedule's or a nudge's. Returns what the tick did."""
    return scheduler.run(accounts.statuses, SystemClock(), live.current())
