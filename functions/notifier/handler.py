"""SQS `notifications`, and each minute: what has happened becomes lines of mails, and mails that are due are sent."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.notifications import mailer, receive
from sluice.platform import sqs
from sluice.platform.clock import SystemClock
from sluice.platform.observe import logger, metrics


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS delivery; answers with the partial batch response (`batchItemFailures`).

    A schedule's event: answers how many tenants had a mail.
    """
    if "Records" in event:
        return sqs.answer(receive.work(sqs.messages(event), SystemClock()))
    return {"mails": mailer.send_due(SystemClock())}
