"""HTTP API. Shows dead letters, and replays them when a person says so."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.catalog import kinds as catalog  # noqa: F401 - these make their job kinds known
from sluice.listings.stockx import kinds as operations  # noqa: F401
from sluice.operator import dead_letters_api as api
from sluice.platform.http import routing
from sluice.prices import kinds as prices  # noqa: F401
from sluice.promotions import kinds as promotions  # noqa: F401

app = routing.app(api.ROUTES)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
