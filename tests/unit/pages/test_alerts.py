"""What is told of a sequence of checks: nothing that is not true, and everything once."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.pages import alerts, facts
from sluice.pages.alerts import BACK_IN_STOCK, PRICE_DROPPED, VARIANT_GONE, Arms, Watch
from sluice.pages.facts import PageFacts
from sluice.pages.reading import Availability, Money, Reading, ReadOutcome, ReadVariant

IN, OUT, UNKNOWN = Availability.IN, Availability.OUT, Availability.UNKNOWN

# A check: a price (None: unclear), an availability; or what came instead of a reading.
Look = tuple[str | None, Availability] | str
FAILED, SAME, GONE, BLOCKED = "failed", "304", "without", "blocked"


def eur(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def reading(look: Look, currency: str = "EUR", source: str = "shopify") -> Reading:
    other = ReadVariant("other", price=eur("5"), availability=IN)
    if look == GONE:
        return Reading(ReadOutcome.PRODUCT, source, variants=(other,), complete=True)
    if look == BLOCKED:
        return Reading(ReadOutcome.BLOCKED)
    assert isinstance(look, tuple)
    price, stock = look
    money = Money(Decimal(price), currency) if price else None
    outcome = ReadOutcome.PRODUCT if money or stock is not UNKNOWN else ReadOutcome.UNCLEAR
    return Reading(outcome, source, variants=(ReadVariant("42", price=money, availability=stock), other), complete=True)


ANY = Watch()


class Told(list[tuple[int, str]]):
    """What was told, as the number of the check and the kind."""


def run(looks: Sequence[Look], watch: Watch = ANY) -> Told:
    """Look after look, with the watch from the beginning; an alert needs two confirmed facts that differ."""
    known, arms, told = PageFacts(), alerts.begin(watch, PageFacts()), Told()
    for at, look in enumerate(looks):
        if look == FAILED:
            continue
        known, changes = facts.repeat(known, at) if look == SAME else facts.read(known, reading(look), at)
        arms, found = alerts.step(watch, arms, changes)
        for alert in found:
            for one in alert.told:
                assert one.before is not None
                assert one.before != one.after
                told.append((at, alert.kind))
    return told


def prices(*amounts: str | None) -> list[Look]:
    return [(amount, IN) for amount in amounts]


def stocks(*given: Availability) -> list[Look]:
    return [("100", one) for one in given]


TARGET_90 = Watch(target=eur("90"))
TEN_PERCENT = Watch(percent=Decimal(10))


def test_a_drop_is_told_when_a_second_look_confirms_it() -> None:
    assert run(prices("100", "100", "80", "80", "80"), TARGET_90) == [(3, PRICE_DROPPED)]


def test_the_first_look_tells_nothing_nor_the_second() -> None:
    assert run(prices("80", "80", "80"), TARGET_90) == []
    assert run(stocks(IN, IN, IN)) == []


def test_a_price_that_flaps_is_told_never() -> None:
    assert run(prices("100", "100", "80", "100", "80", "100", "80", "100"), TARGET_90) == []


def test_one_alert_for_each_crossing_and_again_after_the_margin() -> None:
    path = [amount for amount in ("100", "89", "91", "88", "93", "85") for _ in range(2)]
    assert run(prices(*path), TARGET_90) == [(3, PRICE_DROPPED), (11, PRICE_DROPPED)]


def test_a_percentage_counts_from_the_highest_price_since_the_last_alert() -> None:
    path = [amount for amount in ("100", "150", "140", "134", "121", "120") for _ in range(2)]
    assert run(prices(*path), TEN_PERCENT) == [(7, PRICE_DROPPED), (11, PRICE_DROPPED)]


def test_a_restock_at_the_same_price_is_told() -> None:
    assert run(stocks(OUT, OUT, IN, IN, IN)) == [(3, BACK_IN_STOCK)]


def test_a_failed_look_between_hides_no_restock() -> None:
    looks: list[Look] = [
        ("100", OUT),
        ("100", OUT),
        FAILED,
        BLOCKED,
        ("100", UNKNOWN),
        (None, UNKNOWN),
        ("100", IN),
        ("100", IN),
    ]
    assert run(looks) == [(7, BACK_IN_STOCK)]


def test_a_failed_look_between_the_two_that_confirm() -> None:
    assert run([*stocks(OUT, OUT, IN), FAILED, ("100", UNKNOWN), ("100", IN)]) == [(5, BACK_IN_STOCK)]


def test_a_page_that_has_not_changed_confirms_what_was_read() -> None:
    assert run([*stocks(OUT, OUT, IN), SAME]) == [(3, BACK_IN_STOCK)]
    assert run([*prices("100"), SAME, *prices("80"), SAME], TARGET_90) == [(3, PRICE_DROPPED)]


def test_stock_that_flaps_is_told_once_for_each_confirmed_return() -> None:
    assert run(stocks(OUT, OUT, IN, OUT, IN, OUT)) == []
    assert run(stocks(OUT, OUT, IN, IN, OUT, IN, IN)) == [(3, BACK_IN_STOCK)]


def test_a_preorder_is_no_return_to_stock_and_what_follows_is() -> None:
    pre = Availability.PREORDER
    assert run(stocks(OUT, OUT, pre, pre, IN, IN)) == [(5, BACK_IN_STOCK)]
    assert run(stocks(pre, pre, IN, IN)) == []


def test_a_variant_is_gone_after_two_good_readings_without_it() -> None:
    assert run([*stocks(IN, IN), GONE, *stocks(IN), GONE, BLOCKED, FAILED, GONE, GONE]) == [(7, VARIANT_GONE)]


def test_a_reading_by_another_source_makes_no_variant_gone() -> None:
    known, _ = facts.read(PageFacts(), reading(("100", IN)), 0)
    known, _ = facts.read(known, reading(("100", IN)), 1)
    parent = Reading(
        ReadOutcome.PRODUCT, "json-ld", variants=(ReadVariant("", price=eur("1"), availability=OUT),), complete=True
    )
    for at in (2, 3):
        known, changes = facts.read(known, parent, at)
        assert changes == []
        assert set(known.variants) == {"42", "other"}
    known, changes = facts.read(known, parent, 4)
    assert (known.source, set(known.variants), changes) == ("json-ld", {""}, [])


def test_another_currency_is_never_compared() -> None:
    watch = Watch(percent=Decimal(10))
    known, arms = PageFacts(), Arms()
    for at, (amount, currency) in enumerate([("100", "USD")] * 2 + [("10", "EUR")] * 3 + [("9", "EUR")] * 2):
        known, changes = facts.read(known, reading((amount, IN), currency), at)
        arms, told = alerts.step(watch, arms, changes)
        assert bool(told) == (at == 6)


def test_a_target_in_a_currency_that_the_page_does_not_have_tells_nothing() -> None:
    assert run(prices("100", "100", "50", "50"), Watch(target=Money(Decimal(90), "USD"))) == []


def test_variants_are_chosen_by_id_or_option_and_alerts_by_kind() -> None:
    looks = stocks(OUT, OUT, IN, IN)
    assert run(looks, Watch(ids=frozenset({"other"}))) == []
    assert run(looks, Watch(options={"Size": frozenset({"42"})})) == []
    assert run(looks, Watch(kinds=frozenset({PRICE_DROPPED}))) == []
    assert run(looks, Watch(ids=frozenset({"42"}))) == [(3, BACK_IN_STOCK)]


def test_who_begins_later_starts_from_what_is_known() -> None:
    known = PageFacts()
    for at in range(2):
        known, _ = facts.read(known, reading(("80", OUT)), at)
    arms = alerts.begin(TARGET_90, known)
    assert arms["42"].price is False
    known, _ = facts.read(known, reading(("70", IN)), 3)
    known, changes = facts.read(known, reading(("70", IN)), 4)
    _, told = alerts.step(TARGET_90, arms, changes)
    assert [alert.kind for alert in told] == [BACK_IN_STOCK]


LOOKS = st.one_of(
    st.sampled_from([FAILED, SAME, GONE, BLOCKED]),
    st.tuples(
        st.sampled_from([None, "100", "95", "90", "89", "91.79", "91.80", "50"]),
        st.sampled_from(list(Availability)),
    ),
)
WATCHES = st.sampled_from([Watch(), TARGET_90, TEN_PERCENT])


@given(st.lists(LOOKS, max_size=40), WATCHES)
def test_an_alert_implies_two_confirmed_facts_that_differ(looks: list[Look], watch: Watch) -> None:
    run(looks, watch)  # `run` itself looks at each alert


@given(st.lists(LOOKS, max_size=40), WATCHES)
def test_between_two_alerts_of_a_target_the_price_was_above_it(looks: list[Look], watch: Watch) -> None:
    told = [at for at, kind in run(looks, TARGET_90) if kind == PRICE_DROPPED]
    for first, second in pairwise(told):
        between = [look[0] for look in looks[first:second] if isinstance(look, tuple) and look[0]]
        assert any(Decimal(price) >= Decimal("91.80") for price in between)


@given(st.lists(LOOKS, max_size=40))
def test_back_in_stock_is_told_for_each_confirmed_out_and_no_more(looks: list[Look]) -> None:
    outs = sum(1 for look in looks if isinstance(look, tuple) and look[1] is OUT)
    assert sum(1 for _, kind in run(looks) if kind == BACK_IN_STOCK) <= outs


@given(st.lists(LOOKS, max_size=20))
def test_what_is_stored_is_what_is_known(looks: list[Look]) -> None:
    known, arms = PageFacts(), Arms()
    for at, look in enumerate(looks):
        if look == FAILED:
            continue
        known, changes = facts.repeat(known, at) if look == SAME else facts.read(known, reading(look), at)
        arms, _ = alerts.step(TEN_PERCENT, arms, changes)
        assert facts.from_json(facts.to_json(known)) == known
        assert alerts.arms_from_json(alerts.arms_to_json(arms)) == arms


@pytest.mark.parametrize("look", [FAILED, BLOCKED, (None, UNKNOWN)])
def test_what_a_look_could_not_read_changes_nothing(look: Look) -> None:
    known = PageFacts()
    for at in range(2):
        known, _ = facts.read(known, reading(("100", OUT)), at)
    if look != FAILED:
        assert facts.read(known, reading(look), 9) == (known, [])
