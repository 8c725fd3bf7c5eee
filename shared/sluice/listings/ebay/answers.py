"""What a person says about an open difference: *ours*, *theirs* or *ignore*.

| answer | drift in field groups | ended, missing | policy gone |
|---|---|---|---|
| ours | the record is sent again | it is published again, as a new listing | it is tried again |
| theirs | the record becomes as eBay shows it | the record is ended | refused: choose another in the record |
| ignore | what eBay shows is the measure from now on | it stays as it is | it stays as it is |
"""

from dataclasses import replace
from typing import Any

from pynamodb.expressions.update import Action as Update
from pynamodb.transactions import TransactWrite

from sluice.jobs import ask
from sluice.jobs.queue.together import NotWritten
from sluice.listings.ebay import cases, table, wishes
from sluice.listings.ebay.desired import Desired, FieldGroup, Json, Policies, PolicyRef, Price, Product, Status
from sluice.listings.ebay.echo import Echo
from sluice.listings.ebay.following import as_read
from sluice.listings.ebay.plan import Unsure
from sluice.listings.ebay.policies import GONE
from sluice.listings.ebay.table import Record
from sluice.platform import money, tables
from sluice.platform.config.document import Config
from sluice.platform.packing import pack


class NoCase(Exception):  # noqa: N818 - an answer to the caller
    """There is no such open case."""


class AnsweredMeanwhile(Exception):  # noqa: N818 - an answer to the caller
    """Something else was found or decided of the record since it was read; nothing was written. Look at it again."""


class NotTheirs(Exception):  # noqa: N818 - an answer to the caller
    """eBay has nothing that the record could become; says what to do."""


def find(tenant: str, case: str) -> tuple[Record, cases.Row]:
    """An open case, and the record that it is about.

    Raises:
        NoCase: there is none.
    """
    sku = cases.sku_of(case)
    record = table.find(tenant, sku) if sku else None
    row = next((one for one in (record.drift or []) if one["case"] == case), None) if record else None
    if record is None or row is None:
        raise NoCase
    return record, row


def ours(record: Record, row: cases.Row, by: str, now: int, config: Config) -> str:
    """eBay is made as the record says; the job's id.

    Raises:
        AnsweredMeanwhile: see there.
    """
    unsure = Unsure.of(record.unsure)
    is_over = row["class"] in ("ended", "missing")
    if is_over:
        unsure |= Unsure(listing=True)
    else:
        unsure |= Unsure(frozenset(FieldGroup(one) for one in row["groups"]))
    more: list[Update] = [Record.unsure.set(unsure.stored())]
    if row["class"] == "missing":
        more.append(Record.offer_id.remove())
    group = table.find_group(record.tenant, record.group) if is_over and record.group else None

    def fill(transaction: TransactWrite) -> None:
        transaction.update(Record(record.tenant, record.sku), [*more, *_without(record, row)], as_read(record))
        if group:
            # It is the group's listing.
            anew = Unsure.of(group.unsure) | Unsure(listing=True)
            transaction.update(
                Record(group.tenant, group.sku), [Record.unsure.set(anew.stored())], Record.version.exists()
            )

    try:
        return ask.want_with(wishes.publish(*record.subject, by, now, event="drift"), now, config, fill).job_id
    except NotWritten as failed:
        raise AnsweredMeanwhile from failed


def theirs(record: Record, row: cases.Row) -> Desired:
    """The record as eBay shows the listing.

    Raises:
        NotTheirs: there is nothing that it could become.
    """
    if row["class"] in ("ended", "missing"):
        return replace(record.wanted, status=Status.ENDED)
    observed = Echo.unpacked(record.observed)
    if row["class"] == GONE or observed is None:
        raise NotTheirs("eBay shows nothing that the record could become: change the record")
    return as_shown(record.wanted, observed, [FieldGroup(one) for one in row["groups"]])


def ignore(record: Record, row: cases.Row) -> None:
    """What eBay shows is the measure from now on. Raises AnsweredMeanwhile."""
    observed = Echo.unpacked(record.observed)
    accepted = Echo.unpacked(record.echo)
    more: list[Update] = []
    if observed and accepted and row["groups"]:
        groups = {FieldGroup(one): observed.groups.get(FieldGroup(one)) for one in row["groups"]}
        more = [Record.echo.set(pack(accepted._replace(groups={**accepted.groups, **groups}).stored()))]
    _close(record, row, more)


def close(record: Record, row: cases.Row) -> None:
    """The case is answered. Raises AnsweredMeanwhile."""
    _close(record, row, [])


def _close(record: Record, row: cases.Row, more: list[Update]) -> None:
    try:
        tables.update(Record, [record.tenant, record.sku], [*more, *_without(record, row)], as_read(record))
    except tables.ConditionFailed as failed:
        raise AnsweredMeanwhile from failed


def _without(record: Record, row: cases.Row) -> list[Update]:
    left = cases.without(record.drift or [], row["case"])
    return [Record.drift.set(left) if left else Record.drift.remove()]


def as_shown(want: Desired, shown: Echo, groups: list[FieldGroup]) -> Desired:
    """The record `want`, in these field groups as eBay shows the listing. Pure."""
    for group in groups:
        value: Any = shown.groups.get(group) or {}
        match group:
            case FieldGroup.PRICE:
                price = value["price"]
                currency = str(price["currency"])
                want = replace(want, price=Price(money.amount(str(price["value"]), currency), currency))
            case FieldGroup.QUANTITY:
                want = replace(want, quantity=_quantity(value))
            case FieldGroup.IMAGES:
                want = replace(want, images=tuple(value))
            case FieldGroup.POLICIES:
                want = _policies(want, value)
            case FieldGroup.DETAILS:
                want = _details(want, value)
    return want


def _quantity(value: Json) -> int:
    """What buyers see: the smaller of the item's and the offer's."""
    item = ((value.get("item") or {}).get("shipToLocationAvailability") or {}).get("quantity")
    return min(int(one) for one in (item, value.get("offer")) if isinstance(one, int))


def _policies(want: Desired, value: Json) -> Desired:
    shown = value["listingPolicies"]
    ids = (shown["fulfillmentPolicyId"], shown["paymentPolicyId"], shown["returnPolicyId"])
    return replace(want, policies=Policies(*(PolicyRef(id=one) for one in ids)), location=value["merchantLocationKey"])


def _details(want: Desired, value: Json) -> Desired:
    item, offer = value["item"], value["offer"]
    product = item["product"]
    texts: Json = {name: product[name] for name in ("brand", "mpn", "epid") if product.get(name)}
    lists: Json = {name: tuple(product[name]) for name in ("upc", "ean", "isbn") if product.get(name)}
    return replace(
        want,
        title=product["title"],
        subtitle=product.get("subtitle", want.subtitle),
        condition=item["condition"],
        condition_description=item.get("conditionDescription", want.condition_description),
        aspects={name: tuple(sorted(values)) for name, values in (product.get("aspects") or {}).items() if values},
        product=Product(**texts, **lists),
        category=offer["categoryId"],
        description=offer.get("listingDescription", want.description),
    )
