"""Stream of table `jobs`: events on the bus, and what listings need, after jobs that ended; what each tenant has."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from sluice import capabilities
from sluice.jobs.model import events, kinds
from sluice.jobs.queue import tally
from sluice.listings import given_up
from sluice.listings import live as live_listings
from sluice.listings.stockx import aftermath
from sluice.platform.clock import SystemClock
from sluice.platform.config import live
from sluice.platform.observe import logger

kinds.serve(capabilities.kinds("listings.stockx"))


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """A batch of stream records. If it fails, Lambda gives the same batch again.

    Returns how many jobs have ended, how many listings went live, how many checks of listings were asked for, and how
    many eBay records say from now on that nobody publishes them.
    """
    published = events.publish(event["Records"])
    went_live = live_listings.tell(event["Records"])
    checks = aftermath.follow_up(event["Records"], SystemClock().now(), live.current())
    told = given_up.tell(event["Records"])
    tally.follow(event["Records"])  # when nothing can make the batch come again
    return {"published": published, "live": went_live, "checks": checks, "given_up": told}
