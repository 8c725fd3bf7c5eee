"""SQS `inventory`: store rows of imports, of items and of eBay listings, and ask for prices that are old."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.inventory.worker import work
from sluice.jobs.model import kinds
from sluice.platform import sqs
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.imports import takers
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("prices", "listings.ebay"))
takers.serve(capabilities.takers("inventory", "listings.ebay"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS delivery; answers with the partial batch response (`batchItemFailures`)."""
    failed = work(sqs.messages(event), Context(SystemClock(), live.current()))
    return sqs.answer(failed)
