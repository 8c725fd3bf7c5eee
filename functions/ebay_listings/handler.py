"""HTTP API. Takes sellers' records of eBay listings, and shows them with what is known of them at eBay."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import kinds
from sluice.listings.ebay import (
    api,
    bulk_api,
    check_api,
    draft_api,
    dry_run_api,
    group_past_api,
    groups_api,
    import_api,
    operator_api,
    snapshots_api,
    sync_api,
    sync_log_api,
)
from sluice.platform.http import routing

kinds.serve(capabilities.kinds("listings.ebay"))
app = routing.app(
    (
        *bulk_api.ROUTES,
        *import_api.ROUTES,
        *draft_api.ROUTES,
        *check_api.ROUTES,
        *snapshots_api.ROUTES,
        *dry_run_api.ROUTES,
        *groups_api.ROUTES,
        *group_past_api.ROUTES,
        *api.ROUTES,
        *sync_api.ROUTES,
        *sync_log_api.ROUTES,
        *operator_api.ROUTES,
    )
)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request (payload format 2.0)."""
    return routing.resolve(app, event, context)
