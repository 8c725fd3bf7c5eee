"""Which calls a change costs, as pure rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.listings.ebay.desired import BestOffer, FieldGroup, PolicyIds, Price, Status
from sluice.listings.ebay.plan import (
    MOST_DETAIL_REVISIONS,
    QUICK,
    Known,
    Plan,
    Step,
    Unsure,
    plan,
)
from sluice.marketplaces.publishing import MOST_REVISIONS
from tests.support.ebay_wanted import IDS, record

P, I, O, S, W = Step.PRICES, Step.ITEM, Step.OFFER, Step.PUBLISH, Step.WITHDRAW  # noqa: E741
LIVE = Known(record(), IDS, "9405", live=True)
CHANGES: dict[str, tuple[dict[str, Any], tuple[Step, ...]]] = {
    "nothing": ({}, ()),
    "price": ({"price": Price("250", "USD")}, (P,)),
    "quantity": ({"quantity": 4}, (P,)),
    "both": ({"price": Price("250", "USD"), "quantity": 4}, (P,)),
    "pause": ({"status": Status.PAUSED}, (P,)),
    "title": ({"title": "Other"}, (I,)),
    "images": ({"images": ("https://shop.example/c.jpg",)}, (I,)),
    "condition": ({"condition": "NEW_OTHER"}, (I,)),
    "aspects": ({"aspects": {"Color": ("Blue",)}}, (I,)),
    "category": ({"category": "95672"}, (O,)),
    "description": ({"description": "<p>Other</p>"}, (O,)),
    "location": ({"location": "garage"}, (O,)),
    "best offer": ({"best_offer": BestOffer("200", None)}, (O,)),
    "title and price": ({"title": "Other", "price": Price("250", "USD")}, (I, O)),
    "title and quantity": ({"title": "Other", "quantity": 4}, (I, O)),
    "end": ({"status": Status.ENDED}, (W,)),
    "promotion": ({"auto_promote": True, "ad_rate": "5.0"}, ()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_a_live_listing_costs_what_it_must(name: str) -> None:
    changes, steps = CHANGES[name]
    assert plan(record(**changes), IDS, LIVE).steps == steps


def test_another_policy_is_a_change_of_the_offer() -> None:
    assert plan(record(), IDS._replace(returns="7"), LIVE).steps == (O,)


def test_a_new_listing_is_made_from_the_top() -> None:
    made = plan(record(), IDS, Known())
    assert (made.steps, made.unsure) == ((I, O, S), Unsure(frozenset(FieldGroup), listing=True))


@pytest.mark.parametrize("want", [record(status=Status.PAUSED), record(quantity=0)])
def test_what_has_no_stock_is_made_ready_and_not_published(want: Any) -> None:
    assert plan(want, IDS, Known()).steps == (I, O)


def test_what_was_ended_and_is_wanted_again_is_published_again() -> None:
    ended = LIVE._replace(live=False)
    assert plan(record(status=Status.ENDED), IDS, ended).steps == ()
    assert plan(record(), IDS, ended).steps == (I, O, S)


def test_what_was_never_there_is_ended_already() -> None:
    assert plan(record(status=Status.ENDED), IDS, Known()).steps == ()


def test_another_site_withdraws_the_listing_of_the_old_one() -> None:
    moved = plan(record(marketplace="EBAY_CA", price=Price("300", "CAD")), IDS, LIVE)
    assert (moved.steps, moved.old_offer) == ((Step.CHECK, W, I, O, S), "9405")
    doubtful = LIVE._replace(unsure=Unsure(listing=True))
    again = plan(record(marketplace="EBAY_CA", price=Price("300", "CAD")), IDS, doubtful)
    assert again.steps == (W, I, O, S)  # an attempt that was broken may have withdrawn it already


@pytest.mark.parametrize(
    "known",
    [LIVE._replace(live=False, ended=True), LIVE._replace(live=False, left=True, unsure=Unsure(listing=True))],
    ids=["ended", "let go by its group"],
)
def test_another_site_makes_an_offer_of_its_own_where_nothing_is_to_be_withdrawn(known: Known) -> None:
    moved = plan(record(marketplace="EBAY_CA", price=Price("300", "CAD")), IDS, known)
    assert (moved.steps, moved.old_offer) == ((I, O, S), "9405")


def test_what_may_have_been_sent_is_sent_again() -> None:
    price = LIVE._replace(unsure=Unsure(frozenset({FieldGroup.PRICE})))
    assert plan(record(), IDS, price).steps == (P,)
    images = LIVE._replace(unsure=Unsure(frozenset({FieldGroup.IMAGES})))
    assert plan(record(), IDS, images).steps == (I,)
    policies = LIVE._replace(unsure=Unsure(frozenset({FieldGroup.POLICIES})))
    assert plan(record(), IDS, policies).steps == (O,)
    details = LIVE._replace(unsure=Unsure(frozenset({FieldGroup.DETAILS})))
    assert plan(record(), IDS, details).steps == (I, O)


def test_a_listing_that_may_be_live_is_published_or_withdrawn_as_the_record_says() -> None:
    maybe = LIVE._replace(live=False, unsure=Unsure(listing=True))
    assert plan(record(), IDS, maybe).steps == (I, O, S)
    assert plan(record(status=Status.ENDED), IDS, maybe).steps == (W,)
    assert plan(record(status=Status.ENDED), IDS, maybe._replace(live=True)).steps == (W,)


@pytest.mark.parametrize(
    ("used", "changes", "steps", "waits"),
    [
        (MOST_DETAIL_REVISIONS - 1, {"title": "Other"}, (I,), frozenset()),
        (MOST_DETAIL_REVISIONS, {"title": "Other"}, (), {FieldGroup.DETAILS}),
        (MOST_DETAIL_REVISIONS, {"title": "Other", "quantity": 4}, (P,), {FieldGroup.DETAILS}),
        (MOST_REVISIONS - 1, {"quantity": 4}, (P,), frozenset()),
        (MOST_REVISIONS, {"quantity": 4}, (), {FieldGroup.QUANTITY}),
        (MOST_REVISIONS, {"title": "Other", "quantity": 4}, (), {FieldGroup.DETAILS, FieldGroup.QUANTITY}),
        (MOST_REVISIONS, {"status": Status.ENDED}, (W,), frozenset()),
    ],
)
def test_details_stop_early_and_price_and_quantity_at_ebays_limit(
    used: int, changes: dict[str, Any], steps: tuple[Step, ...], waits: frozenset[FieldGroup]
) -> None:
    made = plan(record(**changes), IDS, LIVE._replace(revisions=used))
    assert (made.steps, made.waits) == (steps, waits)


def test_what_waits_is_not_taken_for_sent() -> None:
    want = record(title="Other", quantity=4)
    made = plan(want, IDS, LIVE._replace(revisions=MOST_DETAIL_REVISIONS))
    assert made.sends == record(quantity=4)
    later = plan(want, IDS, LIVE._replace(published=made.sends))
    assert (later.steps, later.sends) == ((I,), want)


changes = st.sampled_from([changes for changes, _ in CHANGES.values()])
knowns = st.builds(
    Known,
    published=st.one_of(st.none(), changes.map(lambda one: record(**one))),
    policies=st.sampled_from([None, IDS, PolicyIds("1", "2", "3")]),
    offer_id=st.sampled_from([None, "9405"]),
    live=st.booleans(),
    unsure=st.builds(Unsure, st.frozensets(st.sampled_from(list(FieldGroup))), st.booleans()),
    revisions=st.integers(0, MOST_REVISIONS + 5),
).filter(lambda one: not one.live or bool(one.published and one.policies and one.offer_id))


@given(changes, knowns)
def test_rules_that_always_hold(change: dict[str, Any], known: Known) -> None:
    want = record(**change)
    made: Plan = plan(want, IDS, known)
    assert len(set(made.steps)) == len(made.steps)
    assert list(made.steps) == [step for step in (P, W, I, O, S) if step in made.steps]
    if P in made.steps:
        assert made.steps == (P,)
        assert known.live
        assert made.unsure.groups <= QUICK
    if known.live and not known.unsure.listing and W not in made.steps and S not in made.steps:
        assert made.revisions == 0 or known.revisions + made.revisions <= MOST_REVISIONS
    if not made.waits:
        # Done, and read back, there is nothing left to do.
        live = S in made.steps or (known.live and W not in made.steps)
        done = Known(made.sends, IDS, known.offer_id or "1", live, revisions=known.revisions)
        if live or want.status is Status.ENDED or not want.shown_quantity:
            again = plan(want, IDS, done)
            assert again.steps == () or again.steps == (I, O)
    if made.steps:
        assert made.unsure != Unsure()
