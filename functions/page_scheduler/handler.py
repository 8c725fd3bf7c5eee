"""Each minute: if it is time for it, ask for the checks of product pages that are due."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.pages import schedule
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("pages"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """`event` is ignored: a schedule's. Returns what the run did."""
    return schedule.tick(Context(SystemClock(), live.current()))
