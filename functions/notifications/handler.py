"""HTTP API. Takes what tenants want to be told by mail, and shows what was mailed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.notifications import api
from sluice.platform.http import routing

app = routing.app(api.ROUTES)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
