"""Twice a minute: check the operations that the marketplace works on."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.listings.stockx import poll_run
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("listings.stockx"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> poll_run.PollAnswer:
    """`event` is a schedule's, the delayed one's, or another run's with a portion. Returns what the run did."""
    clock = SystemClock()
    deadline = clock.now() + context.get_remaining_time_in_millis()
    return poll_run.answer(event, Context(clock, live.current()), deadline)
