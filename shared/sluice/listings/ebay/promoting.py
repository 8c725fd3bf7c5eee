"""The ad of a listing whose record says `autoPromote`: asked for as soon as it is published."""

from decimal import Decimal
from typing import Final

from sluice.listings.ebay import documents
from sluice.listings.ebay.attempt import Attempt
from sluice.listings.ebay.plan import Step
from sluice.marketplaces.publishing import Warned
from sluice.platform.packing import unpack
from sluice.promotions.request import CannotPromote, promote_published

# What the sync log and the record show where the listing is published and its ad cannot be asked for.
NOT_PROMOTED: Final = "not_promoted"


def ask(attempt: Attempt) -> None:
    """Ask for the ad, if the record wants one that was not asked for yet. The listing is published all the same.

    It is asked for before what was published is written: a run that is broken between the two asks once more, which
    makes no second ad.
    """
    want, listing_id = attempt.plan.sends, attempt.listing_id
    if not (want.auto_promote and want.ad_rate and attempt.live and listing_id and _is_new(attempt)):
        return
    run = attempt.run
    try:
        promote_published(
            listing_id,
            Decimal(want.ad_rate),
            attempt.record.owner,
            run.payload["asked_by"],
            run.clock.now(),
            run.config,
        )
    except CannotPromote as why:
        attempt.warnings.append(Warned(NOT_PROMOTED, str(why), {}))


def _is_new(attempt: Attempt) -> bool:
    """Whether the listing is new, or its promotion was asked for otherwise before."""
    published = attempt.record.published
    if Step.PUBLISH in attempt.plan.steps or not published or attempt.listing_id != attempt.record.listing_id:
        return True
    before = documents.of_document(unpack(published))
    return (before.auto_promote, before.ad_rate) != (attempt.plan.sends.auto_promote, attempt.plan.sends.ad_rate)
