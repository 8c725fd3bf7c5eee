"""Stream of table `jobs`: put an event on the bus for each job that has ended, and count what each tenant has."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.jobs.model import events
from sluice.jobs.queue import tally
from sluice.platform.observe import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """A batch of stream records. If it fails, Lambda gives the same batch again. Returns how many jobs have ended."""
    published = events.publish(event["Records"])
    tally.follow(event["Records"])  # when nothing can make the batch come again
    return {"published": published}
