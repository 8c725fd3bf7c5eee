"""SQS `work` and `manual`: run batches of claimed jobs."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.jobs.run.worker import work
from sluice.platform import sqs
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS delivery; answers with the partial batch response (`batchItemFailures`)."""
    clock = SystemClock()
    deadline = clock.now() + context.get_remaining_time_in_millis()
    failed = work(sqs.messages(event), Context(clock, live.current()), deadline)
    return sqs.answer(failed)
