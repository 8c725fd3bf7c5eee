"""Which calls make eBay equal to a group, whose members are one listing. Pure.

```
 each member ── planned like a sku, but for its publication ──► [prices] or [item][offer]
 the group   ── its body differs, or a member is new ─────────► [group]
             ── a member is not for sale yet ─────────────────► [check][publish]
             ── nor is the group ─────────────────────────────► [publish]
             ── ended ────────────────────────────────────────► [withdraw], which also lets its members go
```
A member that has ended stays in a live listing, with nothing to buy: eBay lets none go that has sold. All members are
one listing, so what each costs of its day's revisions is missing for the next. Who publishes a listing that has ended
makes another one: what is known as live is read first, by one of its members.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from sluice.listings.ebay import hashes, projection
from sluice.listings.ebay.desired import Desired, FieldGroup, Group, Json, PolicyIds, Status
from sluice.listings.ebay.plan import Known, Plan, Step, Unsure, plan


class Member(NamedTuple):
    """One sku of a group: what is wanted of it, its policies by id, and what is known of it at eBay."""

    want: Desired
    policies: PolicyIds
    known: Known


class GroupKnown(NamedTuple):
    """What is known of a group at eBay. live: its listing is for sale. body: the hash of the body that eBay took last.

    listing_id: of its listing. held: the skus that the group has, or may have. revisions: in eBay's present day.
    """

    live: bool = False
    listing_id: str | None = None
    unsure: Unsure = Unsure()
    held: frozenset[str] = frozenset()
    body: str | None = None
    revisions: int = 0

    @property
    def for_sale(self) -> bool:
        """See `Known.for_sale`."""
        return self.live and not self.unsure.listing


@dataclass(frozen=True)
class GroupPlan:
    """What is done for a group. members: the plan of each, in their order. calls: the group's own, in their order.

    body: what the group is sent; empty where no member is for sale. checked: the sku by which the listing is read.
    """

    members: tuple[Plan, ...]
    calls: tuple[Step, ...] = ()
    body: Json = field(default_factory=dict)
    checked: str | None = None

    @property
    def unsure(self) -> Unsure:
        """What is noted of the group before the first call.

        A listing that was seen for sale is published once more for its new member alone, and stays the one it is.
        """
        listing = Step.WITHDRAW in self.calls or (Step.PUBLISH in self.calls and self.checked is None)
        return Unsure(_OF_THE_GROUP if Step.GROUP in self.calls else frozenset(), listing)

    @property
    def revisions(self) -> int:
        """How many revisions of a live listing it costs."""
        return sum(one.revisions for one in self.members) + (Step.GROUP in self.calls)


_OF_THE_GROUP: Final = frozenset({FieldGroup.DETAILS, FieldGroup.IMAGES})


def needs_policies(group: Group, want: Desired, known: Known) -> bool:
    """Whether a member is sent with the policies that its record names. Who is only taken down needs none that there
    are now; but of one that may be in a listing, and nobody knows as what, the whole offer is sent.
    """
    if group.status is Status.ENDED:
        return False
    return want.status is not Status.ENDED or (known.may_be_listed and known.policies is None)


def plan_group(group: Group, known: GroupKnown, members: Sequence[Member]) -> GroupPlan:
    """What makes eBay show the group as it is wanted, with its members."""
    if group.status is Status.ENDED:
        there = known.live or known.unsure.listing or known.held
        ended = tuple(Plan((), replace(one.want, status=Status.ENDED)) for one in members)
        return GroupPlan(ended, (Step.WITHDRAW,) if there else ())
    live = known.for_sale
    plans, used = list[Plan](), known.revisions
    for one in members:
        made = _of_member(group, one, used, live=live)
        used += made.revisions if live else 0
        plans.append(made)
    listed = [one.sends for one in plans if one.sends.status is not Status.ENDED]
    if not listed:
        # Nothing is to be in it: eBay lets those go that are in other groups now.
        return GroupPlan(tuple(plans), (Step.WITHDRAW,) if known.held and not known.live else ())
    body = projection.group_body(group, listed)
    new = any(_is_new(one, made) for one, made in zip(members, plans, strict=True))
    calls = list[Step]()
    if known.body != hashes.of_body(body) or known.unsure.groups or new or not live:
        calls.append(Step.GROUP)
    if not ((new or not live) and any(one.shown_quantity for one in listed)):
        return GroupPlan(tuple(plans), tuple(calls), body)
    checked = _to_check(known, members) if live else None
    calls += [Step.CHECK, Step.PUBLISH] if checked else [Step.PUBLISH]
    return GroupPlan(tuple(plans), tuple(calls), body, checked)


def over(group: Group, known: GroupKnown, members: Sequence[Member]) -> str | None:
    """A member whose listing others have ended, and nobody has decided about that yet: nothing is sent of the group."""
    if group.status is Status.ENDED or known.unsure.listing:
        return None
    wanted = (one for one in members if one.want.status is not Status.ENDED)
    return next((one.want.sku for one in wanted if one.known.ended_by_others), None)


def _to_check(known: GroupKnown, members: Sequence[Member]) -> str | None:
    """The member by which a live group's listing is read: one that is for sale, or was; None where none is known."""
    there = [one for one in members if one.known.listing_id == known.listing_id and not one.known.unsure.listing]
    chosen = next((one for one in there if one.known.live), there[0] if there else None)
    return chosen.want.sku if chosen else None


def _of_member(group: Group, member: Member, used: int, *, live: bool) -> Plan:
    """Planned like a sku, whose publication is the group's."""
    known = member.known._replace(live=live and member.known.live, revisions=used)
    want = member.want
    # By what is known of the member itself: while the group's listing is in doubt, it may well be in it.
    if want.status is Status.ENDED and not member.known.may_be_listed:
        return Plan((), want)
    if Status.PAUSED in (group.status, want.status) or want.status is Status.ENDED:
        want = replace(want, status=Status.PAUSED)
    made = plan(want, member.policies, known)
    return made._replace(steps=tuple(step for step in made.steps if step is not Step.PUBLISH))


def _is_new(member: Member, made: Plan) -> bool:
    """Whether its offer is not for sale yet, though others of the group may be."""
    return bool(made.steps) and (not member.known.live or member.known.unsure.listing)
