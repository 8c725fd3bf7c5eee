"""Each minute, at once after a manual request, and at the second that somebody has asked for: admit what is due."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.dispatch import scheduler
from sluice.jobs.model import kinds
from sluice.marketplaces.accounts.dispatching import ACCOUNTS
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """A schedule's event, a nudge's, or messages that were held back. Returns what the last tick did."""
    return scheduler.answer(event, ACCOUNTS, Context(SystemClock(), live.current()))
