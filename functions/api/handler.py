"""HTTP API. Answers what is asked about prices, jobs and the service."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.admin import api as admin
from sluice.market import api as market
from sluice.operations import kinds as operations  # noqa: F401 - these make their job kinds known
from sluice.platform import http
from sluice.promotions import kinds as promotions  # noqa: F401

app = http.app((*market.READ, *admin.ROUTES))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return http.resolve(app, event, context)
