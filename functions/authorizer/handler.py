"""HTTP API authorizer: lets a request pass if its token is good."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice.platform.http import jwt


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one question of the gateway (payload format 2.0, simple responses)."""
    return jwt.authorize(event)
