"""What publishing a record would do: the plan, the exact calls, and the revisions that they cost. Asks nobody. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from sluice.listings.ebay import projection
from sluice.listings.ebay.desired import Desired, Group, Json, PolicyIds
from sluice.listings.ebay.group_plan import GroupKnown, GroupPlan, Member, plan_group
from sluice.listings.ebay.plan import Known, Plan, Step, plan
from sluice.marketplaces.publishing import MOST_PRICES

BASE: Final = "/sell/inventory/v1"
# In the place of what is not known before eBay is asked.
OFFER: Final = "{offerId}"


class PlannedCall(NamedTuple):
    """One call to eBay. body: what is sent, as JSON."""

    step: Step
    method: str
    path: str
    body: Json


class DryRun(NamedTuple):
    """What is planned, and the calls in their order."""

    plan: Plan
    calls: list[PlannedCall]


def run(want: Desired, policies: PolicyIds, known: Known) -> DryRun:
    """What makes eBay show `want`, as far as is known."""
    made = plan(want, policies, known)
    return DryRun(made, [_CALLS[step](made, policies, known) for step in made.steps])


class GroupDryRun(NamedTuple):
    """The same of a group."""

    plan: GroupPlan
    calls: list[PlannedCall]


def run_group(group: Group, known: GroupKnown, members: Sequence[Member]) -> GroupDryRun:
    """What makes eBay show the group with its members, as far as is known."""
    made = plan_group(group, known, members)
    each = list(zip(members, made.members, strict=True))
    quick = [_prices(plan, one.policies, one.known) for one, plan in each if plan.is_quick]
    rows = [row for call in quick for row in call.body["requests"]]
    calls = [
        PlannedCall(Step.PRICES, "POST", quick[0].path, {"requests": rows[start : start + MOST_PRICES]})
        for start in range(0, len(rows), MOST_PRICES)
    ]
    calls += [
        _CALLS[step](plan, one.policies, one.known) for one, plan in each if not plan.is_quick for step in plan.steps
    ]
    return GroupDryRun(made, [*calls, *(call for step in made.calls for call in _of_group(group, step, made))])


def _of_group(group: Group, step: Step, made: GroupPlan) -> list[PlannedCall]:
    """The calls of one step of a group's own."""
    path, asked = f"{BASE}/inventory_item_group/{group.key}", {"inventoryItemGroupKey": group.key}
    asked |= {"marketplaceId": group.marketplace}
    if step is Step.CHECK:
        return [_check_of(made.checked or "")]
    if step is Step.GROUP:
        return [PlannedCall(step, "PUT", path, made.body)]
    if step is Step.PUBLISH:
        return [PlannedCall(step, "POST", f"{BASE}/offer/publish_by_inventory_item_group", asked)]
    withdraw = PlannedCall(step, "POST", f"{BASE}/offer/withdraw_by_inventory_item_group", asked)
    return [withdraw, PlannedCall(step, "DELETE", path, {})]


def _prices(made: Plan, _: PolicyIds, known: Known) -> PlannedCall:
    sends = made.sends
    offer: Json = {"offerId": known.offer_id or OFFER, "price": sends.price.at_ebay}
    row: Json = {"sku": sends.sku, "offers": [offer]}
    if made.sets_quantity:
        offer["availableQuantity"] = sends.shown_quantity
        row["shipToLocationAvailability"] = {"quantity": sends.shown_quantity}
    return PlannedCall(Step.PRICES, "POST", f"{BASE}/bulk_update_price_quantity", {"requests": [row]})


def _item(made: Plan, _: PolicyIds, __: Known) -> PlannedCall:
    return PlannedCall(Step.ITEM, "PUT", f"{BASE}/inventory_item/{made.sends.sku}", projection.item_body(made.sends))


def _offer(made: Plan, policies: PolicyIds, known: Known) -> PlannedCall:
    if known.offer_id and not made.old_offer:
        update = projection.offer_update(made.sends, policies)
        return PlannedCall(Step.OFFER, "PUT", f"{BASE}/offer/{known.offer_id}", update)
    return PlannedCall(Step.OFFER, "POST", f"{BASE}/offer", projection.offer_body(made.sends, policies))


def _publish(made: Plan, _: PolicyIds, known: Known) -> PlannedCall:
    offer = known.offer_id if known.offer_id and not made.old_offer else OFFER
    return PlannedCall(Step.PUBLISH, "POST", f"{BASE}/offer/{offer}/publish", {})


def _withdraw(made: Plan, _: PolicyIds, known: Known) -> PlannedCall:
    offer = made.old_offer or known.offer_id or OFFER
    return PlannedCall(Step.WITHDRAW, "POST", f"{BASE}/offer/{offer}/withdraw", {})


def _check(made: Plan, _: PolicyIds, __: Known) -> PlannedCall:
    return _check_of(made.sends.sku)


def _check_of(sku: str) -> PlannedCall:
    return PlannedCall(Step.CHECK, "GET", f"{BASE}/offer?sku={sku}", {})


_CALLS: Mapping[Step, Callable[[Plan, PolicyIds, Known], PlannedCall]] = {
    Step.PRICES: _prices,
    Step.ITEM: _item,
    Step.OFFER: _offer,
    Step.PUBLISH: _publish,
    Step.WITHDRAW: _withdraw,
    Step.CHECK: _check,
}
