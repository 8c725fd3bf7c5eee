"""HTTP API. Takes the product pages that tenants track, shows what is known of them, and how they are checked."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.pages import api, operator_api
from sluice.platform.http import routing

kinds.serve(capabilities.kinds("pages"))
app = routing.app((*api.ROUTES, *operator_api.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
