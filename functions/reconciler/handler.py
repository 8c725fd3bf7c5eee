"""Each minute: ask for looks at the listings that were confirmed longest ago."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.listings.ebay import reconciler
from sluice.listings.ebay.reconciler import ReconcileAnswer
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("listings.ebay"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> ReconcileAnswer:
    """`event` is ignored: a schedule's. Returns what the run did."""
    return reconciler.run(Context(SystemClock(), live.current()))
