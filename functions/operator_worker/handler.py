"""Each minute, and at once when an action was asked for: carry out what operators want done to many jobs."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.operator import work_run
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(
    capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions", "pages", "operator")
)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> work_run.WorkAnswer:
    """`event` is ignored: a schedule's or the API's. Returns what the run did."""
    clock = SystemClock()
    deadline = clock.now() + context.get_remaining_time_in_millis()
    return work_run.run(Context(clock, live.current()), deadline)
