"""The calls of one attempt of a group, each of which may be repeated: those of its members, then its own."""

from sluice.listings.ebay import comparing, endings, group_attempt, log_rows, sellers, steps
from sluice.listings.ebay.attempt import Attempt
from sluice.listings.ebay.group_attempt import GroupAttempt
from sluice.listings.ebay.plan import Step
from sluice.marketplaces.http.errors import NotFound
from sluice.marketplaces.publishing import MOST_PRICES, PriceResult, Publisher


def take(attempt: GroupAttempt, publisher: Publisher) -> None:
    """Make every call of the plan, in its order.

    Raises what `steps.is_there` and `steps.take` raise; and
        ListingGone: the listing is over, and what is seen of it is stored.
    """
    if attempt.calls or attempt.open:
        group_attempt.note(attempt)
    speaking = publisher.speaking(attempt.group.language)
    quick = [one for one in attempt.open if one.plan.is_quick]
    for start in range(0, len(quick), MOST_PRICES):
        some = quick[start : start + MOST_PRICES]
        for one, result in zip(some, speaking.set_prices([steps.price_row(each) for each in some]), strict=True):
            _priced(one, result)
    for one in attempt.open:
        if not one.plan.is_quick:
            try:
                steps.take(one, publisher)
            except NotFound as failure:
                raise endings.gone(one, failure) from None
    for call in attempt.calls:
        with log_rows.logging(attempt.made, call):
            _call(attempt, call, speaking)
    if Step.PUBLISH in attempt.calls:
        sellers.watch(attempt.run.job.account, attempt.run.clock.now())


def _priced(one: Attempt, result: PriceResult) -> None:
    one.called(Step.PRICES, result.error)
    one.warnings += result.warnings
    if isinstance(result.error, NotFound):
        raise endings.gone(one, result.error)
    if result.error:
        raise result.error


def _call(attempt: GroupAttempt, call: Step, publisher: Publisher) -> None:
    key, site = attempt.group.key, attempt.group.marketplace
    match call:
        case Step.CHECK:
            [one] = attempt.checked
            if not steps.is_there(one, publisher):
                comparing.read_again(attempt.run, publisher, one.record)
                raise endings.ended(one.record.sku)
            return
        case Step.GROUP:
            written = publisher.put_group(key, attempt.body)
        case Step.PUBLISH:
            written = publisher.publish_group(key, site)
            attempt.listing_id, attempt.live = written.made, True
        case _:
            written = publisher.withdraw_group(key, site)
            publisher.delete_group(key)  # so that eBay takes its members alone, or in another group
            attempt.live = False
    attempt.warnings += written.warnings
