"""HTTP API. Connects marketplace accounts and shows how they fare."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.marketplaces.accounts import api
from sluice.platform.http import routing

app = routing.app(api.ROUTES)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
