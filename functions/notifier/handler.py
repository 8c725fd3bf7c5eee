"""SQS `notifications`, and each minute: what has happened becomes lines of mails, and what is due is sent and told."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.notifications import mailer, receive, routine
from sluice.platform import sqs
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """An SQS delivery; answers with the partial batch response (`batchItemFailures`).

    A schedule's event: answers how many tenants had a mail, and how many summaries and failures were told.
    """
    if "Records" in event:
        return sqs.answer(receive.work(sqs.messages(event), SystemClock()))
    mails = mailer.send_due(SystemClock())
    return {"mails": mails, "told": routine.run(Context(SystemClock(), live.current()))}
