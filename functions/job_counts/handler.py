"""Stream of table `jobs`, read a second time: counts how everybody's work goes, for whoever operates it."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.operator import depth
from sluice.platform.observe import logger


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Up to 1,000 stream records. If it fails, Lambda gives the same records again; they are counted once.

    Returns how many items of counters have moved.
    """
    return {"moved": depth.follow(event["Records"])}
