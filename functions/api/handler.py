"""HTTP API. Answers what is asked about prices, jobs, events and the service."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.feed import api as feed
from sluice.jobs.model import kinds
from sluice.operator import api as operator
from sluice.platform.http import routing
from sluice.prices import api as prices

kinds.serve(capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions"))
app = routing.app((*prices.READ, *operator.ROUTES, *feed.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
