"""HTTP API. Takes requests for fresh prices, and for a catalog without gaps."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.catalog import api as enrichment_api
from sluice.jobs.model import kinds
from sluice.platform.http import routing
from sluice.prices import api

kinds.serve(capabilities.kinds("catalog", "prices"))
app = routing.app((*api.ENQUEUE, *enrichment_api.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
