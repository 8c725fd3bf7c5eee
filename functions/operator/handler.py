"""HTTP API. Shows whoever operates Sluice whether it works and what is in the way, and does what they want done."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.operator import (
    actions_api,
    budgets_api,
    configuration_api,
    deployment_api,
    jobs_api,
    metrics_api,
    overview_api,
    pauses_api,
    run_api,
    what_if_api,
    work_api,
)
from sluice.platform.http import routing

kinds.serve(
    capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions", "pages", "operator")
)
PARTS = (
    overview_api,
    jobs_api,
    work_api,
    budgets_api,
    deployment_api,
    actions_api,
    metrics_api,
    run_api,
    pauses_api,
    configuration_api,
    what_if_api,
)
app = routing.app([route for part in PARTS for route in part.ROUTES])


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
