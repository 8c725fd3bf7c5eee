"""HTTP API. Answers what is asked about prices, jobs and the service."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.listings.stockx import kinds as operations  # noqa: F401 - these make their job kinds known
from sluice.operator import api as admin
from sluice.platform.http import routing
from sluice.prices import api as market
from sluice.promotions import kinds as promotions  # noqa: F401

app = routing.app((*market.READ, *admin.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
