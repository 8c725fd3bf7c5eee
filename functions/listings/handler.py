"""HTTP API. Takes changes of listings, and shows listings, their history and their operations."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.listings.stockx import api, bulk_api
from sluice.platform.http import routing

kinds.serve(capabilities.kinds("listings.stockx"))
app = routing.app((*bulk_api.ROUTES, *api.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
