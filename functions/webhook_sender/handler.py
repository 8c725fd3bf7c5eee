"""SQS `webhooks`, and each five minutes: send events to the endpoints that want them."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.platform import sqs
from sluice.platform.clock import SystemClock
from sluice.platform.observe import logger, metrics
from sluice.webhooks import overdue, sender
from sluice.webhooks.client import shared


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS delivery; answers with the partial batch response (`batchItemFailures`).

    A schedule's event: answers how many tenants had overdue deliveries.
    """
    if "Records" not in event:
        return {"overdue": overdue.wake(SystemClock().now())}
    failed = sender.work(sqs.messages(event), shared(), SystemClock())
    return sqs.answer(failed)
