"""Which calls make eBay equal to a record. Pure.

```
 desired ── differs from what eBay took in ──► price, quantity alone      [prices]           25 skus in a call
            + what eBay may show otherwise     the item's own fields       [item]
              (`Unsure`)                       policies, category, words   [offer]
                                               not for sale yet            [item][offer][publish]
                                               ended                       [withdraw]
                                               moved to another site       [check][withdraw][item][offer][publish]
```
Every step is a full replace and may be repeated. So a run that was broken is planned again from the top: what it may
have sent already is noted before it is sent (`Unsure`), and is sent once more. Only withdraw-then-publish makes a new
listing, and only a change of the record's status or site asks for both. [check] reads the listing first where a
publish would follow though it is known as live: it may have ended, and then another one is nobody's wish.

A live listing takes 250 revisions in eBay's day, of which each [prices], [item] and [offer] is one. Details stop at
150, so that price and quantity, which matter most, always have room.
"""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sluice.listings.ebay import projection
from sluice.listings.ebay.desired import Desired, FieldGroup, PolicyIds, Status
from sluice.marketplaces.publishing import MOST_REVISIONS

# Revisions of a listing in a day after which its details wait for the next.
MOST_DETAIL_REVISIONS: Final = 150
QUICK: Final = frozenset({FieldGroup.PRICE, FieldGroup.QUANTITY})


class Step(StrEnum):
    """One call, as the sync log names it."""

    PRICES = "prices"
    ITEM = "item"
    OFFER = "offer"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"
    GROUP = "group"
    CHECK = "check"


REVISIONS: Final = frozenset({Step.PRICES, Step.ITEM, Step.OFFER, Step.GROUP})
DETAILS: Final = frozenset({Step.ITEM, Step.OFFER, Step.GROUP})
# The field groups of which a call sends something; [prices] sends a quantity only where it is another one.
_SENDS: Final[Mapping[Step, frozenset[FieldGroup]]] = {
    Step.PRICES: QUICK,
    Step.ITEM: frozenset({FieldGroup.DETAILS, FieldGroup.IMAGES, FieldGroup.QUANTITY}),
    Step.OFFER: frozenset({FieldGroup.PRICE, FieldGroup.POLICIES, FieldGroup.DETAILS, FieldGroup.QUANTITY}),
}


class Unsure(NamedTuple):
    """Of what eBay may show something else than it took last.

    groups: an attempt that has not ended may have sent them, or drift was found in them. listing: it may have been
    published or withdrawn meanwhile.
    """

    groups: frozenset[FieldGroup] = frozenset()
    listing: bool = False

    def __or__(self, other: object) -> "Unsure":
        if not isinstance(other, Unsure):
            return NotImplemented
        return Unsure(self.groups | other.groups, self.listing or other.listing)

    def stored(self) -> dict[str, Any]:
        """As a record keeps it."""
        return {"groups": sorted(self.groups), "listing": self.listing}

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> "Unsure":
        """What `stored` made."""
        if not stored:
            return cls()
        return cls(frozenset(FieldGroup(one) for one in stored["groups"]), bool(stored["listing"]))


class Known(NamedTuple):
    """What is known of a sku at eBay.

    published, policies: what eBay took last, and with which policies; None before anything was. offer_id: eBay's.
    live: its listing is for sale, as far as is known. ended: it is not any more. listing_id: which. left: it
    has left a group, which has let it go: in whose listing it may have been, it is not. revisions: of its listing in
    eBay's present day.
    """

    published: Desired | None = None
    policies: PolicyIds | None = None
    offer_id: str | None = None
    live: bool = False
    ended: bool = False
    listing_id: str | None = None
    left: bool = False
    unsure: Unsure = Unsure()
    revisions: int = 0

    @property
    def for_sale(self) -> bool:
        """Whether its listing is at eBay, and no attempt may have published or withdrawn it since that was known."""
        return self.live and not self.unsure.listing

    @property
    def may_be_listed(self) -> bool:
        """Whether it may be in a listing: it is known to be, or an attempt may have published it. Not in that of a
        group that has let it go.
        """
        return (self.live or self.unsure.listing) and not self.left

    @property
    def ended_by_others(self) -> bool:
        """Whether its listing has ended though no record said so, and nobody has decided to have another one."""
        wanted = self.published is not None and self.published.status is not Status.ENDED
        return self.ended and wanted and not self.unsure.listing


def ended_words(sku: str) -> str:
    """Why nothing is published of a listing that others have ended, and what to do."""
    return (
        f"the listing of {sku} has ended at eBay: answer its case with ours to have a new one, "
        "or end the record, and make it active again when that is done"
    )


class Plan(NamedTuple):
    """What is done for one sku.

    steps: the calls, in their order. sends: what eBay has taken when all of them are done. unsure: what is noted before
    the first is made. old_offer: the one that is known, where it is of another site: its listing is withdrawn first,
    and it is not sent again. waits: the field groups for which the listing has no revisions left today.
    """

    steps: tuple[Step, ...]
    sends: Desired
    unsure: Unsure = Unsure()
    old_offer: str | None = None
    waits: frozenset[FieldGroup] = frozenset()

    @property
    def writes(self) -> tuple[Step, ...]:
        """The calls that change something at eBay."""
        return tuple(step for step in self.steps if step is not Step.CHECK)

    @property
    def revisions(self) -> int:
        """How many revisions of a live listing it costs."""
        return sum(step in REVISIONS for step in self.steps)

    @property
    def sets_quantity(self) -> bool:
        """Whether another quantity is asked for. Where none is, what eBay shows may be fewer: some were sold."""
        return FieldGroup.QUANTITY in self.unsure.groups

    @property
    def is_quick(self) -> bool:
        """Whether price and quantity are all that is sent."""
        return self.steps == (Step.PRICES,)

    @property
    def lists_or_ends(self) -> bool:
        """Whether it publishes or withdraws the listing."""
        return Step.PUBLISH in self.steps or Step.WITHDRAW in self.steps

    @property
    def groups(self) -> frozenset[FieldGroup]:
        """The field groups of which its calls send something."""
        sent = frozenset[FieldGroup]().union(*(_SENDS.get(step, ()) for step in self.steps))
        return sent if self.sets_quantity or not self.is_quick else sent - {FieldGroup.QUANTITY}


def plan(want: Desired, policies: PolicyIds, known: Known) -> Plan:
    """What makes eBay show `want`."""
    if want.status is Status.ENDED:
        return _end(want, known)
    moved = known.published is not None and _key(known.published) != _key(want)
    if moved or known.published is None or known.policies is None:
        old = known.offer_id if moved else None
        steps = (*_leave(known), *_new(want)) if old else _new(want)
        return Plan(steps, want, _EVERYTHING, old)
    differs = changed(known.published, known.policies, want, policies) | known.unsure.groups
    if not known.for_sale:
        # Also where it was ended by the seller's record and is to be for sale again.
        return Plan(_new(want), want, _EVERYTHING)
    if not differs:
        return Plan((), want)
    return _revise(want, policies, known, differs)


def changed(old: Desired, old_policies: PolicyIds, new: Desired, new_policies: PolicyIds) -> frozenset[FieldGroup]:
    """The field groups in which what eBay is sent for the two differs."""
    before, after = projection.parts(old, old_policies), projection.parts(new, new_policies)
    return frozenset(one for one in FieldGroup if before[one] != after[one])


_EVERYTHING: Final = Unsure(frozenset(FieldGroup), listing=True)


def _new(want: Desired) -> tuple[Step, ...]:
    """eBay publishes nothing without stock: what is paused is made ready, and published when it is active."""
    ready = (Step.ITEM, Step.OFFER)
    return (*ready, Step.PUBLISH) if want.status is Status.ACTIVE and want.quantity else ready


def _leave(known: Known) -> tuple[Step, ...]:
    """What ends the listing on the site where it was."""
    if not known.may_be_listed:
        return ()
    return (Step.CHECK, Step.WITHDRAW) if known.for_sale else (Step.WITHDRAW,)


def _key(desired: Desired) -> dict[str, Any]:
    return projection.offer_key(desired)


def _end(want: Desired, known: Known) -> Plan:
    """Take it down. The offer and the item stay at eBay, so that it can be for sale again."""
    if not known.may_be_listed or (known.offer_id is None and not known.unsure.listing):
        return Plan((), want)
    return Plan((Step.WITHDRAW,), want, Unsure(frozenset(), listing=True))


def _revise(want: Desired, policies: PolicyIds, known: Known, differs: frozenset[FieldGroup]) -> Plan:
    """The calls for a live listing, as far as its day has revisions left."""
    assert known.published is not None  # noqa: S101 - whoever is live was published
    assert known.policies is not None  # noqa: S101
    if differs <= QUICK:
        if known.revisions + 1 > MOST_REVISIONS:
            return Plan((), known.published, waits=differs)
        return Plan((Step.PRICES,), want, Unsure(differs))
    steps = _details(want, policies, known)
    if known.revisions + len(steps) <= MOST_DETAIL_REVISIONS:
        return Plan(steps, want, Unsure(differs))
    # The details wait for the next day; price and quantity do not wait for them.
    quick, slow = differs & QUICK, differs - QUICK
    partly = replace(known.published, price=want.price, quantity=want.quantity, status=want.status)
    if not quick or known.revisions + 1 > MOST_REVISIONS:
        return Plan((), known.published, waits=differs)
    return Plan((Step.PRICES,), partly, Unsure(quick), waits=slow)


def _details(want: Desired, policies: PolicyIds, known: Known) -> tuple[Step, ...]:
    """[item], [offer] or both: those whose body differs, and those of a field group that is not sure."""
    assert known.published is not None  # noqa: S101
    assert known.policies is not None  # noqa: S101
    old, unsure = known.published, known.unsure.groups
    of_both = unsure & {FieldGroup.DETAILS, FieldGroup.QUANTITY} or old.language != want.language
    item = of_both or FieldGroup.IMAGES in unsure or projection.item_body(old) != projection.item_body(want)
    offers = projection.offer_update(old, known.policies), projection.offer_update(want, policies)
    offer = of_both or bool(unsure & {FieldGroup.PRICE, FieldGroup.POLICIES}) or offers[0] != offers[1]
    return tuple(step for step, wanted in ((Step.ITEM, item), (Step.OFFER, offer)) if wanted)
