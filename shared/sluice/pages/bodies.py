"""What the routes of product pages take."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from sluice.pages import money_text, urls
from sluice.pages.alerts import KINDS, Watch
from sluice.pages.reading import Money
from sluice.platform import money
from sluice.platform.http.errors import FieldError, Invalid
from sluice.platform.http.models import Amount, Body, Example, OneOf, PageQuery, Query, Spelled

MOST_CHOSEN = 100
STATUSES = ("product", "unchanged", "unclear", "no_product", "blocked", "gone", "failed")

Label = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Value = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]


Values = Annotated[list[Value], Field(min_length=1, max_length=MOST_CHOSEN)]


class TargetPrice(Body):
    """A price at or below which you are told."""

    amount: Amount
    currency: Annotated[str, Spelled(r"^[A-Z]{3}$", "must be three capital letters, such as `USD`")]


class ChosenVariants(Body):
    """Which variants: by the ids that the page shows, by options (`{"Size": ["42"]}`), or, without either, all."""

    ids: Annotated[list[Value], Field(default_factory=list, max_length=MOST_CHOSEN)]
    options: Annotated[dict[Value, Values], Field(default_factory=dict, max_length=10)]


Url = Annotated[str, Field(description="the product's page, https or http, up to 2,000 characters")]
Percent = Annotated[Amount, Field(description="a drop of this many percent, above 0 and below 100")]
Alerts = Annotated[list[Annotated[str, OneOf(KINDS)]], Field(max_length=len(KINDS))]


class NewPage(Body):
    """A page to track. Of `targetPrice` and `dropPercent` at most one; with neither, a drop by 1 % is told."""

    example: ClassVar[Example] = {
        "url": "https://shop.example.com/products/harbour-runner",
        "label": "winter boots",
        "targetPrice": {"amount": "99.00", "currency": "EUR"},
    }

    url: Url
    label: Label | None = None
    target_price: TargetPrice | None = None
    drop_percent: Percent | None = None
    variants: Annotated[ChosenVariants, Field(default_factory=lambda: ChosenVariants(ids=[], options={}))]
    alerts: Annotated[Alerts, Field(default_factory=lambda: list(KINDS))]

    def watch(self) -> Watch:
        """What is wanted.

        Raises:
            Invalid: names the field.
        """
        return _watch(self.target_price, self.drop_percent, self.variants, self.alerts)


class PageChange(Body):
    """What to change; null takes a label, a target price or a percentage back."""

    example: ClassVar[Example] = {"dropPercent": "10"}

    label: Label | None = None
    target_price: TargetPrice | None = None
    drop_percent: Percent | None = None
    variants: ChosenVariants | None = None
    alerts: Alerts | None = None

    def watch(self, before: Watch) -> Watch:
        """What is wanted now.

        Raises:
            Invalid: names the field.
        """
        given = self.model_fields_set
        target, percent = before.target, before.percent
        changed = _watch(
            self.target_price, self.drop_percent, self.variants or ChosenVariants(ids=[], options={}), self.alerts or []
        )
        if "target_price" in given:
            target, percent = changed.target, percent if changed.target is None else None
        if "drop_percent" in given:
            percent, target = changed.percent, target if changed.percent is None else None
        chosen = changed if self.variants is not None else before
        kinds = changed.kinds if self.alerts is not None else before.kinds
        return Watch(target, percent, chosen.ids, chosen.options, kinds)

    @property
    def relabels(self) -> bool:
        """Whether the label is given, null included."""
        return "label" in self.model_fields_set


class PagePricesQuery(Query):
    """Which variant's history: its id; none for a page with one variant only."""

    variant: Annotated[str, StringConstraints(max_length=100)] = ""
    limit: int = Field(200, ge=1, le=1_000)


class RecentChecksQuery(PageQuery):
    """Which checks to list. All filters must match."""

    limit: int = Field(50, ge=1, le=200)
    product: Annotated[str, Spelled(f"^{urls.PRODUCT_ID}$", "must be the `pageId` of a page")] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = None


class SlowChecksQuery(Query):
    """Which checks, the slowest first."""

    limit: int = Field(20, ge=1, le=100)
    min_duration_ms: Annotated[int, Field(ge=0, le=3_600_000, alias="min_duration_ms")] = 0


def _watch(target: TargetPrice | None, percent: Any, variants: ChosenVariants, alerts: list[str]) -> Watch:
    problems = list[FieldError]()
    if target is not None and percent is not None:
        problems.append(FieldError("dropPercent", "give a target price or a percentage, not both"))
    wanted = _money(target, problems) if target else None
    part = _percent(percent, problems) if percent is not None else None
    if problems:
        raise Invalid.of(problems)
    options = {name: frozenset(values) for name, values in variants.options.items()}
    return Watch(wanted, part, frozenset(variants.ids), options, frozenset(alerts))


def _money(target: TargetPrice, problems: list[FieldError]) -> Money | None:
    try:
        if money_text.currency(target.currency) is None:
            raise ValueError("must be an ISO 4217 code")
        return Money(Decimal(money.amount(target.amount, target.currency)), target.currency)
    except ValueError as wrong:
        problems.append(FieldError("targetPrice.amount", str(wrong)))
        return None


def _percent(value: Any, problems: list[FieldError]) -> Decimal | None:
    if not isinstance(value, bool) and money.is_decimal(str(value)) and 0 < (part := Decimal(str(value))) < 100:
        return part
    problems.append(FieldError("dropPercent", "must be a number above 0 and below 100"))
    return None
