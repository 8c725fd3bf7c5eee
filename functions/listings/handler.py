"""HTTP API. Takes changes of listings, and shows listings, their history and their operations."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.operations import api, bulk_api
from sluice.platform import http

app = http.app((*bulk_api.ROUTES, *api.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return http.resolve(app, event, context)
