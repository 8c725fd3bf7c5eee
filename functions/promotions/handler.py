"""HTTP API. Takes promotions of listings, shows them, and takes them back."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.platform.http import routing
from sluice.promotions import api

kinds.serve(capabilities.kinds("promotions"))
app = routing.app(api.ROUTES)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
