"""The calls of one attempt, each of which may be repeated: what the plan names, at the marketplace."""

from collections.abc import Callable

from sluice.jobs.model.outcomes import Failure
from sluice.listings.ebay import documents, drift, log_rows, projection
from sluice.listings.ebay import echo as echoes
from sluice.listings.ebay.attempt import Attempt
from sluice.listings.ebay.echo import Bodies, Echo
from sluice.listings.ebay.plan import Step
from sluice.marketplaces.http.errors import NotFound, NotReady, SellerMustAct
from sluice.marketplaces.publishing import MarketOffer, OfferExists, PriceRow, Publisher, Written, offer_on
from sluice.platform.packing import unpack


def is_there(attempt: Attempt, publisher: Publisher) -> bool:
    """Whether eBay shows the listing, as it is known, for sale still.

    Raises:
        NotReady: eBay is behind, and shows another one.
    """
    sku, site = attempt.record.sku, documents.of_document(unpack(attempt.record.published)).marketplace
    offer = offer_on(publisher, sku, site)
    if offer and offer.live:
        return True
    if offer and offer.listing_id != attempt.record.listing_id:
        raise NotReady(f"eBay does not show the listing {attempt.record.listing_id} of {sku} yet: it is read again")
    return False


def take(attempt: Attempt, publisher: Publisher) -> None:
    """Make every call of the plan that changes something, in its order.

    Raises:
        NotFound: the offer is gone, which eBay has proved.
        Failure: what a call came to.
    """
    speaking = publisher.speaking(attempt.want.language)
    if attempt.plan.old_offer:
        attempt.offer_id = None  # that on this site is to be made, or found
    calls: dict[Step, Callable[[Attempt, Publisher], Written]] = {
        Step.ITEM: _item,
        Step.OFFER: _offer,
        Step.PUBLISH: _publish,
        Step.WITHDRAW: _withdraw,
    }
    for step in attempt.plan.writes:
        with log_rows.logging(attempt.calls, step):
            written = calls[step](attempt, speaking)
        attempt.warnings += written.warnings


def read_back(attempt: Attempt, publisher: Publisher, *, published: bool) -> Echo | None:
    """How eBay shows what it took; None where that cannot be told now: it does not answer, or is behind.

    published: it was published just now, so that whatever shows it otherwise is behind.
    """
    speaking, want = publisher.speaking(attempt.want.language), attempt.plan.sends
    try:
        item, offer = speaking.item(want.sku), offer_of(attempt, speaking)
    except Failure:
        return None
    shown = echoes.seen(want, attempt.policies, item, offer)
    if published and shown.standing != echoes.LIVE:
        return None
    before = _measure(attempt, shown)
    if before is None:
        return None if echoes.is_behind(shown, want, attempt.policies) else shown
    bodies = _bodies(attempt)
    echo = echoes.of_part(before, shown, bodies)
    if echoes.is_behind(echo, want, attempt.policies, bodies):
        return None
    attempt.untouched = echoes.differs(echo, shown)
    return _unless_sold(attempt, before, echo, shown)


def _unless_sold(attempt: Attempt, before: Echo, echo: Echo, shown: Echo) -> Echo:
    """The echo, as it is before sales that nobody has told yet: the next look finds them.

    Where the record's quantity was sent once more though some were sold meanwhile, eBay shows as many too many.
    """
    sold = max(0, shown.sold - before.sold)
    if sold and not attempt.plan.sets_quantity:
        echo = echoes.with_more(echo, (drift.left(shown) or 0) + sold)
    return echo._replace(sold=before.sold)


def _measure(attempt: Attempt, shown: Echo) -> Echo | None:
    """What eBay took of the same listing before; None where all of it is new."""
    before = Echo.unpacked(attempt.record.echo)
    same = before and before.standing == shown.standing == echoes.LIVE and before.listing_id == shown.listing_id
    return before if same and Step.PUBLISH not in attempt.plan.steps else None


def _bodies(attempt: Attempt) -> Bodies:
    planned = attempt.plan.steps
    price = Step.PRICES in planned
    return Bodies(Step.ITEM in planned, Step.OFFER in planned, price, price and attempt.plan.sets_quantity)


def price_row(attempt: Attempt) -> PriceRow:
    """What bulkUpdatePriceQuantity is asked for one sku."""
    sends, price = attempt.plan.sends, attempt.plan.sends.price.at_ebay
    quantity = sends.shown_quantity if attempt.plan.sets_quantity else None
    return PriceRow(sends.sku, attempt.offer_id or "", price["value"], price["currency"], quantity)


def offer_of(attempt: Attempt, publisher: Publisher) -> MarketOffer | None:
    """The sku's offer on the record's site; None where there certainly is none."""
    return offer_on(publisher, attempt.want.sku, attempt.want.marketplace)


def _item(attempt: Attempt, publisher: Publisher) -> Written:
    return publisher.put_item(attempt.want.sku, projection.item_body(attempt.plan.sends))


def _offer(attempt: Attempt, publisher: Publisher) -> Written:
    """Update the offer that is known; else make it, or update the one that eBay says there is."""
    sends = attempt.plan.sends
    update = projection.offer_update(sends, attempt.policies)
    if attempt.offer_id:
        try:
            return publisher.update_offer(attempt.offer_id, update)
        except NotFound:
            if attempt.live:
                raise
            attempt.offer_id = None
    try:
        made = publisher.create_offer(projection.offer_body(sends, attempt.policies))
    except OfferExists as there:
        attempt.offer_id = there.offer_id
        return publisher.update_offer(there.offer_id, update)
    attempt.offer_id = made.made
    return made


def _publish(attempt: Attempt, publisher: Publisher) -> Written:
    try:
        written = publisher.publish(attempt.offer_id or "")
    except NotFound as failure:
        if offer_of(attempt, publisher) is None:
            raise
        # The offer is there: eBay says the same of sellers who are not registered for selling on this site.
        raise SellerMustAct(
            "eBay does not publish this offer: see whether you may sell on this site, and whether its policies are "
            f"of it ({failure.message})",
            status=failure.status,
            code=failure.code,
        ) from None
    attempt.listing_id, attempt.live = written.made, True
    return written


def _withdraw(attempt: Attempt, publisher: Publisher) -> Written:
    """End the listing; of an offer whose id got lost, by the sku."""
    offer_id = attempt.plan.old_offer or attempt.offer_id
    if offer_id is None and (there := offer_of(attempt, publisher)):
        offer_id = attempt.offer_id = there.offer_id
        attempt.listing_id = there.listing_id
    written = publisher.withdraw(offer_id) if offer_id else Written()
    attempt.live = False
    return written
