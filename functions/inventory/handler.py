"""HTTP API. Keeps inventories: items, their prices, and imports of many items."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.inventory import api, bulk_api, import_api
from sluice.jobs.model import kinds
from sluice.platform.http import routing

kinds.serve(capabilities.kinds("prices"))
app = routing.app((*import_api.ROUTES, *bulk_api.ROUTES, *api.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
