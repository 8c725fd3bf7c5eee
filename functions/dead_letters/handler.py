"""HTTP API. Shows dead letters, and replays them when a person says so."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.operator import dead_letters_api as api
from sluice.platform.http import routing

kinds.serve(capabilities.kinds("catalog", "prices", "listings.stockx", "listings.ebay", "promotions"))
app = routing.app(api.ROUTES)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
