"""Each minute: ask for looks at listings. Each day: audit what is stored of some of them."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.listings.ebay import audit, reconciler
from sluice.listings.ebay.audit import AuditAnswer
from sluice.listings.ebay.reconciler import ReconcileAnswer
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.context import Context
from sluice.platform.observe import logger, metrics

kinds.serve(capabilities.kinds("listings.ebay"))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> ReconcileAnswer | AuditAnswer:
    """`event` is a schedule's: that of each day has `audit`. Returns what the run did."""
    work = audit.run if event.get("audit") else reconciler.run
    return work(Context(SystemClock(), live.current()))
