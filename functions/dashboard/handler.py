"""HTTP API. Pages for whoever would rather look than read, and buttons to act."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.dashboard import site

app = site.make()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return site.resolve(app, event, context)
